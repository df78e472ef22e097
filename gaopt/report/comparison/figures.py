"""The figures of a comparison, and what the page says of each."""

from __future__ import annotations

from gaopt.report.comparison.evidence import Evidence
from gaopt.report.page import Figures, Section, drawn
from gaopt.report.plots.comparison.genes import importance, interactions, searched
from gaopt.report.plots.comparison.judged import judged
from gaopt.report.plots.comparison.methods import progress, seeds, winners

FIGURES: Figures[Evidence] = (
    (
        "progress",
        progress,
        "Best score so far, against what was spent",
        "For each method the mean over its seeds of the best validation score so far. Short trainings and failures"
        " count as spent. A line begins once every seed has a score, and the axis where most lines have left the start."
        " These are the scores that the searches chose by: they are optimistic.",
    ),
    (
        "seeds",
        seeds,
        "How far the seeds lie apart",
        "The same for each method alone: its mean, and the band from its lowest to its highest seed (min … max, not an"
        " interval), before the means of the others.",
    ),
    (
        "judged",
        judged,
        "Judged scores",
        "What the winners are worth: each mark is the winner of one search, trained again with a fresh seed and judged"
        " (of several such trainings, their mean). A thin line joins the same seed, so that methods can be compared"
        " pair by pair; the bar below the"
        " marks is the mean, with its 95 % interval over seeds. To the right, how far each method lies from the"
        " first one, seed by seed: what lies left of the line is worse. An interval may run out of its panel.",
    ),
    (
        "winners",
        winners,
        "The winners by epoch",
        "The training of each method's winners as it was in the search: a thin line for each seed, a thick one for"
        " their mean. Accuracies and the validation loss are of the validation images. The axes begin where the means"
        " have left their start.",
    ),
    (
        "searched",
        searched,
        "Where each method searched",
        "For each gene a panel, for each method a row: every training of all seeds at its value, coloured by its score."
        " Within a row the height means nothing.",
    ),
    (
        "importance",
        importance,
        "How much each gene matters",
        "By Optuna's evaluators, from all whole trainings of all searches. fANOVA tells what share of the differences"
        " over the whole space a gene explains alone; PED-ANOVA, with 50 trainings or more, by which genes the best"
        " tenth of them is told from the rest. Each adds up to 100 %.",
    ),
    (
        "interactions",
        interactions,
        "How pairs of genes act together",
        "What a random forest expects of two genes, averaged over all others (partial dependence), from all whole"
        " trainings of all searches, which are the dots. If the best value of one gene depends on the other, the patch"
        " of the best scores lies aslant. Where there are few dots it is a guess.",
    ),
)


def figures(found: Evidence) -> list[Section]:
    """Those figures that there is something for."""
    return drawn(FIGURES, found)

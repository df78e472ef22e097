"""The figures of a report: what each is called and how it is read."""

from __future__ import annotations

from dataclasses import replace

from gaopt.journal.history import History
from gaopt.report import plots, views
from gaopt.report.experiment import compared
from gaopt.report.page import Figures, Section, drawn
from gaopt.space.gene import Choice

FIGURES: Figures[History] = (
    (
        "fitness",
        plots.fitness,
        "Fitness by generation",
        "Each dot is an individual; the lines join the best and the mean of each population, and a survivor is drawn"
        " again, hollow, in each generation that it lives in.",
    ),
    (
        "curves",
        plots.curves,
        "Accuracies and losses by epoch",
        "One line an individual, coloured by its fitness, the best thick and orange; the table below the panels names"
        " the genes of each line, from the fittest down.",
    ),
    (
        "space",
        plots.space,
        "Where the population went",
        "Each mark is an individual, each gene on its own scale and over its whole range, coloured by the"
        " generation of its birth; crosses failed, the star is the best.",
    ),
    (
        "lineage",
        plots.lineage,
        "Who descends from whom",
        "Read from left to right: a disc is an individual where it was born, a thick line a survivor, a thin curve"
        " leads from a parent to its offspring, and the descent of the best is orange.",
    ),
    (
        "cycle",
        plots.cycle,
        "The cycle of learning rate and momentum",
        "What each individual was trained with, from the start of its training (0) to its end (1): the learning rate"
        " rises to its peak and falls, the momentum goes to its turning point and back.",
    ),
)

ERRORS: Figures[History] = (
    (
        "errors",
        plots.errors,
        "Error by epoch",
        "Broken lines are the error on the training images as they were trained on, augmented and while the weights"
        " changed; solid lines the error on the validation images after each epoch. Means, where a variant was"
        " trained several times.",
    ),
)
"""The figures of an experiment, which has no search to show."""


def figures(history: History) -> list[Section]:
    """Those figures that the history has something for."""
    found = drawn(ERRORS if compared(history) else FIGURES, history)
    return [replace(each, text=each.text + _more(each.name, history)) for each in found]


def _more(name: str, history: History) -> str:
    """What a caption says besides, of what not every study has."""
    match name:
        case "fitness" if history.means:
            return " To the right, each finalist: its trainings as dots, their mean as a bar."
        case "curves" if history.means:
            return " Of a finalist, its first training is drawn."
        case "space" if any(isinstance(gene, Choice) for gene in views.space(history).values()):
            return " Where a gene is a choice, those that have the same lie beside each other, in no order."
        case _:
            return ""

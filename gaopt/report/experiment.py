"""An experiment's errors beside the paper's, and what was seen of the paper's claims."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from gaopt.journal.history import History, Individual
from gaopt.papers.experiment import Claim, Variant, experiment
from gaopt.papers.published import beside, published
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.page import Section, Table
from gaopt.report.remarks import common

METRICS = {"training": "train_top1", "validation": "top1", "test": "test_top1"}
"""The accuracy that each error is told from."""


@dataclass(frozen=True)
class Compared:
    """One variant: its scored individuals, how many were wanted, and the errors of each in %, by name."""

    variant: Variant
    runs: tuple[Individual, ...]
    wanted: int
    errors: Mapping[str, tuple[float, ...]]


def compared(history: History) -> list[Compared]:
    """The variants of a study's experiment in their order; none where a study is no experiment."""
    if (found := experiment(history.config)) is None:
        return []
    rows = []
    for variant in found.variants:
        everyone = [i for i in history.individuals.values() if found.variant(i.genes) is variant]
        runs = tuple(sorted((i for i in everyone if i.status == "scored"), key=lambda i: i.id))
        ends = [views.final(run) for run in runs]
        errors = {name: tuple(100 * (1 - end[m]) for end in ends if m in end) for name, m in METRICS.items()}
        rows.append(Compared(variant, runs, len(everyone), errors))
    return rows


def error(values: tuple[float, ...]) -> str:
    """Errors in % as mean ± standard deviation: 8.75, or 8.75 ± 0.12 of several."""
    if not values:
        return "–"
    return f"{fmean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")


def section(history: History) -> Section | None:
    """The variants and what was seen of each claim; None where a study is no experiment."""
    rows = [row(one) for one in compared(history)]
    note = "Errors of the last epoch, in %; ours on the training images are of the images as augmented."
    table = Table(HEAD, rows, frozenset({0, len(HEAD) - 1}))
    return Section("Ours beside the paper's", table=table, note=[note], items=verdicts(history)) if rows else None


def row(one: Compared) -> list[str]:
    """The cells of a variant: name, parameters, runs, our three errors, the paper's, and its source."""
    printed = next((each for each in published() if each.key == one.variant.paper), None)
    parameters = views.final(one.runs[0]).get("parameters") if one.runs else None
    return [
        one.variant.name,
        f"{parameters / 1e6:.2f} M" if parameters else "–",
        str(len(one.runs)) if len(one.runs) == one.wanted else f"{len(one.runs)} of {one.wanted}",
        *(error(one.errors[name]) for name in METRICS),
        printed.printed if printed else "–",
        printed.source if printed else "–",
    ]


HEAD = ["variant", "parameters", "runs", *(f"{name} %" for name in METRICS), "paper %", "source"]


def title(history: History) -> str:
    """What is compared and where the paper has it, as a sentence; empty where a study is no experiment."""
    found = experiment(history.config)
    return f"{found.title}" + (f" ({found.source})." if found.source else ".") if found else ""


def verdicts(history: History) -> list[str]:
    """Of each claim of the paper, in one sentence, what was seen."""
    found = experiment(history.config)
    by_name = {one.variant.name: one for one in compared(history)}
    return [_verdict(claim, by_name) for claim in found.claims] if found else []


def _verdict(claim: Claim, by_name: Mapping[str, Compared]) -> str:
    high, low = by_name[claim.higher].errors[claim.error], by_name[claim.lower].errors[claim.error]
    said = f"The paper's claim: {claim.text}."
    if not high or not low:
        missing = claim.higher if not high else claim.lower
        return f"{said} Not seen: {missing} has no {claim.error} error, for no training of it has ended with a score."
    seen = f"{claim.error} error {error(high)} % ({claim.higher}) against {error(low)} % ({claim.lower})"
    return f"{said} Seen: {_outcome(high, low)}; {seen}."


def _outcome(high: tuple[float, ...], low: tuple[float, ...]) -> str:
    """Whether the first are higher; from two runs each on also whether by more than chance, by Welch's test."""
    gap = fmean(high) - fmean(low)
    way = "the same" if gap > 0 else "no difference at all" if gap == 0 else "the opposite"
    if min(len(high), len(low)) < 2:
        return f"{way}, in one run each, so that chance cannot be told from effect"
    if max(high) - min(high) + max(low) - min(low) < 1e-6:
        return f"{way}, without any spread between runs"
    from scipy.stats import ttest_ind  # half a second, for the few who need it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # runs that are nearly equal on one side alone are no mistake
        reach = ttest_ind(high, low, equal_var=False).confidence_interval(0.95)
    span = f"a difference of {gap:+.2f} points, 95 % interval {reach.low:+.2f} … {reach.high:+.2f}"
    return f"{way}, {span}" if reach.low > 0 or reach.high < 0 else f"nothing that can be told from chance, {span}"


def remarks(history: History) -> list[str]:
    """What a reader must know before laying such errors beside a paper's."""
    found = compared(history)
    runs = min(one.wanted for one in found)
    data, epochs = history.config["data"], sorted({run.epochs for one in found for run in one.runs}) or [0]
    images = "all training images but those held back for validation"
    if data.get("limit"):
        images = f"at most {data['limit']} training images"
    pixels = f" of {data['size']} pixels a side" if data.get("size") else ""
    said = [f"Trained here: {images}{pixels}, {' or '.join(map(str, epochs))} epochs."]
    if any(one.variant.paper for one in found) and beside(history.config):
        said.append("The papers' figures are of networks trained for 64,000 steps on all 50,000 images of 32 pixels.")
    if runs == 1:
        said.append("Every variant was trained once, with the same seed. One run shows no spread.")
    else:
        said.append(f"Every variant was trained with each of {runs} seeds; ± is the standard deviation of these runs.")
    said.append("The test images were measured after the last epoch of every training. Nothing was chosen by them.")
    if history.failed:
        said.append(f"{words.plural(len(history.failed), 'training')} failed, and is in no mean.")
    return said + common(history)

"""python -m benchmarks.search.figure --data FOLDER: docs/search.svg, one search of LCBench, training by training."""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.search import problems
from benchmarks.search.searches import Setting, assisted
from gaopt.journal.history import History
from gaopt.report.plots import style
from gaopt.report.plots.space import scale
from gaopt.space.space import Space

FILE = Path(__file__).parents[2] / "docs" / "search.svg"
PROBLEM, TRAININGS, TOGETHER, SEED = "lc3-189909", 30, 5, 0


def searched(data: Path) -> tuple[Space, History]:
    """A search of ten trainings, then fives."""
    problem = problems.load([PROBLEM], data)[PROBLEM]
    search = assisted(Setting(problem.space, problem.epochs, TRAININGS, TOGETHER, SEED))
    while trials := search.ask():
        search.tell([problem.score(trial.genes, trial.epochs) for trial in trials])
    return problem.space, search.history


@style.plot("One search", "")
def one_search(space: Space, history: History) -> Figure:
    drawn = style.figure(3.6)
    left, right = drawn.subplots(1, 2, width_ratios=(3, 2))
    everyone = list(history.individuals.values())
    numbers, scores = [one.id + 1 for one in everyone], [one.fitness for one in everyone]
    bars = [(one.id + 1, *one.birth.expected) for one in everyone if one.birth.expected]
    key, colours = style.generation_scale(len(history.populations))
    shades = [colours[one.generation] for one in everyone]
    left.errorbar(*zip(*bars, strict=True), color=style.LOST, fmt="_", linewidth=2, label="expected, ± one deviation")
    left.step(
        numbers,
        [max(scores[: n + 1]) for n in range(len(scores))],
        where="post",
        color=style.BEST,
        linewidth=1,
        label="the best so far",
    )
    left.scatter(numbers, scores, c=shades, zorder=3, label="what came of it, by generation")
    left.set(title="Each training", xlabel="training", ylabel="accuracy on validation, %")
    left.legend(loc="lower right")
    best = max(everyone, key=lambda one: one.fitness)
    across, _, up = space
    right.scatter([one.genes[across] for one in everyone], [one.genes[up] for one in everyone], c=shades, zorder=3)
    right.scatter(best.genes[across], best.genes[up], marker="*", s=180, c=style.BEST, edgecolors="white", zorder=4)
    for which, name in (("x", across), ("y", up)):
        scale(right, which, name, space[name])
    right.set(title="Where it searched")
    style.colourbar(drawn, key, [right], "generation", extend="neither")
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path)
    section = one_search(*searched(parser.parse_args().data))
    assert section
    FILE.write_text(f"{section.svg}\n", "utf-8")


if __name__ == "__main__":
    main()

"""Objectives that cost nothing, for tests and for a first look at a search."""

import math

from gaopt.objectives.base import Report, Score, Task

EPOCHS = 5


def sphere(task: Task, report: Report) -> Score:
    """One minus the squared distance of all genes from 0.5: the best fitness is 1."""
    fitness = 1.0 - sum((value - 0.5) ** 2 for value in task.genes.values())
    report(1, {"fitness": fitness})
    return Score(fitness, {"fitness": fitness}, epochs=1)


def valley(task: Task, report: Report) -> Score:
    """A made-up training of five epochs over (lr, wd, mom), best near lr 3e-3, wd 1e-2, mom 0.85.

    It behaves like the real one where it matters to a search: with a momentum above 1.2 the loss is NaN, and an
    lr that is too small learns nothing. A training for a share of the epochs has learnt less and wants a higher lr,
    so that the order of its scores is nearly, and not quite, that of whole trainings.
    """
    lr, wd, mom = (task.genes[name] for name in ("lr", "wd", "mom"))
    epochs = max(1, round(EPOCHS * task.share))
    centre = -2.5 + 0.2 * (EPOCHS - epochs) / EPOCHS
    top1 = 1.0 - min(0.9, 0.2 * (math.log10(lr) - centre) ** 2 + 2.0 * abs(wd - 0.01) + 0.5 * max(0.0, mom - 0.85) ** 2)
    top1 *= (1 - 0.5**epochs) / (1 - 0.5**EPOCHS)
    for epoch in range(1, epochs + 1):
        share = 1 - 0.5**epoch
        metrics = {
            "top1": top1 * share,
            "train_loss": 2.3 * (1 - top1 * share),
            "valid_loss": 2.4 * (1 - top1 * share),
        }
        report(epoch, metrics, [(epoch / epochs, lr, mom)])
    return Score(math.nan if mom > 1.2 else top1, {"top1": top1}, epochs=epochs)


sphere.epochs, valley.epochs = 1, EPOCHS  # type: ignore[attr-defined]

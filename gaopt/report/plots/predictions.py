"""What the best model makes of the test images: which classes it takes for which, and images that are hard for it."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure

from gaopt.report import format as words
from gaopt.report.plots import style
from gaopt.report.predictions import Example, Predictions

COLOURS = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#9fc9e6", style.MEAN, "#08306b"])
MOST = 100
"""Classes whose names a matrix has room for."""
NUMBERED = 25
"""Classes up to which each cell has its count."""
ROOM = 80
"""Characters that fit beside each other below a matrix, the names being as wide as the longest."""
ACROSS = 6  # examples in a row


@style.plot(
    "Confusion matrix",
    "Each row has the test images of one class, each column those that were taken for one; on the diagonal they are"
    " right. The colour is the share of the row, stretched so that few show.",
)
def confusion(found: Predictions) -> Figure | None:
    count = len(found.classes)
    if count > MOST:
        return None
    drawn = style.figure(min(2.0 + 0.42 * count, 9.6))
    axes = drawn.subplots()
    matrix = found.matrix
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axes.imshow(
        shares, cmap=COLOURS, norm=PowerNorm(0.4, 0, 1), interpolation="none", aspect="equal" if count > 8 else "auto"
    )
    names, size = [words.shortened(name) for name in found.classes], min(8.5, 440 / count)
    axes.set_xticks(range(count), names, rotation=90 * (count * max(map(len, names)) > ROOM), fontsize=size)
    axes.set_yticks(range(count), names, fontsize=size)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set(xlabel="taken for", ylabel="class")
    axes.spines[:].set_visible(False)
    if count <= NUMBERED:
        for (row, column), number in np.ndenumerate(matrix):
            if number:
                colour = "white" if shares[row, column] > 0.35 else style.INK
                axes.text(column, row, str(number), ha="center", va="center", color=colour, fontsize=size)
    return drawn


@style.plot(
    "Most confident mistakes",
    "The test images that the best model gets wrong with the highest probability: what it takes each for, and what it"
    " is. Look for wrong labels, too.",
)
def worst(found: Predictions) -> Figure | None:
    return _examples(found.worst)


@style.plot(
    "Least certain",
    "The test images whose two most probable classes are closest: what the best model takes each for, and what it is.",
)
def doubtful(found: Predictions) -> Figure | None:
    return _examples(found.doubtful)


def _examples(shown: list[Example]) -> Figure | None:
    if not shown:
        return None
    drawn, grid = style.panels(len(shown), 2.0, ACROSS)
    for axes, each in zip(grid, shown, strict=False):
        axes.imshow(each.pixels, interpolation="none")
        axes.set_axis_off()
        said = f"{words.shortened(each.predicted)} ({100 * each.probability:.0f} %)"
        right = "" if each.predicted == each.label else f"\nis {words.shortened(each.label)}"
        axes.set_title(said + right, fontsize=8.5, fontweight="normal", loc="center")
    return drawn

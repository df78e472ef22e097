"""Measures of a classifier on a whole split, from its logits: as scikit-learn defines them, without loading it.

Its import takes 1 s and 70 MB of every worker, for twenty lines; a test holds them against it.
"""

from __future__ import annotations

import numpy as np


def measured(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Measures by name, of logits (n, classes) and labels (n,).

    balanced: the mean recall of the classes that there are. macro_f1: the mean F1 of those that there are or that are
    predicted. auc: the mean over all classes of the area under the ROC curve of each against the others; left out
    where one has no image. neg_log_loss: minus the plain cross-entropy, whatever loss a recipe trains by.
    """
    classes = logits.shape[1]
    predicted = np.where(np.isfinite(logits).all(1), logits.argmax(1), classes)  # none of them
    pairs = np.bincount(labels * (classes + 1) + predicted, minlength=classes * (classes + 1))
    confusion = pairs.reshape(classes, classes + 1)  # by class and prediction
    right, actual, said = confusion.diagonal(), confusion.sum(1), confusion[:, :classes].sum(0)
    there, either = actual > 0, actual + said > 0
    wide = logits.astype(np.float64)
    with np.errstate(invalid="ignore"):  # of what diverged
        log_p = wide - np.logaddexp.reduce(wide, axis=1, keepdims=True)
    found = {
        "balanced": (right[there] / actual[there]).mean(),
        "macro_f1": (2 * right[either] / (actual + said)[either]).mean(),
        "neg_log_loss": log_p[np.arange(len(labels)), labels].mean(),
    }
    if there.all() and classes > 1:
        found["auc"] = np.mean([_area(log_p[:, each], labels == each) for each in range(classes)])
    return {name: float(value) for name, value in found.items()}


def _area(scores: np.ndarray, positive: np.ndarray) -> float:
    """The share of pairs of a positive and another image (n,) in which the positive scores higher; equals are half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    many = int(positive.sum())
    return float((ranks[positive].sum() - many * (many + 1) / 2) / (many * (len(scores) - many)))

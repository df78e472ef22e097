"""Measures of a classifier, held against scikit-learn's."""

import math
import warnings

import numpy as np
import pytest
from sklearn import metrics as theirs

from resnet.metrics import measured


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_measures_are_those_of_scikit_learn(classes: int) -> None:
    rng = np.random.default_rng(classes)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, 200) ** 2 % classes])
    logits = (rng.normal(size=(len(labels), classes)) + 2 * np.eye(classes)[labels]).astype(np.float32)
    logits[1::3] = logits[:-1:3]  # equal scores
    p = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    said, scores = p.argmax(1), p[:, 1] if classes == 2 else p
    assert measured(logits, labels) == {
        "balanced": pytest.approx(theirs.balanced_accuracy_score(labels, said)),
        "macro_f1": pytest.approx(theirs.f1_score(labels, said, average="macro")),
        "neg_log_loss": pytest.approx(-theirs.log_loss(labels, p)),
        "auc": pytest.approx(theirs.roc_auc_score(labels, scores, multi_class="ovr"), abs=1e-6),
    }


def test_classes_without_images_count_as_in_scikit_learn_and_have_no_curve() -> None:
    labels, logits = np.array([0, 0, 1, 1, 1]), np.eye(4)[[0, 1, 1, 1, 2]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        balanced = theirs.balanced_accuracy_score(labels, logits.argmax(1))
    found = measured(logits, labels)
    assert found["balanced"] == pytest.approx(balanced)
    assert found["macro_f1"] == pytest.approx(theirs.f1_score(labels, logits.argmax(1), average="macro"))
    assert "auc" not in found


def test_logits_that_are_not_finite_are_never_right() -> None:
    found = measured(np.array([[math.nan, 1.0], [math.inf, 1.0], [0.0, 1.0]]), np.array([0, 0, 1]))
    assert found["balanced"] == 0.5
    assert math.isnan(found["neg_log_loss"])

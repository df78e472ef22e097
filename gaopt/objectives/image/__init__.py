"""Image classifiers: the only door from gaopt to resnet."""

from gaopt.objectives.image.classifier import Classifier, objective
from gaopt.objectives.image.probes import find_lr
from gaopt.objectives.image.use import Used, predict, used

__all__ = ["Classifier", "Used", "find_lr", "objective", "predict", "used"]

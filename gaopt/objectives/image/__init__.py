"""Image classifiers: the only door from gaopt to resnet."""

from gaopt.objectives.image.classifier import Classifier, objective
from gaopt.objectives.image.lr import find_lr
from gaopt.objectives.image.model import predict

__all__ = ["Classifier", "find_lr", "objective", "predict"]

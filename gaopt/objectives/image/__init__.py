"""Image classifiers: the only door from gaopt to resnet."""

from gaopt.objectives.image.classifier import Classifier, objective
from gaopt.objectives.image.model import predict
from gaopt.objectives.image.probes import find_lr

__all__ = ["Classifier", "find_lr", "objective", "predict"]

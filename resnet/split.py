"""Splits of a data set: what is trained on, what is validated on, what is kept for the test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


class DataError(ValueError):
    """A data set or an image that cannot be used: what is wrong, what was found, what is allowed."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their classes.

    Attributes:
        images: uint8 (n, h, w, c).
        labels: int64 (n,), each the index of a class.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def chance(self) -> float:
        """The accuracy of always naming the commonest class, plus twice its standard error."""
        commonest = float(np.bincount(self.labels).max() / len(self))
        return commonest + 2 * math.sqrt(commonest * (1 - commonest) / len(self))


@dataclass(frozen=True, eq=False)
class Source:
    """A data set as it was found, before any image is set aside.

    Attributes:
        form: how the images were stored: "batches" of CIFAR, or image formats ("JPEG", "JPEG/PNG").
        folders: by "train", "valid" and "test": where each that was found lies, empty for the whole.
        warnings: sentences for the user.
    """

    train: Split
    valid: Split | None
    test: Split | None
    classes: tuple[str, ...]
    form: str
    folders: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """Some images of a split: for each class their indices (k,), in an order drawn by the seed."""

    split: Split
    orders: list[np.ndarray]

    @property
    def counts(self) -> list[int]:
        return [len(order) for order in self.orders]

    def cut(self, counts: Sequence[int]) -> tuple[Part, Part]:
        """The first so many of each class, and the others."""
        pairs = list(zip(self.orders, counts, strict=True))
        return Part(self.split, [o[:n] for o, n in pairs]), Part(self.split, [o[n:] for o, n in pairs])

    def take(self) -> Split:
        """The images themselves, copied, in the order of their split."""
        chosen = np.sort(np.concatenate(self.orders))
        return Split(self.split.images[chosen], self.split.labels[chosen])


def whole(split: Split, classes: int, seed: int) -> Part:
    """All images of a split."""
    # RandomState rather than default_rng: its stream is frozen for good (NEP 19), and a split must stay what it was.
    draw = [np.random.RandomState([seed, label]) for label in range(classes)]
    return Part(split, [draw[label].permutation(np.flatnonzero(split.labels == label)) for label in range(classes)])


def divide(source: Source, valid: float, test: float, seed: int) -> dict[str, Part]:
    """The parts "train", "valid" and "test", class by class.

    Args:
        valid, test: share of the training images that is set aside where the source has no such split; at
            least one image of each class is.

    Raises:
        DataError: a class would have no image left to train on.
    """
    classes = len(source.classes)
    left = whole(source.train, classes, seed)
    counts, parts = left.counts, {}
    for name, own, share in (("test", source.test, test), ("valid", source.valid, valid)):
        if own is None:
            parts[name], left = left.cut([max(1, round(share * count)) for count in counts])
        else:
            parts[name] = whole(own, classes, seed)
    for label, count in enumerate(left.counts):
        if not count:
            raise DataError(
                f"class {source.classes[label]!r} has {counts[label]} training images: setting aside a share for "
                f"validation or test (valid = {valid}, test = {test}) must leave at least one"
            )
    return parts | {"train": left}


def limited(parts: dict[str, Part], limit: int) -> dict[str, Part]:
    """At most `limit` training images, the classes in proportion; the other parts are cut by the same factor.

    Each class keeps at least one image in each part. 0 for no limit.

    Raises:
        DataError: fewer images than classes.
    """
    counts = parts["train"].counts
    if not limit or limit >= sum(counts):
        return parts
    if limit < len(counts):
        raise DataError(f"limit is {limit}: must be 0, or at least {len(counts)}, one image for each class")
    factor = limit / sum(counts)
    totals = {name: round(factor * sum(part.counts)) for name, part in parts.items()} | {"train": limit}
    return {name: part.cut(apportion(part.counts, totals[name]))[0] for name, part in parts.items()}


def apportion(counts: Sequence[int], total: int) -> list[int]:
    """Shares of `total` in proportion to the counts, by largest remainders; at least one where the count is not 0."""
    exact = [count * total / sum(counts) for count in counts]
    seats = [min(count, max(1, int(share))) for count, share in zip(counts, exact, strict=True)]
    while sum(seats) != total:
        step = 1 if sum(seats) < total else -1
        free = [i for i, seat in enumerate(seats) if (seat < counts[i] if step > 0 else seat > 1)]
        if not free:
            break
        seats[max(free, key=lambda i: step * (exact[i] - seats[i]))] += step
    return seats

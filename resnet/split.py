"""Splits of a data set: what is trained on, what is validated on, what is kept for the test."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np


class DataError(ValueError):
    """A data set or an image that cannot be used: what is wrong, what was found, what is allowed."""


def few(names: Collection[str], most: int = 5) -> str:
    """Names for a message."""
    return ", ".join(list(names)[:most]) + (", …" if len(names) > most else "")


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their classes."""

    images: np.ndarray  # uint8 (n, h, w, c)
    labels: np.ndarray  # int64 (n,), each the index of a class
    names: tuple[str, ...] = ()  # of each image its path in the data set, or "train/17"; none in a split made by hand

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def chance(self) -> float:
        """The accuracy of always naming the commonest class, plus twice its standard error."""
        commonest = float(np.bincount(self.labels).max() / len(self))
        return commonest + 2 * math.sqrt(commonest * (1 - commonest) / len(self))

    def take(self, chosen: np.ndarray) -> Split:
        """The images at these indices (k,)."""
        names = tuple(self.names[i] for i in chosen.tolist()) if self.names else ()
        return Split(self.images[chosen], self.labels[chosen], names)


def together(splits: Sequence[Split]) -> Split:
    """Several splits one after another."""
    images, labels = (np.concatenate([getattr(split, key) for split in splits]) for key in ("images", "labels"))
    return Split(images, labels, tuple(chain.from_iterable(split.names for split in splits)))


def numbered(where: str, count: int) -> tuple[str, ...]:
    """Names for images that have none: where they are, and how many came before."""
    return tuple(f"{where}/{index}" for index in range(count))


@dataclass(frozen=True, eq=False)
class Source:
    """A data set as it was found, before any image is set aside."""

    train: Split
    valid: Split | None
    test: Split | None
    classes: tuple[str, ...]
    form: str  # how the images were stored: "batches" of CIFAR, or image formats ("JPEG", "JPEG/PNG")
    folders: dict[str, str] = field(default_factory=dict)  # where each split that was found lies, empty for the whole
    warnings: tuple[str, ...] = ()  # sentences for the user


Orders = list[np.ndarray]  # some images of a split: for each class their indices (k,), in an order drawn by the seed


def divide(source: Source, valid: float, test: float, seed: int, limit: int = 0) -> dict[str, Split]:
    """The splits "train", "valid" and "test", class by class, their images in the order of the source.

    Args:
        valid, test: share of the training images that is set aside where the source has no such split; at
            least one image of each class is.
        limit: at most so many training images, the classes in proportion; the other splits are cut by the same
            factor. Each class keeps at least one image in each split. 0 for no limit.
    """
    counts = list(map(len, left := _orders(source.train, len(source.classes), seed)))
    parts: dict[str, tuple[Split, Orders]] = {}
    for name, own, share in (("test", source.test, test), ("valid", source.valid, valid)):
        if own is None:
            aside = [max(1, round(share * count)) for count in counts]
            parts[name] = source.train, _first(left, aside)
            left = [order[n:] for order, n in zip(left, aside, strict=True)]
        else:
            parts[name] = own, _orders(own, len(source.classes), seed)
    for label, order in enumerate(left):
        if not len(order):
            found = f"class {source.classes[label]!r} has {counts[label]} training images"
            raise DataError(f"{found}: what is set aside (valid = {valid}, test = {test}) must leave at least one")
    parts["train"] = source.train, left
    return {name: _taken(*part) for name, part in _limited(parts, limit).items()}


def _orders(split: Split, classes: int, seed: int) -> Orders:
    # RandomState rather than default_rng: its stream is frozen for good (NEP 19), and a split must stay what it was.
    draw = [np.random.RandomState([seed, label]) for label in range(classes)]
    return [draw[label].permutation(np.flatnonzero(split.labels == label)) for label in range(classes)]


def _first(orders: Orders, counts: Sequence[int]) -> Orders:
    return [order[:n] for order, n in zip(orders, counts, strict=True)]


def _taken(split: Split, orders: Orders) -> Split:
    return split.take(np.sort(np.concatenate(orders)))


def _limited(parts: dict[str, tuple[Split, Orders]], limit: int) -> dict[str, tuple[Split, Orders]]:
    train = parts["train"][1]
    if not limit or limit >= (total := sum(map(len, train))):
        return parts
    if limit < len(train):
        raise DataError(f"limit is {limit}: must be 0, or at least {len(train)}, one image for each class")
    found = {}
    for name, (split, orders) in parts.items():
        counts = list(map(len, orders))
        wanted = limit if name == "train" else round(limit / total * sum(counts))
        found[name] = split, _first(orders, apportion(counts, wanted))
    return found


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

"""Batches cut from tensors that stay on the device: all that a fastai Learner needs of its data."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from resnet.augment import augment, normalise
from resnet.data import Images, Split
from resnet.recipe import Recipe


def tensors(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    """(images uint8 (n, c, h, w), labels int64 (n,)) of a split, on the device."""
    # Copied: arrays from an object store are read-only, which torch has no notion of.
    images = torch.tensor(split.images).permute(0, 3, 1, 2).contiguous()
    return images.to(device), torch.tensor(split.labels).to(device)


class Plain:
    """Batches in order, normalised, none left out: for measuring."""

    def __init__(self, split: Split, data: Images, batch: int, device: torch.device) -> None:
        self.images, self.labels = tensors(split, device)
        self.mean, self.std = (
            torch.tensor(v, dtype=torch.float32, device=device).reshape(1, -1, 1, 1) for v in (data.mean, data.std)
        )
        self.batch = min(batch, len(self.labels))

    def __len__(self) -> int:
        return -(-len(self.labels) // self.batch)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, len(self.labels), self.batch):
            stop = start + self.batch
            yield normalise(self.images[start:stop], self.mean, self.std), self.labels[start:stop]


class Shuffled(Plain):
    """Batches whose order and augmentations follow from (seed, epoch) alone. A short last one is left out.

    Attributes:
        epoch: set before each pass.
    """

    def __init__(self, split: Split, data: Images, recipe: Recipe, seed: int, device: torch.device) -> None:
        super().__init__(split, data, recipe.batch, device)
        self.recipe, self.seed, self.device, self.epoch = recipe, seed, device, 0

    def __len__(self) -> int:
        return len(self.labels) // self.batch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        generator = Generator(self.device).manual_seed(epoch_seed(self.seed, self.epoch))
        order = torch.randperm(len(self.labels), generator=generator, device=self.device)
        for chosen in order[: len(self) * self.batch].split(self.batch):
            images = normalise(self.images[chosen], self.mean, self.std)
            yield augment(images, self.recipe, generator), self.labels[chosen]


def epoch_seed(seed: int, epoch: int) -> int:
    """A seed for one epoch: a resumed training draws what an undisturbed one would have drawn."""
    return (seed * 1_000_003 + epoch + 1) % 2**63


class Loaders:
    """The pair of them, with what a Learner asks its `dls` for."""

    n_inp = 1

    def __init__(self, data: Images, recipe: Recipe, seed: int, device: torch.device) -> None:
        self.device = device
        self.train = Shuffled(data.train, data, recipe, seed, device)
        # Measuring keeps no activations for a backward pass: larger batches are cheaper.
        self.valid = Plain(data.valid, data, max(recipe.batch, 256), device)

    def __getitem__(self, index: int) -> Plain:
        return (self.train, self.valid)[index]

    def __len__(self) -> int:
        return 2

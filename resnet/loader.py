"""Batches cut from tensors that stay on the device, augmented there: all that a fastai Learner needs of its data."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from resnet.data import Images, Split
from resnet.recipe import Recipe


class Plain:
    """Batches in order, normalised, none left out: for measuring."""

    def __init__(self, split: Split, data: Images, batch: int, device: torch.device) -> None:
        with warnings.catch_warnings():  # arrays in an object store are read-only, and shared: nothing here writes
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            images = torch.from_numpy(split.images)
        self.images = images.permute(0, 3, 1, 2).to(device)  # channels last, as a step reads them
        self.labels = torch.tensor(split.labels).to(device)
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
    """Training and validation batches, with what a Learner asks of its `dls`."""

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


# Augmentations: pure functions of a batch (n, c, h, w) and a generator.


def normalise(batch: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """uint8 (n, c, h, w) to float with the data set's mean and deviation taken out; mean, std (1, c, 1, 1) in 0 … 1."""
    return (batch.float() / 255 - mean) / std


def augment(batch: Tensor, recipe: Recipe, generator: Generator) -> Tensor:
    """What the recipe asks for, on normalised images, so that padding and cut-outs are the mean grey."""
    if recipe.crop:
        batch = crop(batch, recipe.crop, generator)
    if recipe.flip:
        batch = flip(batch, generator)
    if recipe.cutout:
        batch = cutout(batch, recipe.cutout, generator)
    return batch


def _below(high: int, n: int, batch: Tensor, generator: Generator) -> Tensor:
    return torch.randint(high, (n,), device=batch.device, generator=generator)


def crop(batch: Tensor, pad: int, generator: Generator) -> Tensor:
    """Each image padded by `pad` on all sides and cut back to its size at a random place."""
    n, c, h, w = batch.shape
    padded = F.pad(batch, (pad, pad, pad, pad))
    top, left = _below(2 * pad + 1, n, batch, generator), _below(2 * pad + 1, n, batch, generator)
    rows = (top[:, None] + torch.arange(h, device=batch.device))[:, None, :, None]
    columns = (left[:, None] + torch.arange(w, device=batch.device))[:, None, None, :]
    image = torch.arange(n, device=batch.device)[:, None, None, None]
    channel = torch.arange(c, device=batch.device)[None, :, None, None]
    return padded[image, channel, rows, columns]


def flip(batch: Tensor, generator: Generator) -> Tensor:
    """Half of the images mirrored left to right."""
    mirrored = _below(2, len(batch), batch, generator).bool()
    return torch.where(mirrored[:, None, None, None], batch.flip(-1), batch)


def cutout(batch: Tensor, side: int, generator: Generator) -> Tensor:
    """A square of zeros in each image, its centre anywhere (DeVries and Taylor, 2017)."""
    n, _, h, w = batch.shape
    rows = _near(_below(h, n, batch, generator), h, side)
    columns = _near(_below(w, n, batch, generator), w, side)
    return batch.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def _near(centre: Tensor, length: int, side: int) -> Tensor:
    """Which of `length` places lie in a stretch of `side` around each centre (n,): (n, length) bool."""
    offset = torch.arange(length, device=centre.device)[None] - centre[:, None] + side // 2
    return (offset >= 0) & (offset < side)

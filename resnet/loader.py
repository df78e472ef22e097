"""Batches cut from tensors that stay on the device, augmented there: all that a fastai Learner needs of its data."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from resnet.augment import Policies, augment, normalise
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

    Labels are classes (n,), or of mixed images their shares (n, classes).

    Attributes:
        epoch: set before each pass.
    """

    def __init__(self, split: Split, data: Images, recipe: Recipe, seed: int, device: torch.device) -> None:
        super().__init__(split, data, recipe.batch, device)
        self.recipe, self.seed, self.device, self.epoch = recipe, seed, device, 0
        self.classes = len(data.classes)

    def __len__(self) -> int:
        return len(self.labels) // self.batch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        seed = epoch_seed(self.seed, self.epoch)
        generator = Generator(self.device).manual_seed(seed)
        policies = Policies(self.recipe, self.classes, (255 * self.mean).flatten().tolist(), seed)
        for chosen in self._order(generator)[: len(self) * self.batch].split(self.batch):
            images = normalise(policies.changed(self.images[chosen]), self.mean, self.std)
            yield policies.mixed(augment(images, self.recipe, generator), self.labels[chosen])

    def _order(self, generator: Generator) -> Tensor:
        """Every image once; with the sampler "weighted" drawn with replacement, each class as likely."""
        count = len(self.labels)
        if self.recipe.sampler == "shuffled":
            return torch.randperm(count, generator=generator, device=self.device)
        weights = class_weights(self.labels, self.classes)[self.labels]
        return torch.multinomial(weights, count, replacement=True, generator=generator)


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """For each class (classes,) how many times rarer than average it is among labels (n,); 0 for one without any."""
    counts = torch.bincount(labels, minlength=classes).float()
    return torch.where(counts > 0, len(labels) / (classes * counts.clamp(min=1)), 0.0)


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

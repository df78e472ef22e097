"""Augmentations of a batch on its device: our own, by a generator, and torchvision's, which draw from torch's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from resnet.recipe import Recipe

ALIKE = 8
"""Images that a policy changes in the same way: drawn for each by itself, a batch of 64 at 32 pixels takes 82 ms
of a core, for eight together 14, for all of it 8."""


class Policies:
    """torchvision's transforms as a recipe asks for them, whose draws follow from a seed alone.

    They draw from torch's generator of the CPU, which is put back as it was: no other draw changes.
    """

    def __init__(self, recipe: Recipe, classes: int, fill: Sequence[float], seed: int) -> None:
        """`fill` is the colour of what is shifted in, for each channel in 0 … 255."""
        self._policies, self._mix = list[Any](), list[Any]()
        if not (recipe.rand_augment or recipe.trivial_augment or recipe.mixup or recipe.cutmix):
            return
        from torchvision.transforms import v2  # 1.7 s of a worker, once: it imports torch's compiler

        if recipe.rand_augment:
            self._policies.append(v2.RandAugment(magnitude=recipe.rand_augment, fill=fill))
        if recipe.trivial_augment:
            self._policies.append(v2.RandomApply([v2.TrivialAugmentWide(fill=fill)], recipe.trivial_augment))
        mixes = [(v2.MixUp, recipe.mixup), (v2.CutMix, recipe.cutmix)]
        if made := [mix(alpha=alpha, num_classes=classes) for mix, alpha in mixes if alpha]:
            self._mix.append(v2.RandomChoice(made))
        self._state = Generator().manual_seed(seed).get_state()

    @contextmanager
    def _lent(self) -> Iterator[None]:
        before = torch.get_rng_state()
        torch.set_rng_state(self._state)
        try:
            yield
        finally:
            self._state = torch.get_rng_state()
            torch.set_rng_state(before)

    def changed(self, images: Tensor) -> Tensor:
        """uint8 (n, c, h, w) after the policies, which are drawn anew for every few images."""
        if not self._policies:
            return images
        with self._lent():
            for policy in self._policies:
                images = torch.cat([policy(some) for some in images.split(ALIKE)])
        return images

    def mixed(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images mixed with one another and the shares of their classes (n, classes), drawn once for a batch."""
        for mix in self._mix:
            with self._lent():
                images, labels = mix(images, labels)
        return images, labels


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

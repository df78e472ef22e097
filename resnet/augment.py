"""Augmentations: pure functions of a batch (n, c, h, w) and a generator, on the batch's device."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from resnet.recipe import Recipe


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

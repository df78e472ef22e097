"""Measures of predictions, gathered on the device and copied to the host once."""

from __future__ import annotations

import torch
from torch import Tensor

KS = (1, 3, 5)


def hits(logits: Tensor, labels: Tensor) -> Tensor:
    """How many labels (n,) are among the k highest logits (n, classes), for each k of `KS`: (3,) int64.

    With fewer than k classes every label is. A row that is not finite hits nothing.
    """
    k = min(max(KS), logits.shape[1])
    found = (logits.topk(k).indices == labels[:, None]) & logits.isfinite().all(1, keepdim=True)
    return torch.stack([found[:, :n].any(1).sum() for n in KS])


class Meter:
    """The mean loss and the top-1, top-3 and top-5 accuracy (0 … 1) over batches."""

    def __init__(self) -> None:
        self._count, self._loss, self._hits = 0, torch.tensor(0.0), torch.zeros(len(KS), dtype=torch.int64)

    def add(self, logits: Tensor, labels: Tensor, loss: Tensor) -> None:
        """One batch: logits (n, classes), labels (n,), its mean loss ()."""
        n = len(labels)
        self._count += n
        self._loss = self._loss.to(loss.device) + loss.detach().float() * n
        self._hits = self._hits.to(logits.device) + hits(logits.detach(), labels)

    def result(self) -> dict[str, float]:
        """By name: loss, top1, top3, top5."""
        accuracies = (self._hits.double() / self._count).tolist()
        return {"loss": self._loss.item() / self._count} | {f"top{k}": a for k, a in zip(KS, accuracies, strict=True)}

"""Less memory for more time: what lies inside of a residual unit is computed again in the backward pass.

Chen et al., *Training Deep Nets with Sublinear Memory Cost*, 2016, with the units as segments.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from resnet.layers import Unit


def recomputed(net: nn.Module) -> nn.Module:
    """The same network, each `Unit` of which keeps only its input for the backward pass.

    Gradients and batch norms' statistics come out as they would without, and dropout draws the same. A network
    without such units (VGG, GoogLeNet, Inception) is not changed.
    """
    for unit in net.modules():
        if isinstance(unit, Unit):
            unit.forward = partial(_forward, unit)  # type: ignore[method-assign]
    return net


def _forward(unit: Unit, x: Tensor) -> Tensor:
    if not (unit.training and torch.is_grad_enabled()):
        return Unit.forward(unit, x)  # measuring: there is no backward pass
    y: Tensor = checkpoint(partial(Unit.forward, unit), x, use_reentrant=False, context_fn=partial(_contexts, unit))
    return y


def _contexts(unit: Unit) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """For the forward pass and for the recomputation."""
    return nullcontext(), _uncounted(unit)


@contextmanager
def _uncounted(unit: Unit) -> Iterator[None]:
    """Take back what batch norms count: the forward pass has counted this batch already.

    Batch norms with track_running_stats off would keep two tensors less than in the forward pass, which torch refuses.
    """
    before = [buffer.clone() for buffer in unit.buffers()]
    try:
        yield
    finally:
        for buffer, value in zip(unit.buffers(), before, strict=True):
            buffer.copy_(value)

"""The parts of a residual network, one unit: after(join(shortcut(x), branch(x))), equations 1 and 2 of [2]."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from resnet.spec import ORDERS, UNITS, NetSpec


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A convolution that keeps the size at stride 1."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=bias)


def norm_act(kinds: Sequence[str], channels: int) -> list[nn.Module]:
    """Batch norms and ReLUs by their names: "bn", "relu"."""
    # Not in place: a ReLU may come first in a branch, where its input is the shortcut's too. It costs no memory,
    # for a batch norm keeps its input for the backward pass and a ReLU its output: what lies between is freed.
    return [nn.BatchNorm2d(channels) if kind == "bn" else nn.ReLU() for kind in kinds]


def sequential(layers: Iterable[nn.Module]) -> nn.Sequential:
    """Layers in order, each named after its kind and number, as torchvision has them: conv1, bn1, relu1, conv2, …"""
    kinds = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.ReLU: "relu", nn.MaxPool2d: "maxpool"}
    counts: Counter[str] = Counter()
    found: OrderedDict[str, nn.Module] = OrderedDict()
    for layer in layers:
        kind = kinds[type(layer)]
        counts[kind] += 1
        found[f"{kind}{counts[kind]}"] = layer
    return nn.Sequential(found)


def stem(kind: str, channels: int, filters: int) -> nn.Sequential:
    """The layers before the first stage: (n, channels, h, w) to (n, filters, h/4, w/4), or (…, h, w) for "cifar"."""
    if kind == "cifar":
        return sequential([conv(channels, filters, 3), *norm_act(("bn", "relu"), filters)])
    return sequential([conv(channels, filters, 7, 2), *norm_act(("bn", "relu"), filters), nn.MaxPool2d(3, 2, 1)])


class Nothing(nn.Module):
    """The shortcut of a plain net: h(x) = 0 in equation 1 of [2]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(())


class Pad(nn.Module):
    """Shortcut A: every stride-th pixel, new channels filled with zeros."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.extra, self.stride = outputs - inputs, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))


def projects(option: str, same: bool) -> bool:
    """Whether a shortcut is a 1×1 convolution; `same`: input and output are of one size."""
    return option == "C" or (option == "B" and not same)


def shortcut(option: str, inputs: int, outputs: int, stride: int, normalised: bool) -> nn.Module:
    """h(x): options A, B, C of section 4.1 of [1]. A projection has a batch norm unless its input is normalised."""
    same = stride == 1 and inputs == outputs
    if option == "none":
        return Nothing()
    if projects(option, same):
        return sequential([conv(inputs, outputs, 1, stride), *norm_act(() if normalised else ("bn",), outputs)])
    return nn.Identity() if same else Pad(inputs, outputs, stride)


class Add(nn.Module):
    """Figure 2(a) of [2]."""

    def forward(self, h: Tensor, f: Tensor) -> Tensor:
        return h + f


class Scale(nn.Module):
    """Constant scaling, figure 2(b) of [2]."""

    def __init__(self, on_shortcut: float, on_branch: float) -> None:
        super().__init__()
        self.on_shortcut, self.on_branch = on_shortcut, on_branch

    def forward(self, h: Tensor, f: Tensor) -> Tensor:
        return self.on_shortcut * h + self.on_branch * f


class ShortcutGate(nn.Module):
    """Shortcut-only gating, figure 2(d) of [2]: g(x) = σ(Wx + b) by a 1×1 convolution."""

    def __init__(self, channels: int, bias: float) -> None:
        super().__init__()
        self.gate = conv(channels, channels, 1, bias=True)
        nn.init.constant_(self.gate.bias, bias)  # type: ignore[arg-type]

    def forward(self, h: Tensor, f: Tensor) -> Tensor:
        return (1 - self.gate(h).sigmoid()) * h + f


class ExclusiveGate(ShortcutGate):
    """Exclusive gating, figure 2(c) of [2]: what the branch gets the shortcut loses."""

    def forward(self, h: Tensor, f: Tensor) -> Tensor:
        g = self.gate(h).sigmoid()
        return (1 - g) * h + g * f


class OnShortcut(nn.Module):
    """A layer on the shortcut: the 1×1 convolution of figure 2(e), the dropout of figure 2(f) of [2]."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, h: Tensor, f: Tensor) -> Tensor:
        return self.layer(h) + f


JOINS: dict[str, Callable[[NetSpec, int], nn.Module]] = {
    "add":            lambda spec, channels: Add(),
    "scale":          lambda spec, channels: Scale(*spec.scale),
    "exclusive_gate": lambda spec, channels: ExclusiveGate(channels, spec.gate_bias),
    "shortcut_gate":  lambda spec, channels: ShortcutGate(channels, spec.gate_bias),
    "conv":           lambda spec, channels: OnShortcut(conv(channels, channels, 1)),
    "dropout":        lambda spec, channels: OnShortcut(nn.Dropout(0.5)),
}  # fmt: skip


class Unit(nn.Module):
    """Every unit of both papers: (n, inputs, h, w) to (n, outputs, h/stride, w/stride).

    Args:
        filters: of its 3×3 convolutions.
        leading: the first unit of the network. Its input comes activated from the stem (appendix of [2]).
    """

    def __init__(self, spec: NetSpec, inputs: int, filters: int, stride: int, leading: bool) -> None:
        super().__init__()
        family = spec.family
        order, convolutions = ORDERS[family.order], UNITS[family.unit]
        kernels, widths = zip(*((kernel, filters * times) for kernel, times in convolutions), strict=True)
        strided = 0 if spec.stride == "1x1" else kernels.index(3)
        first = () if leading else order.first
        same = stride == 1 and inputs == widths[-1]
        # A projection reads what the branch reads, activated; an identity passes its input on untouched.
        shared, own = (first, ()) if projects(family.shortcut, same) else ((), first)

        layers = norm_act(own, inputs)
        for index, (kernel, width) in enumerate(zip(kernels, widths, strict=True)):
            layers.append(conv(([inputs, *widths])[index], width, kernel, stride if index == strided else 1))
            layers += norm_act(order.last if index == len(kernels) - 1 else ("bn", "relu"), width)

        self.shared = sequential(norm_act(shared, inputs))
        self.branch = sequential(layers)
        self.shortcut = shortcut(family.shortcut, inputs, widths[-1], stride, normalised="bn" in order.first)
        self.join = JOINS[spec.join](spec, widths[-1])
        self.after = sequential(norm_act(order.after, widths[-1]))

    def forward(self, x: Tensor) -> Tensor:
        x = self.shared(x)
        y: Tensor = self.after(self.join(self.shortcut(x), self.branch(x)))
        return y


def recomputed(net: nn.Module) -> nn.Module:
    """The same network, each `Unit` of which keeps only its input for the backward pass, and computes the rest again
    there: Chen et al., *Training Deep Nets with Sublinear Memory Cost*, 2016.

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

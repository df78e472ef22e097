"""A network from its spec, made of one unit: after(join(shortcut(x), branch(x))), equations 1 and 2 of [2]."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from resnet import zoo
from resnet.spec import BORROWED, ORDERS, UNITS, NetSpec


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


class Join(nn.Module):
    """How shortcut h and branch f come together: figure 2 of [2], (a) to (f)."""

    def __init__(self, spec: NetSpec, channels: int) -> None:
        super().__init__()
        self.kind, self.scale = spec.join, spec.scale
        if self.kind in ("exclusive_gate", "shortcut_gate"):
            self.gate = conv(channels, channels, 1, bias=True)
            nn.init.constant_(self.gate.bias, spec.gate_bias)  # type: ignore[arg-type]
        elif self.kind in ("conv", "dropout"):
            self.layer = conv(channels, channels, 1) if self.kind == "conv" else nn.Dropout(0.5)

    def forward(self, h: Tensor, f: Tensor) -> Tensor:
        match self.kind:
            case "scale":
                return self.scale[0] * h + self.scale[1] * f
            case "exclusive_gate":
                g = self.gate(h).sigmoid()
                return (1 - g) * h + g * f
            case "shortcut_gate":
                return (1 - self.gate(h).sigmoid()) * h + f
            case "conv" | "dropout":
                h = self.layer(h)
        return h + f


class Unit(nn.Module):
    """Every unit of both papers: (n, inputs, h, w) to (n, outputs, h/stride, w/stride).

    The input of the `leading` one, the network's first, comes activated from the stem (appendix of [2]).
    """

    def __init__(self, spec: NetSpec, inputs: int, filters: int, stride: int, leading: bool) -> None:
        super().__init__()
        self.recompute, family = False, spec.family
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
        self.join = Join(spec, widths[-1])
        self.after = sequential(norm_act(order.after, widths[-1]))

    def forward(self, x: Tensor) -> Tensor:
        if not (self.recompute and self.training and torch.is_grad_enabled()):
            return self._computed(x)
        twice = lambda: (nullcontext(), self._uncounted())  # noqa: E731 - the contexts of both computations
        y: Tensor = checkpoint(self._computed, x, use_reentrant=False, context_fn=twice)
        return y

    def _computed(self, x: Tensor) -> Tensor:
        x = self.shared(x)
        y: Tensor = self.after(self.join(self.shortcut(x), self.branch(x)))
        return y

    @contextmanager
    def _uncounted(self) -> Iterator[None]:
        """Take back what batch norms count: the forward pass has counted this batch already."""
        before = [buffer.clone() for buffer in self.buffers()]
        try:
            yield
        finally:  # torch leaves by an exception when it has what it needs
            for buffer, value in zip(self.buffers(), before, strict=True):
                buffer.copy_(value)


def recomputed(net: nn.Module) -> nn.Module:
    """The same network, each `Unit` of which keeps only its input for the backward pass, and computes the rest again.

    Chen et al., *Training Deep Nets with Sublinear Memory Cost*, 2016. Gradients, statistics of batch norms and dropout
    are the same. A network without such units (VGG, GoogLeNet, Inception) is not changed.
    """
    for unit in net.modules():
        if isinstance(unit, Unit):
            unit.recompute = True
    return net


def build(spec: NetSpec, channels: int = 3, classes: int = 10) -> nn.Sequential:
    """An untrained network: images (n, channels, h, w) float to logits (n, classes).

    Weights are drawn from torch's global generator. Pretrained ones are put in by `weights.start`. A LibraryError where
    a library has no such network.
    """
    if spec.library:
        own = zoo.wanted(spec)
        fit = Fit(own.size if own.fixed else 0, own.fixed)
        return nn.Sequential(OrderedDict(fit=fit, net=zoo.made(spec, classes)))
    if spec.name in BORROWED:
        net = _borrowed(spec.name, classes, bool(spec.pretrained))
    else:
        net = _residual(spec, channels, classes)
    if not next(net.parameters()).is_meta:  # where there are no numbers to draw
        _initialise(net, spec)
    return net


def outline(spec: NetSpec, channels: int, classes: int) -> nn.Sequential:
    """The network on torch's meta device: without numbers, at once."""
    try:
        with torch.device("meta"):
            return build(spec, channels, classes)
    except NotImplementedError:  # torchvision's RegNets read numbers that they have computed
        return build(spec, channels, classes).to("meta")


def check_library(spec: NetSpec, size: int, channels: int, classes: int) -> nn.Sequential:
    """The outline of a library's network, or a LibraryError where it cannot be built, or trained on such images."""
    net = outline(spec, channels, classes)
    try:
        logits = net(torch.empty(2, channels, size, size, device="meta"))
    except (RuntimeError, AssertionError) as error:
        said = f"{spec.name} takes no images of {size} pixels ({' '.join(str(error).split()):.200})"
        raise zoo.LibraryError(f"{said}: set data.size, 0 for its own") from None
    if not isinstance(logits, Tensor) or logits.shape != (2, classes):
        raise zoo.LibraryError(f"{spec.name} gives no logits that could be trained: take another network")
    return net


def _residual(spec: NetSpec, channels: int, classes: int) -> nn.Sequential:
    family = spec.family
    inputs, widening = family.filters[0], UNITS[family.unit][-1][1]
    parts: OrderedDict[str, nn.Module] = OrderedDict(stem=stem(family.stem, channels, inputs))
    for number, (units, filters) in enumerate(zip(family.units, family.filters, strict=True), 1):
        parts[f"stage{number}"] = made = nn.Sequential()
        for index in range(units):
            stride = 2 if number > 1 and index == 0 else 1
            made.append(Unit(spec, inputs, filters, stride, leading=number == 1 and index == 0))
            inputs = filters * widening
    # Units that begin with an activation leave the last one's output without: one more (appendix of [2]).
    parts["tail"] = sequential(norm_act(ORDERS[family.order].first, inputs))
    parts |= OrderedDict(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(inputs, classes))
    return nn.Sequential(parts)


class Fit(nn.Module):
    """Images as a borrowed network wants them: three channels, and sides of so many pixels, at least or exactly."""

    def __init__(self, size: int, exact: bool = False) -> None:
        super().__init__()
        self.size, self.exact = size, exact

    def forward(self, images: Tensor) -> Tensor:
        images, size = images.expand(-1, 3, -1, -1), images.shape[-1]
        if size == self.size or (size > self.size and not self.exact):
            return images
        # Antialiasing changes nothing where images are enlarged, and costs time there.
        smooth = size > self.size
        return F.interpolate(images, (self.size, self.size), mode="bilinear", antialias=smooth)


def heads(net: nn.Module, spec: NetSpec) -> tuple[str, ...]:
    """What the names of the tensors of its last layer, or two last layers, begin with."""
    if spec.library:
        return tuple(f"net.{name}." for name in zoo.heads(spec, net.get_submodule("net")))
    return (f"net.{BORROWED[spec.name].head}.",) if spec.name in BORROWED else ("fc.",)


def _borrowed(name: str, classes: int, pretrained: bool) -> nn.Sequential:
    """A network that torchvision builds. GoogLeNet and Inception come without their auxiliary classifiers, and take
    images as torchvision's weights want them, in −1 … 1, where those come in.
    """
    from torchvision import models

    row = BORROWED[name]
    options: dict[str, Any] = {} if name.startswith("vgg") else {"aux_logits": False, "transform_input": pretrained}
    net = models.get_model(name, weights=None, init_weights=False, **options)
    parent, _, last = row.head.rpartition(".")
    head = net.get_submodule(row.head)
    setattr(net.get_submodule(parent), last, nn.Linear(head.in_features, classes))
    return nn.Sequential(OrderedDict(fit=Fit(row.smallest), net=net))


def _initialise(net: nn.Module, spec: NetSpec) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            if spec.init == "he":  # He et al., *Delving Deep into Rectifiers*, 2015, equation 14
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            else:  # Glorot and Bengio, *Understanding the Difficulty of Training Deep Networks*, 2010, equation 12
                nn.init.xavier_normal_(module.weight)
        elif isinstance(module, Unit) and spec.zero_gamma and _begins_as_shortcut(spec):
            nn.init.zeros_(module.branch[-1].weight)  # type: ignore[arg-type]


def _begins_as_shortcut(spec: NetSpec) -> bool:
    """Whether a unit is its shortcut, and can still learn, when the last layer of its branch gives zeros."""
    return spec.join == "add" and spec.family.shortcut != "none" and ORDERS[spec.family.order].last == ("bn",)


@contextmanager
def usual() -> Iterator[None]:
    """Within it, torch's own defaults: float32, on the CPU, with gradients. The user's process may have set others."""
    dtype, cpu = torch.get_default_dtype(), torch.device("cpu")
    torch.set_default_dtype(torch.float32)
    try:
        # A device that is set costs time at each call of torch.
        with torch.enable_grad(), nullcontext() if torch.get_default_device() == cpu else cpu:
            yield
    finally:
        torch.set_default_dtype(dtype)

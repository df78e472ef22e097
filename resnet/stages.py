"""The stages of a network as in table 1 of [1] (see `spec`), with what each of them costs.

A network is run on torch's meta device, where tensors have a shape and no numbers, so that nothing is computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby
from typing import Annotated, Any

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from resnet.layers import Unit
from resnet.net import build
from resnet.spec import BORROWED, Family, NetSpec


@dataclass(frozen=True)
class Case:
    """What a network is used on.

    Attributes:
        size: the side of its square images in pixels.
        classes: how many it tells apart.
        channels: of an image.
        batch: images in one step of training.
    """

    size: Annotated[int, Ge(1), Le(65_536)]
    classes: Annotated[int, Ge(1), Le(10_000_000)]
    channels: Annotated[int, Ge(1), Le(1024)] = 3
    batch: Annotated[int, Ge(1), Le(10_000_000)] = 256


@dataclass(frozen=True)
class Stage:
    """A row of table 1 of [1].

    Attributes:
        name: "conv1", "conv2_x", …; a borrowed network's own name of the block.
        size: the side of its output in pixels.
        made: what it is made of, in order: "7×7, 64, stride 2", "[3×3, 64; 3×3, 64] × 2", "average pool".
        parameters: all that are trained, those of batch norms and shortcuts too.
        multiply_adds: of convolutions and linear layers, for one image.
        activations: bytes that one image leaves for the backward pass.
    """

    name: str
    size: int
    made: tuple[str, ...]
    parameters: int
    multiply_adds: int
    activations: int


def stages(spec: NetSpec, case: Case) -> tuple[Stage, ...]:
    """The rows of a network's table, in order. Their sums are the whole network's."""
    with torch.device("meta"):
        net = build(_short(spec), case.channels, case.classes)
        images = torch.empty(2, case.channels, case.size, case.size)  # of one, batch norm refuses maps of 1×1
    rows = _borrowed_rows(net) if spec.name in BORROWED else dict(_residual_rows(spec, net))
    meter = _Meter(net, [part for parts in rows.values() for part, _ in parts])
    with FlopCounterMode(display=False) as flops, saved_tensors_hooks(meter.keep, lambda tensor: tensor):
        logits = net(images)
    counts = flops.get_flop_counts()

    def stage(name: str, parts: _Parts) -> Stage:
        modules = [(net.get_submodule(path), times) for path, times in parts]
        return Stage(
            name,
            meter.sides[parts[-1][0]],
            tuple(_made(modules)),
            sum(times * p.numel() for module, times in modules for p in module.parameters()),
            # Two operations a multiply-add, of two images.
            sum(times * sum(counts.get(f"Sequential.{path}", {}).values()) for path, times in parts) // 4,
            sum(times * meter.kept[path] for path, times in parts) // 2,
        )

    found = tuple(stage(name, parts) for name, parts in rows.items())
    del logits  # until here it holds what was kept, so that no two tensors can have had one address
    return found


class _Short(NetSpec):
    """A network with two units a stage at most: each one after the second costs what the second does."""

    @property
    def family(self) -> Family:
        whole = super().family
        return replace(whole, units=tuple(min(units, 2) for units in whole.units))


def _short(spec: NetSpec) -> NetSpec:
    return _Short(**asdict(spec))


class _Meter:
    """Notes, while a net runs, how large each part's output is and what it keeps for the backward pass.

    Attributes:
        sides: of each part's output, in pixels.
        kept: bytes by part. What two parts keep is counted for the first; parameters and buffers are not.
    """

    def __init__(self, net: nn.Module, paths: list[str]) -> None:
        self.sides: dict[str, int] = {}
        self.kept = dict.fromkeys(paths, 0)
        self._here = paths[0]
        self._seen = {_storage(tensor) for tensor in (*net.parameters(), *net.buffers())}
        for path in paths:
            net.get_submodule(path).register_forward_pre_hook(partial(self._enter, path))
            net.get_submodule(path).register_forward_hook(partial(self._leave, path))

    def _enter(self, path: str, *_: Any) -> None:
        self._here = path

    def _leave(self, path: str, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self.sides[path] = output.shape[-1] if output.ndim == 4 else 1

    def keep(self, tensor: Tensor) -> Tensor:
        if (storage := _storage(tensor)) not in self._seen:
            self._seen.add(storage)
            self.kept[self._here] += tensor.untyped_storage().nbytes()
        return tensor


def _storage(tensor: Tensor) -> int:
    # data_ptr() is 0 for everything on the meta device.
    return tensor.untyped_storage()._cdata


_Parts = list[tuple[str, int]]
"""Modules by their paths, each with how many like it the whole network has."""


def _residual_rows(spec: NetSpec, net: nn.Module) -> Iterator[tuple[str, _Parts]]:
    first: list[str] = [f"stem.{name}" for name, _ in net.get_submodule("stem").named_children()]
    pool = [path for path in first if "maxpool" in path]  # in table 1 of [1] it opens the second stage
    yield "conv1", [(path, 1) for path in first if path not in pool]
    for number, units in enumerate(spec.family.units, 1):
        parts = [(path, 1) for path in pool] if number == 1 else []
        parts.append((f"stage{number}.0", 1))
        if units > 1:
            parts.append((f"stage{number}.1", units - 1))
        yield f"conv{number + 1}_x", parts
    yield "fc", [(path, 1) for path in ("tail", "avgpool", "fc")]


def _borrowed_rows(net: nn.Module) -> dict[str, _Parts]:
    inner = net.get_submodule("net")
    paths = [f"net.{name}" for name, _ in inner.named_children()]
    if "net.features" in paths:
        return _vgg_rows(inner)
    last = paths.index("net.avgpool")
    rows: dict[str, _Parts] = {path.removeprefix("net."): [(path, 1)] for path in paths[:last]}
    return rows | {"fc": [(path, 1) for path in paths[last:]]}


def _vgg_rows(vgg: nn.Module) -> dict[str, _Parts]:
    """Cut before each max-pool, as [1] cuts its own."""
    rows: dict[str, _Parts] = {"conv1_x": []}
    for name, module in vgg.named_modules():
        if isinstance(module, nn.MaxPool2d):
            rows[f"conv{len(rows) + 1}_x" if len(rows) < 5 else "fc"] = []
        if name not in ("", "features", "classifier"):
            rows[list(rows)[-1]].append((f"net.{name}", 1))
    return rows


def _made(modules: list[tuple[nn.Module, int]]) -> Iterator[str]:
    """What a row says of its modules, equal ones that follow each other as one: "[3×3, 64] × 2"."""
    told = [(_told(module), times, isinstance(module, Unit)) for module, times in modules]
    for (what, unit), same in groupby((each for each in told if each[0]), key=lambda each: (each[0], each[2])):
        times = sum(times for _, times, _ in same)
        yield what if times == 1 and not unit else f"[{what}] × {times}"


def _told(module: nn.Module) -> str:
    """One module in words; "" for what the papers' tables leave out."""
    match module:
        case nn.Conv2d():
            strided = f", stride {module.stride[0]}" if module.stride[0] > 1 else ""
            return f"{_by(module.kernel_size)}, {module.out_channels}{strided}"
        case nn.MaxPool2d():
            return f"{_by(module.kernel_size)} max pool, stride {module.stride}"
        case nn.AdaptiveAvgPool2d():
            return "average pool" if module.output_size in (1, (1, 1)) else f"average pool to {_by(module.output_size)}"
        case nn.Linear():
            return f"{module.out_features}-d fc"
        case Unit():
            convolutions = (each for each in module.branch if isinstance(each, nn.Conv2d))
            return "; ".join(f"{_by(each.kernel_size)}, {each.out_channels}" for each in convolutions)
        case nn.Sequential():  # what ends a pre-activated net
            return ", ".join("batch norm" if isinstance(each, nn.BatchNorm2d) else "ReLU" for each in module)
    inside = [each for each in module.modules() if isinstance(each, nn.Conv2d)]
    return _told(inside[0]) if len(inside) == 1 else f"{len(inside)} convolutions" if inside else ""


def _by(size: Any) -> str:
    height, width = size if isinstance(size, tuple) else (size, size)
    return f"{height}×{width}"

"""What a network costs, stage by stage as in table 1 of [1] (see `spec`), beside what its paper prints.

A network is run on torch's meta device, where tensors have a shape and no numbers, so that nothing is computed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, pairwise, repeat
from math import isqrt
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from resnet.net import Unit, build, check_library
from resnet.spec import BORROWED, FAMILIES, NetSpec
from resnet.zoo import wanted

WEIGHTED = (nn.Conv2d, nn.Linear)
FLOAT = 4  # bytes of a number: everything is float32
COPIES = {"adam": 2, "sgd": 1}  # numbers that an optimizer keeps for each parameter: Adam two moments, SGD its momentum


@dataclass(frozen=True)
class Published:
    """What a paper prints: parameters in millions, multiply-adds of one image in 10⁹."""

    source: str
    parameters: float | None = None
    multiply_adds: float | None = None


_TABLE_1, _TABLE_6 = "He et al. 2015, table 1", "He et al. 2015, table 6"
_TABLE_4 = "He et al. 2016, table 4"
_VGG = "Simonyan and Zisserman 2014, table 2; He et al. 2015, section 4.1"

PUBLISHED: dict[str, Published] = {
    "resnet18":   Published(_TABLE_1, multiply_adds=1.8),
    "resnet34":   Published(_TABLE_1, multiply_adds=3.6),
    "resnet50":   Published(_TABLE_1, multiply_adds=3.8),
    "resnet101":  Published(_TABLE_1, multiply_adds=7.6),
    "resnet152":  Published(_TABLE_1, multiply_adds=11.3),
    "plain18":    Published(_TABLE_1, multiply_adds=1.8),
    "plain34":    Published(_TABLE_1, multiply_adds=3.6),
    "resnet20":   Published(_TABLE_6, parameters=0.27),
    "resnet32":   Published(_TABLE_6, parameters=0.46),
    "resnet44":   Published(_TABLE_6, parameters=0.66),
    "resnet56":   Published(_TABLE_6, parameters=0.85),
    "resnet110":  Published(_TABLE_6, parameters=1.7),
    "resnet1202": Published(_TABLE_6, parameters=19.4),
    "resnet164":  Published(_TABLE_4, parameters=1.7),
    "preact164":  Published(_TABLE_4, parameters=1.7),
    "resnet1001": Published(_TABLE_4, parameters=10.2),  # 10.33 here, of which batch norms are 0.15
    "preact1001": Published(_TABLE_4, parameters=10.2),
    "vgg16":      Published(_VGG, parameters=138, multiply_adds=15.3),
    "vgg19":      Published(_VGG, parameters=144, multiply_adds=19.6),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What a network is used on: square images by their side in pixels; `batch` of them in one step of training."""

    size: Annotated[int, Ge(1), Le(65_536)]
    classes: Annotated[int, Ge(1), Le(10_000_000)]
    channels: Annotated[int, Ge(1), Le(1024)] = 3
    batch: Annotated[int, Ge(1), Le(10_000_000)] = 256


@dataclass(frozen=True)
class Stage:
    """A row of table 1 of [1]."""

    name: str  # "conv1", "conv2_x", …; a borrowed network's own name of the block
    size: int  # the side of its output in pixels
    made: tuple[str, ...]  # in order: "7×7, 64, stride 2", "[3×3, 64; 3×3, 64] × 2", "average pool"
    parameters: int  # all that are trained, those of batch norms and shortcuts too
    multiply_adds: int  # of convolutions and linear layers, for one image
    activations: int  # bytes that one image leaves for the backward pass


def usual(spec: NetSpec) -> Case:
    """As the papers have it: ImageNet at 224 pixels (Inception at 299) and batch 256, or CIFAR-10 at batch 128."""
    if spec.library:
        return Case(wanted(spec).size, 1000)
    if spec.name not in BORROWED and spec.family.stem == "cifar":
        return Case(32, 10, batch=128)
    return Case(299 if spec.name == "inception_v3" else 224, 1000)


@dataclass(frozen=True)
class Analysis:
    """What a network costs."""

    spec: NetSpec
    case: Case
    stages: list[Stage]
    published: Published | None  # what its paper prints, of that network and case alone
    layers: int  # weighted ones on the longest path; of a library's network all that it has

    @property
    def parameters(self) -> int:
        return sum(stage.parameters for stage in self.stages)

    @property
    def multiply_adds(self) -> int:
        return sum(stage.multiply_adds for stage in self.stages)

    def memory(self, optimizer: Literal["adam", "sgd"] = "adam") -> dict[str, int]:
        """The bytes of one step of training in float32, by what they are for, and their "total".

        Left out: batch norms' buffers, what kernels need while they run, gradients of activations. Within 4 % of the
        measured peak on a CPU where the allocator gives back what is freed; glibc's usual settings take 7 to 40 % more.
        """
        weights, case = FLOAT * self.parameters, self.case
        parts = {
            "parameters": weights,
            "gradients": weights,
            "optimizer": COPIES[optimizer] * weights,
            "activations": case.batch * sum(stage.activations for stage in self.stages),
            "images": FLOAT * case.batch * case.channels * case.size**2,
        }
        return parts | {"total": sum(parts.values())}


def analyse(spec: NetSpec, case: Case | None = None) -> Analysis:
    """The costs of a network, by default on what its paper used it on."""
    case = case or usual(spec)
    if spec.library:
        net = check_library(spec, case.size, case.channels, case.classes)
        return Analysis(spec, case, _run(net, case), None, sum(isinstance(each, WEIGHTED) for each in net.modules()))
    published = PUBLISHED.get(spec.name) if _as_published(spec, case) else None
    return Analysis(spec, case, stages(spec, case), published, spec.layers)


def _as_published(spec: NetSpec, case: Case) -> bool:
    own = spec.name in BORROWED or (spec.join == "add" and spec.family == FAMILIES[spec.name])
    return own and replace(case, batch=1) == replace(usual(NetSpec(spec.name)), batch=1)


def stages(spec: NetSpec, case: Case) -> list[Stage]:
    """The rows of a network's table, in order. Their sums are the whole network's."""
    if spec.name in BORROWED:
        return _measured(spec, case, repeat(1))
    # Units after the second cost what it does, so that no network of a thousand layers is run.
    units = (1, *spec.family.units, 1)
    ones, twos = (_measured(replace(spec, units=each, pretrained=""), case, units) for each in (1, 2))
    found = []
    for one, two, number in zip(ones, twos, units, strict=True):
        keys = ("parameters", "multiply_adds", "activations")
        costs = {key: (2 - number) * getattr(one, key) + (number - 1) * getattr(two, key) for key in keys}
        found.append(replace(one, **costs))
    return found


def _measured(spec: NetSpec, case: Case, units: Iterable[int]) -> list[Stage]:
    """The rows of a network that is run as it is; `units` is how many each says that it has."""
    with torch.device("meta"):
        net = build(spec, case.channels, case.classes)
        x = torch.empty(2, case.channels, case.size, case.size)  # of one, batch norm refuses maps of 1×1
    # What two rows keep is counted for the first; parameters and buffers are not.
    kept = {_storage(tensor): 0 for tensor in (*net.parameters(), *net.buffers())}

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(_storage(tensor), tensor.untyped_storage().nbytes())
        return tensor

    found = []
    for (name, modules), times in zip(_rows(net).items(), units, strict=False):
        before = sum(kept.values())
        with FlopCounterMode(display=False) as flops, saved_tensors_hooks(keep, lambda tensor: tensor):
            for module in modules:
                x = module(x.flatten(1) if isinstance(module, nn.Linear) else x)
        size = x.shape[-1] if x.ndim == 4 else 1
        parameters = sum(p.numel() for module in modules for p in module.parameters())
        activations = (sum(kept.values()) - before) // 2
        # Two operations a multiply-add, of two images.
        multiply_adds = flops.get_total_flops() // 4
        found.append(Stage(name, size, tuple(_made(modules, times)), parameters, multiply_adds, activations))
    return found  # until here x holds what was kept, so that no two tensors can have had one address


def _run(net: nn.Sequential, case: Case) -> list[Stage]:
    """The rows of a library's network, run as a whole: its own parts by their names, those without weights left out.

    What is computed between two parts counts for the first of them, and what belongs to none for the first of all.
    """
    inner = net.get_submodule("net")
    parts = {name: part for name, part in inner.named_children() if any(True for _ in part.parameters())}
    kept = {_storage(tensor): 0 for tensor in (*net.parameters(), *net.buffers())}
    flops = FlopCounterMode(display=False)
    begins, sizes = dict[str, tuple[int, int]](), dict[str, int]()

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(_storage(tensor), tensor.untyped_storage().nbytes())
        return tensor

    def begin(name: str, *_: Any) -> None:
        begins.setdefault(name, (sum(kept.values()), flops.get_total_flops()))

    def end(name: str, _: Any, __: Any, output: Any) -> None:
        sizes[name] = _side(output)

    for name, part in parts.items():
        part.register_forward_pre_hook(partial(begin, name))
        part.register_forward_hook(partial(end, name))
    images = torch.empty(2, case.channels, case.size, case.size, device="meta")
    with flops, saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = net(images)
    bounds = [(0, 0), *list(begins.values())[1:], (sum(kept.values()), flops.get_total_flops())]
    del logits  # until here, so that no two tensors can have had one address
    owned = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
    owned[next(iter(begins))] += sum(p.numel() for p in net.parameters()) - sum(owned.values())
    return [
        Stage(
            name, sizes[name], (_counted(parts[name]),), owned[name], (then[1] - now[1]) // 4, (then[0] - now[0]) // 2
        )
        for name, (now, then) in zip(begins, pairwise(bounds), strict=True)
    ]


def _side(y: Any) -> int:
    """Of an output (n, channels, h, w), (n, h, w, channels), (n, tokens, channels) or (n, channels)."""
    return 1 if not isinstance(y, Tensor) or y.ndim < 3 else y.shape[2] if y.ndim == 4 else isqrt(y.shape[1])


def _counted(part: nn.Module) -> str:
    kinds = {"convolution": nn.Conv2d, "linear layer": nn.Linear}
    counts = {name: sum(isinstance(each, kind) for each in part.modules()) for name, kind in kinds.items()}
    return ", ".join(f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items() if count)


def _storage(tensor: Tensor) -> int:
    # data_ptr() is 0 for everything on the meta device.
    return tensor.untyped_storage()._cdata


def _rows(net: nn.Sequential) -> dict[str, list[nn.Module]]:
    if len(net) == 2:
        return _borrowed_rows(*net)
    stem, *inner, tail, pool, flatten, fc = net
    first = list(stem.children())
    rows = {"conv1": first[:3], **{f"conv{number}_x": [stage] for number, stage in enumerate(inner, 2)}}
    rows["conv2_x"][:0] = first[3:]  # in table 1 of [1] the max-pool opens the second stage
    return {**rows, "fc": [tail, pool, flatten, fc]}


def _borrowed_rows(fit: nn.Module, net: nn.Module) -> dict[str, list[nn.Module]]:
    """The blocks of a borrowed network by its own names; VGG cut before each max-pool, as [1] cuts its own."""
    parts = dict(net.named_children())
    if "features" not in parts:
        first = list(parts).index("avgpool")
        rows = {name: [module] for name, module in list(parts.items())[:first]}
        rows[next(iter(rows))].insert(0, fit)
        return {**rows, "fc": list(parts.values())[first:]}
    rows = {"conv1_x": [fit]}
    for module in (*parts["features"].children(), parts["avgpool"], *parts["classifier"].children()):
        if isinstance(module, nn.MaxPool2d):
            rows[f"conv{len(rows) + 1}_x" if len(rows) < 5 else "fc"] = []
        rows[list(rows)[-1]].append(module)
    return rows


def _made(modules: list[nn.Module], units: int) -> Iterator[str]:
    for what, same in groupby(filter(None, (_told(module, units) for module in modules))):
        times = len(list(same))
        yield what if times == 1 else f"[{what}] × {times}"


def _told(module: nn.Module, units: int) -> str:
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
        case nn.Sequential() if module and isinstance(module[0], Unit):
            convolutions = (each for each in module[0].branch if isinstance(each, nn.Conv2d))
            made = "; ".join(f"{_by(each.kernel_size)}, {each.out_channels}" for each in convolutions)
            return f"[{made}] × {units}"
        case nn.Sequential():  # what ends a pre-activated net
            return ", ".join("batch norm" if isinstance(each, nn.BatchNorm2d) else "ReLU" for each in module)
    inside = [each for each in module.modules() if isinstance(each, nn.Conv2d)]
    return _told(inside[0], units) if len(inside) == 1 else f"{len(inside)} convolutions" if inside else ""


def _by(size: Any) -> str:
    height, width = size if isinstance(size, tuple) else (size, size)
    return f"{height}×{width}"

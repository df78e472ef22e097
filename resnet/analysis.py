"""What a network costs: parameters, multiply-adds, memory of a step of training, beside what its paper prints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from resnet.spec import BORROWED, FAMILIES, NetSpec
from resnet.stages import Case, Stage, stages

FLOAT = 4
"""Bytes of a number: everything is float32."""
COPIES = {"adam": 2, "sgd": 1}
"""Numbers that an optimizer keeps for each parameter: Adam two moments, SGD its momentum."""


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


def usual(spec: NetSpec) -> Case:
    """As the papers have it: ImageNet at 224 pixels (Inception at 299) and batch 256, or CIFAR-10 at batch 128."""
    if spec.name not in BORROWED and spec.family.stem == "cifar":
        return Case(32, 10, batch=128)
    return Case(299 if spec.name == "inception_v3" else 224, 1000)


@dataclass(frozen=True)
class Memory:
    """The bytes of one step of training."""

    parameters: int
    gradients: int
    optimizer: int
    activations: int
    images: int

    @property
    def total(self) -> int:
        return self.parameters + self.gradients + self.optimizer + self.activations + self.images


@dataclass(frozen=True)
class Analysis:
    """What a network costs.

    Attributes:
        by_stride: the multiply-adds for both places of a bottleneck's stride, "3x3" and "1x1"; empty without any.
        published: what its paper prints of it; None where it prints nothing, or the network or its case is another.
    """

    spec: NetSpec
    case: Case
    stages: tuple[Stage, ...]
    by_stride: dict[str, int]
    published: Published | None

    @property
    def layers(self) -> int:
        return self.spec.layers

    @property
    def parameters(self) -> int:
        return sum(stage.parameters for stage in self.stages)

    @property
    def multiply_adds(self) -> int:
        return sum(stage.multiply_adds for stage in self.stages)

    def memory(self, optimizer: Literal["adam", "sgd"] = "adam") -> Memory:
        """Of one step in float32, as far as the network decides it, with nothing computed twice.

        Left out: buffers of batch norms, what a kernel needs while it runs, gradients of activations on their way
        back, and what the allocator holds without using it. Gradients are counted though they grow only while
        activations go. Measured against the peak of a real step on a CPU (two threads, over the peak after imports):
        within 4 % where the allocator gives back what is freed (ResNet-56 at batch 128, ResNet-50 at 16, VGG-16
        at 8, pre-activated ResNet-164 at 64); with glibc's usual settings the process had 7 to 40 % more than this.
        """
        weights, case = FLOAT * self.parameters, self.case
        activations = case.batch * sum(stage.activations for stage in self.stages)
        images = FLOAT * case.batch * case.channels * case.size**2
        return Memory(weights, weights, COPIES[optimizer] * weights, activations, images)


def analyse(spec: NetSpec, case: Case | None = None) -> Analysis:
    """The costs of a network, by default on what its paper used it on."""
    case = case or usual(spec)
    rows = stages(spec, case)
    strides: dict[str, int] = {}
    if spec.name not in BORROWED and spec.family.unit == "bottleneck":
        for stride in ("3x3", "1x1"):
            other = rows if stride == spec.stride else stages(replace(spec, stride=stride, pretrained=""), case)
            strides[stride] = sum(row.multiply_adds for row in other)
    return Analysis(spec, case, rows, strides, PUBLISHED.get(spec.name) if _as_published(spec, case) else None)


def _as_published(spec: NetSpec, case: Case) -> bool:
    own = spec.name in BORROWED or (spec.join == "add" and spec.family == FAMILIES[spec.name])
    return own and replace(case, batch=1) == replace(usual(NetSpec(spec.name)), batch=1)

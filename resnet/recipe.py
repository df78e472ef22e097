"""How to train: every knob of one training, as plain data. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt


@dataclass(frozen=True)
class Recipe:
    """One training by one-cycle (Smith, *A disciplined approach to neural network hyper-parameters*, 2018).

    Attributes:
        lr: the peak of the learning rate.
        wd: weight decay; decoupled with adam, added to the gradient with sgd. Batch norms and biases have none.
        mom: the bottom of the momentum cycle (adam: of its first beta).
        epochs: passes over the training images.
        batch: images a step.
        optimizer: "adam" as fastai has it by default (betas mom and sqr_mom, decoupled decay), or "sgd".
        loss: "cross_entropy", or "focal" (Lin et al., 2017, gamma 2), which takes no label smoothing.
        label_smoothing: share of each label spread over all classes.
        mom_top: the momentum at the start and the end of the cycle.
        div: lr starts at lr / div.
        div_final: lr ends at lr / div_final.
        pct_start: the share of the training in which lr rises.
        sqr_mom: adam's second beta.
        eps: adam's epsilon.
        crop: pad by so many pixels and crop at random. 0 for none.
        flip: mirror half of the images.
        cutout: side in pixels of a square put to grey in each image. 0 for none.
        precision: "bfloat16" trains under autocast.
        checkpoint: seconds between two checkpoints of a training, 0 for one an epoch.
    """

    lr: Annotated[float, Gt(0), Le(100)] = 1e-3
    wd: Annotated[float, Ge(0), Le(10)] = 0.01
    mom: Annotated[float, Ge(0), Le(10)] = 0.85
    epochs: Annotated[int, Ge(1), Le(100_000)] = 5
    batch: Annotated[int, Ge(2), Le(65_536)] = 64
    optimizer: Literal["adam", "sgd"] = "adam"
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0
    mom_top: Annotated[float, Ge(0), Lt(1)] = 0.95
    div: Annotated[float, Ge(1), Le(1e9)] = 25.0
    div_final: Annotated[float, Ge(1), Le(1e12)] = 1e5
    pct_start: Annotated[float, Gt(0), Lt(1)] = 0.25
    sqr_mom: Annotated[float, Ge(0), Lt(1)] = 0.99
    eps: Annotated[float, Gt(0), Le(1)] = 1e-5
    crop: Annotated[int, Ge(0), Le(512)] = 0
    flip: bool = False
    cutout: Annotated[int, Ge(0), Le(512)] = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    checkpoint: Annotated[float, Ge(0), Le(86_400)] = 60.0

    def __post_init__(self) -> None:
        if self.loss == "focal" and self.label_smoothing:
            raise ValueError(f"label_smoothing is {self.label_smoothing} with the focal loss: must be 0")

    def with_genes(self, genes: Mapping[str, float]) -> Recipe:
        """The same recipe with some fields replaced; whole numbers stay whole.

        Raises:
            ValueError: a gene is no field, or no number.
        """
        changes: dict[str, Any] = {}
        for name, value in genes.items():
            kind = type(getattr(self, name, None))
            if kind not in (int, float):
                numbers = ", ".join(f.name for f in fields(self) if type(getattr(self, f.name)) in (int, float))
                raise ValueError(f"{name!r} is no field of the recipe that can be a gene: known: {numbers}")
            changes[name] = kind(value)
        return replace(self, **changes)

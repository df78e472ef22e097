"""A model of a study: what is written beside its weights, how it is loaded again, and the ensemble of several."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MinLen

from gaopt import __version__
from gaopt.config import parse
from gaopt.config.tables import text_of
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Score, Task
from gaopt.objectives.image.predictions import probabilities
from gaopt.objectives.image.settings import Settings
from resnet.data import Images
from resnet.spec import NetSpec

if TYPE_CHECKING:
    from torch import Tensor, nn


def about(task: Task, settings: Settings, images: Images) -> dict[str, Any]:
    """All that is needed to use the weights, and where they come from; `settings` are the task's own."""
    return {
        "study": task.study,
        "individual": task.individual,
        "generation": task.generation,
        "genes": dict(task.genes),
        "net": asdict(settings.net),
        "channels": int(images.train.images.shape[3]),
        "size": int(images.train.images.shape[1]),
        "classes": list(images.classes),
        "mean": list(images.mean),
        "std": list(images.std),
        "flip": settings.recipe.flip,
        "crop": settings.recipe.crop,
        "data": {"name": images.name, "digest": images.digest},
        "tables": ["predictions.csv", "examples.json"],
        "gaopt": __version__,
    }


@dataclass(frozen=True)
class Model:
    """What of best.json is needed to use the weights. It may be somebody else's, so that all of it is checked."""

    net: NetSpec
    channels: Literal[1, 3]
    size: Annotated[int, Ge(1), Le(1024)]
    classes: Annotated[tuple[str, ...], MinLen(1)]
    mean: tuple[float, ...]
    std: tuple[Annotated[float, Gt(0)], ...]
    flip: bool = False  # how the images of the training were augmented; up to 0.5.0 it is not told
    crop: Annotated[int, Ge(0), Le(512)] = 0

    def __post_init__(self) -> None:
        if not len(self.mean) == len(self.std) == self.channels:
            raise ValueError(f"mean and std have {len(self.mean)} and {len(self.std)} values: must be {self.channels}")


def network(about: Model, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The trained network of best.json and best.safetensors; a RuntimeError where they do not fit together."""
    import torch

    from resnet import weights
    from resnet.net import build

    # Without memory for what is no more than said; a library's may have tensors that no file of weights holds.
    with nullcontext() if about.net.library else torch.device("meta"):
        net = build(about.net, about.channels, len(about.classes))
    net.load_state_dict(weights.renamed(tensors), assign=True)
    return net.float()


def kept(home: StudyDir) -> int | None:
    """The individual whose model lies in a study's folder, whole; None where none does that could be used."""
    try:
        best(home)
        tables = json.loads(text_of(home.best)).get("tables", ())  # up to 0.5.0 it names none
    except StudyError:
        return None
    return individual(home) if all((home.path / name).is_file() for name in tables) else None


def individual(home: StudyDir) -> int | None:
    """The individual that best.json describes; None where it does not say."""
    try:
        return int(json.loads(text_of(home.best))["individual"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def best(home: StudyDir) -> tuple[Model, nn.Module]:
    """The model of best.json and best.safetensors in a folder; a StudyError where there is none that can be used."""
    from resnet import weights

    final = StudyDir(home.path.parent.parent)  # of a model that was trained for use
    way = f"gaopt resume {home.handle} writes it again"
    if final.finished.is_file():
        way = f"remove {final.path} and finish again"
    if not (home.weights.is_file() and home.best.is_file()):  # a pipe would be waited for
        raise StudyError(f"the study {home.name!r} has no best model: a search of images writes one when it ends")
    if (found := weights.read(home.weights)) is None:
        raise StudyError(f"{home.weights} is torn or altered: {way}")
    try:
        told = json.loads(text_of(home.best))
        about = described(told)
        if found[1].get("individual", "") not in ("", str(told.get("individual"))):  # up to 0.4.0 it has none
            raise ValueError(f"individual {told.get('individual')} and {found[1]['individual']}")
        return about, network(about, found[0]).eval()
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ConfigError) as error:
        raise StudyError(f"{home.best} and {home.weights.name} do not fit together: {error!r:.200}") from None


def described(about: Mapping[str, Any]) -> Model:
    """The model that best.json describes; a KeyError, TypeError or ConfigError where it describes none."""
    known = (each.name for each in fields(Model) if each.name in about or each.default is MISSING)
    return parse(Model, {name: about[name] for name in known}, "best")


def keep(final: StudyDir, task: Task, settings: Settings, net: nn.Module, score: Score) -> None:
    """Write a network trained for use, its description, and its probabilities for the test images."""
    import torch

    from resnet import weights
    from resnet.zoo import seen

    home, images = final.model(task.individual), seen(task.shared, settings.net)
    final.inside(home.path)
    tensors = {name: each.detach().cpu() for name, each in net.state_dict().items()}
    known = about(task, settings, images) | {"study": final.path.parent.name, "seed": task.seed}
    found = torch.from_numpy(probabilities(network(described(known), tensors), images.test, images))
    known |= {"tables": [], "test": dict(score.metrics)}
    weights.write(home.weights, tensors, {"gaopt": __version__, "individual": str(task.individual)})
    weights.write(home.outputs, {"probabilities": found, "labels": torch.from_numpy(images.test.labels)}, {})
    home.write(home.best, json.dumps(known, indent=2) + "\n")


def ensemble(models: Sequence[Path]) -> dict[str, float]:
    """How the mean of the probabilities of models does on the test images, by metric."""
    import torch
    from torch.nn.functional import nll_loss

    from resnet import weights
    from resnet.callbacks import Meter

    read = {home: weights.read(StudyDir(home).outputs) for home in models}
    if torn := [home for home, each in read.items() if each is None]:
        raise StudyError(f"{StudyDir(torn[0]).outputs} is gone or torn: remove {torn[0].parents[1]} and finish again")
    tensors = [each[0] for each in read.values() if each]
    mean = torch.stack([each["probabilities"] for each in tensors]).double().mean(0)
    logits, labels = mean.clamp(min=torch.finfo(torch.float32).tiny).log(), tensors[0]["labels"]
    meter = Meter(keep=True)
    meter.add(logits, labels, nll_loss(logits, labels))
    return meter.result() | meter.together()

"""The best model of a study: what is written beside its weights, and how it is used again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MinLen

from gaopt import __version__
from gaopt.config import parse
from gaopt.config.tables import text_of
from gaopt.errors import ConfigError, DataError, StudyError
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Task
from gaopt.objectives.image.settings import Settings
from resnet import data as datasets
from resnet.data import Images
from resnet.folders import images_in
from resnet.spec import NetSpec
from resnet.trees import open_tree

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

Answer = list[tuple[str, float]]  # classes and their probabilities, the most probable first


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
        "data": {"name": images.name, "digest": images.digest},
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

    def __post_init__(self) -> None:
        if not len(self.mean) == len(self.std) == self.channels:
            raise ValueError(f"mean and std have {len(self.mean)} and {len(self.std)} values: must be {self.channels}")


def network(about: Model, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The trained network of best.json and best.safetensors; a RuntimeError where they do not fit together."""
    import torch

    from resnet import weights
    from resnet.net import build

    with torch.device("meta"):  # without memory for what is no more than said
        net = build(about.net, about.channels, len(about.classes))
    net.load_state_dict(weights.renamed(tensors), assign=True)
    return net.float()


def predict(home: StudyDir, paths: Iterable[Path], top: int = 5) -> Iterator[tuple[Path, Answer | DataError]]:
    """For each image, and each in a folder, the most probable classes by the best model; or why it cannot be read.

    A StudyError where the study has no best model yet, or one that tells nothing.
    """
    about, net = _model(home)
    for path in paths:
        try:
            # In a folder as in a data set: at any depth, by their names, nothing hidden.
            inside = [path.joinpath(*parts) for parts in images_in(open_tree(path))] if path.is_dir() else [path]
            if not inside:
                raise datasets.DataError(f"{path} holds no image: one at least is wanted")
        except datasets.DataError as error:
            yield path, DataError(str(error))
            continue
        for each in inside:
            try:
                image = datasets.read_image(each, about.size, about.channels)
            except datasets.DataError as error:
                yield each, DataError(str(error))
            else:
                yield each, _classified(home, about, net, image, top)


def _classified(home: StudyDir, about: Model, net: nn.Module, image: np.ndarray, top: int) -> Answer:
    import torch

    from resnet.loader import normalise
    from resnet.net import usual

    with usual(), torch.no_grad():
        mean, std = (torch.tensor(each).reshape(1, -1, 1, 1) for each in (about.mean, about.std))
        try:
            (probabilities,) = net(normalise(torch.tensor(image).permute(2, 0, 1)[None], mean, std)).softmax(1)
        except RuntimeError as error:  # an image too small for it, say
            said = " ".join(f"{error!s:.200}".split())
            raise StudyError(f"the best model of the study {home.name!r} cannot be used: {said}") from None
    values, indices = probabilities.topk(min(top, len(probabilities)))
    return [(about.classes[index], value) for index, value in zip(indices.tolist(), values.tolist(), strict=True)]


def kept(home: StudyDir) -> int | None:
    """The individual whose model lies in a study's folder; None where none does that could be used."""
    try:
        _model(home)
        return int(json.loads(text_of(home.best))["individual"])
    except (StudyError, ValueError, KeyError, TypeError):
        return None


def _model(home: StudyDir) -> tuple[Model, nn.Module]:
    from resnet import weights

    again = f"gaopt resume {home.handle} writes it"
    if not (home.weights.is_file() and home.best.is_file()):  # a pipe would be waited for
        raise StudyError(f"the study {home.name!r} has no best model: {again} when the search of images has ended")
    if (found := weights.read(home.weights)) is None:
        raise StudyError(f"{home.weights} is torn or altered: {again} again")
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
    return parse(Model, {each.name: about[each.name] for each in fields(Model)}, "best")

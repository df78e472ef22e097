"""The best model of a study: what is written beside its weights, and how it is used again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaopt import __version__
from gaopt.errors import DataError, StudyError
from gaopt.home import Home
from gaopt.objective import Task
from gaopt.objectives.image.settings import Settings
from resnet import data as datasets
from resnet.data import Images
from resnet.spec import NetSpec

if TYPE_CHECKING:
    from torch import nn


def about(task: Task, settings: Settings, images: Images) -> dict[str, Any]:
    """All that is needed to use the weights, and where they come from.

    Args:
        settings: the task's own.
    """
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


def network(about: dict[str, Any], tensors: Any) -> nn.Module:
    """The trained network that a study's best.json and best.safetensors describe."""
    from resnet import weights
    from resnet.net import build

    net = build(NetSpec(**about["net"]), about["channels"], len(about["classes"]))
    net.load_state_dict(weights.renamed(tensors))
    return net


def predict(home: Home, paths: Sequence[Path], top: int = 5) -> list[list[tuple[str, float]]]:
    """For each image the most probable classes with their probabilities, by the study's best model.

    Raises:
        StudyError: the study has no best model yet.
        DataError: an image cannot be read.
    """
    import torch

    from resnet import weights
    from resnet.augment import normalise

    if not (home.weights.is_file() and home.best.is_file()):
        raise StudyError(
            f"the study {home.name!r} has no best model: the image objective writes one when its search ends"
        )
    if (found := weights.read(home.weights)) is None:
        raise StudyError(f"{home.weights} is torn or altered: no weights can be read from it")
    try:
        about = json.loads(home.best.read_text("utf-8"))
        net, size, channels, classes = (
            network(about, found[0]).eval(),
            about["size"],
            about["channels"],
            about["classes"],
        )
        mean, std = (torch.tensor(about[key]).reshape(1, -1, 1, 1) for key in ("mean", "std"))
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise StudyError(f"{home.best} and {home.weights.name} do not fit together: {error!r:.200}") from None
    try:
        images = [datasets.read_image(path, size, channels) for path in paths]
    except datasets.DataError as error:
        raise DataError(str(error)) from None
    batch = torch.stack([torch.tensor(image).permute(2, 0, 1) for image in images])
    with torch.no_grad():
        probabilities = net(normalise(batch, mean, std)).softmax(1)
    best = probabilities.topk(min(top, probabilities.shape[1]))
    return [
        [(classes[index], value) for index, value in zip(row.tolist(), values.tolist(), strict=True)]
        for row, values in zip(best.indices, best.values, strict=True)
    ]

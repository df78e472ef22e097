"""The models that are made of a best setting for use, each in a folder of its own; and their ensemble."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gaopt import __version__
from gaopt.errors import StudyError
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Score, Task
from gaopt.objectives.image.model import about, described, network
from gaopt.objectives.image.predictions import probabilities
from gaopt.objectives.image.settings import Settings

if TYPE_CHECKING:
    from torch import nn


def keep(final: StudyDir, task: Task, settings: Settings, net: nn.Module, score: Score) -> None:
    """Write a trained network, its description, and its probabilities for the test images."""
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


def ensemble(models: Sequence[Path]) -> float:
    """The accuracy on the test images of the mean of the probabilities that models give."""
    import torch

    from resnet import weights

    read = {home: weights.read(StudyDir(home).outputs) for home in models}
    if torn := [home for home, each in read.items() if each is None]:
        raise StudyError(f"{StudyDir(torn[0]).outputs} is gone or torn: remove {torn[0].parents[1]} and finish again")
    tensors = [each[0] for each in read.values() if each]
    mean = torch.stack([each["probabilities"] for each in tensors]).mean(0)
    return float((mean.argmax(1) == tensors[0]["labels"]).float().mean())

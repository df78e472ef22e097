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


def ensemble(models: Sequence[Path]) -> dict[str, float]:
    """How the mean of the probabilities of models does on the test images: top1, top5 and what `measured` gives."""
    import numpy as np

    from resnet import weights
    from resnet.metrics import measured

    read = {home: weights.read(StudyDir(home).outputs) for home in models}
    if torn := [home for home, each in read.items() if each is None]:
        raise StudyError(f"{StudyDir(torn[0]).outputs} is gone or torn: remove {torn[0].parents[1]} and finish again")
    tensors = [each[0] for each in read.values() if each]
    mean = np.stack([each["probabilities"].numpy() for each in tensors]).mean(0, np.float64)
    labels = tensors[0]["labels"].numpy()
    rank = (mean > np.take_along_axis(mean, labels[:, None], 1)).sum(1)
    top = {f"top{k}": float((rank < k).mean()) for k in (1, 5)}
    return top | measured(np.log(np.maximum(mean, np.finfo(np.float32).tiny)), labels)

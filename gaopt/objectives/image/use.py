"""The model of a study at work on image files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from glob import glob, has_magic
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gaopt.errors import BadInput, DataError, StudyError
from gaopt.journal.paths import StudyDir
from gaopt.objectives.finals import finished
from gaopt.objectives.image.model import Model, best, individual
from resnet import data as datasets
from resnet.decode import read_image, strict
from resnet.folders import images_in
from resnet.trees import open_tree

if TYPE_CHECKING:
    import numpy as np

    from gaopt.objectives.image.deployed import Deployed

Answer = list[tuple[str, float]]  # classes and their probabilities, the most probable first
BATCH = 64
"""Images that are read and classified at once. For more than that an accelerator is worth the seconds that it takes to
start."""


@dataclass(frozen=True)
class Used:
    """The model of a study that is used: what it is, in words; what it takes and gives; the networks."""

    title: str
    about: Model
    net: Deployed


def used(home: StudyDir) -> Used:
    """The model of a study: the best one of the search, or what `gaopt finish` made of its setting.

    Raises:
        StudyError: there is none that can be used.
    """
    from gaopt.objectives.image.deployed import Deployed

    found = finished(home, known) if (known := individual(home)) is not None else None
    folders = [home.final.model(each) for each in found.used] if found else [home]
    abouts, nets = zip(*map(best, folders), strict=True)
    return Used(found.title if found else "the best model of the search", abouts[0], Deployed(abouts[0], nets))


def predict(
    home: StudyDir, paths: Iterable[Path], top: int = 5, tta: bool = False
) -> Iterator[tuple[Path, Answer | DataError]]:
    """For each image, each in a folder and each that a glob finds, the most probable classes; or why it is unreadable.

    Args:
        tta: test-time augmentation, see `Deployed.views`.

    Raises:
        StudyError: the study has no model yet, or one that tells nothing.
        BadInput: there is nothing to augment by.
    """
    import torch

    from resnet.train import default_device

    model = used(home)
    if tta and not (model.about.flip or model.about.crop):
        raise BadInput("the model was trained without flips and crops: leave --tta out, which would average over those")
    found = (each for path in paths for each in _images(path))
    batch = list(islice(found, BATCH + 1))
    model.net.to(default_device() if len(batch) > BATCH else torch.device("cpu"))
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        while batch:
            with strict():
                pixels = list(pool.map(lambda each: _read(each, model.about), batch[:BATCH]))
            answers = _classified(home, model, [each for each in pixels if not isinstance(each, DataError)], top, tta)
            for (path, _), each in zip(batch, pixels, strict=False):
                yield path, each if isinstance(each, DataError) else next(answers)
            batch = [*batch[BATCH:], *islice(found, BATCH)]


def _images(path: Path) -> Iterator[tuple[Path, DataError | None]]:
    """A file; or what a folder holds, as in a data set: at any depth, by their names, nothing hidden; or a glob."""
    try:
        if path.is_dir():
            inside = [path.joinpath(*parts) for parts in images_in(open_tree(path))]
        elif has_magic(str(path)) and not path.exists():
            inside = sorted(Path(each) for each in glob(str(path), recursive=True) if os.path.isfile(each))
        else:
            inside = [path]
        if not inside:
            raise datasets.DataError(f"{path} holds no image: one at least is wanted")
    except datasets.DataError as error:
        yield path, DataError(str(error))
    else:
        yield from ((each, None) for each in inside)


def _read(found: tuple[Path, DataError | None], about: Model) -> np.ndarray | DataError:
    path, error = found
    try:
        return error or read_image(path, about.size, about.channels)
    except datasets.DataError as unreadable:
        return DataError(str(unreadable))


def _classified(home: StudyDir, model: Used, images: list[Any], top: int, tta: bool) -> Iterator[Answer]:
    import numpy as np
    import torch

    from resnet.net import usual

    if not images:
        return
    classes = model.about.classes
    with usual(), torch.inference_mode():
        batch = torch.from_numpy(np.stack(images)).to(model.net.mean.device)
        try:
            probabilities = model.net.augmented(batch) if tta else model.net(batch)
        except RuntimeError as error:  # an image too small for it, say
            said = " ".join(f"{error!s:.200}".split())
            raise StudyError(f"the best model of the study {home.name!r} cannot be used: {said}") from None
    values, indices = probabilities.cpu().topk(min(top, len(classes)))
    for row in zip(indices.tolist(), values.tolist(), strict=True):
        yield [(classes[index], value) for index, value in zip(*row, strict=True)]

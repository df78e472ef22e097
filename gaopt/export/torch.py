"""The model of a study as a program of torch.export: one file that torch alone runs, on pixels."""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.export import Dim, ExportedProgram

from gaopt.errors import StudyError
from gaopt.export.trials import Trials
from gaopt.objectives.image import Used, used

CLOSE = 1e-4
"""How far a probability may be from that of the model itself."""


def write(study: Trials, folder: Path) -> None:
    """Write model.pt2, in which model.json is as well, and model.json."""
    model = model_of(study)
    told = json.dumps(described(study, model), indent=2) + "\n"
    path = folder / "model.pt2"
    torch.export.save(program(model), path, extra_files={"model.json": told})
    read = torch.export.load(path).module()
    check(model, "torch.export", lambda images: read(torch.from_numpy(images)).numpy(force=True))
    (folder / "model.json").write_text(told, "utf-8")


def model_of(study: Trials) -> Used:
    """The model that is exported; a StudyError where there is none."""
    assert study.home
    return used(study.home)


def program(model: Used) -> ExportedProgram:
    """The model for any number of images, traced with two of them."""
    with exporting(model):
        return torch.export.export(model.net, (torch.from_numpy(_noise(model, 2)),), dynamic_shapes=({0: Dim("n")},))


@contextmanager
def exporting(model: Used) -> Iterator[None]:
    """Within it libraries do not warn of their own code; a StudyError where torch cannot export the network."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # torch has many for what it cannot trace or convert
        said = str(error).partition("\n")[0].partition(". ")[0]
        raise StudyError(f"the network {model.about.net.name} cannot be exported by torch: {said:.200}") from error


def described(study: Trials, model: Used) -> dict[str, Any]:
    """What whoever runs the model must know of it."""
    about = model.about
    return {
        "study": study.name,
        "model": model.title,
        "network": about.net.name,
        "input": f"images: uint8 (n, {about.size}, {about.size}, {about.channels}), "
        + ("RGB" if about.channels == 3 else "grey")
        + "; the shorter side resized to it (bilinear), then the middle square",
        "output": f"probabilities: float32 (n, {len(about.classes)}), by class",
        "size": about.size,
        "channels": about.channels,
        "classes": list(about.classes),
        "gaopt": study.about["gaopt"],
    }


def check(model: Used, by: str, run: Callable[[np.ndarray], np.ndarray]) -> None:
    """A StudyError where the exported model gives other probabilities, for one image or for several."""
    for count in (1, 5):
        images = _noise(model, count)
        with torch.inference_mode():
            off = float(np.abs(run(images) - model.net(torch.from_numpy(images)).numpy()).max())
        if not off <= CLOSE:
            raise StudyError(f"the probabilities by {by} are {off:.2g} off: at most {CLOSE:g} may be")


def _noise(model: Used, count: int) -> np.ndarray:
    """Images (count, size, size, channels), smooth ones and rough ones."""
    draw, about = np.random.default_rng(count), model.about
    spread = np.linspace(10, 128, count).reshape(-1, 1, 1, 1)
    noise = spread * draw.standard_normal((count, about.size, about.size, about.channels))
    return np.clip(draw.uniform(0, 255, (count, 1, 1, 1)) + noise, 0, 255).astype(np.uint8)

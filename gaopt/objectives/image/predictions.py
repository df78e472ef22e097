"""What a model makes of the test images: a table of all, and the images that a report shows."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from gaopt.journal.paths import StudyDir
from gaopt.printable import printable
from resnet.data import Images, Split

if TYPE_CHECKING:
    from torch import nn

HEAD = ("image", "label", "predicted", "probability", "probability_of_label", "margin")
"""`margin` is how much less probable the second class is."""
SHOWN = 12  # images of a kind that a report shows
SIDE = 48  # pixels of one there, at most


def probabilities(net: nn.Module, split: Split, images: Images) -> np.ndarray:
    """Of each class for each image of a split, by a network: float32 (n, classes)."""
    import torch

    from resnet.loader import Plain
    from resnet.net import usual
    from resnet.train import default_device

    device = default_device()
    net = net.to(device).eval()
    with usual(), torch.inference_mode():
        found = [net(batch).float().softmax(1).cpu() for batch, _ in Plain(split, images, 256, device)]
    return torch.cat(found).numpy()


def write(home: StudyDir, individual: int, found: np.ndarray, images: Images) -> None:
    """Write the table of the test images and examples of them; `found` are the probabilities (n, classes)."""
    split = images.test
    rows = np.arange(len(split))
    first, label = found.argmax(1), split.labels
    ranked = np.partition(found, -2, axis=1)
    values = found[rows, first], found[rows, label], ranked[:, -1] - ranked[:, -2]
    names = split.names or [f"test/{row}" for row in rows]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for name, true, said, *numbers in zip(names, label, first, *values, strict=True):
        writer.writerow([printable(name), images.classes[true], images.classes[said], *(f"{n:.6f}" for n in numbers)])
    home.write(home.predictions, out.getvalue())
    worst = [row for row in np.argsort(-values[0], kind="stable") if first[row] != label[row]][:SHOWN]
    doubtful = [row for row in np.argsort(values[2], kind="stable") if row not in worst][:SHOWN]
    shown: dict[str, Any] = {"individual": individual, "channels": split.images.shape[3]}
    for kind, chosen in (("worst", worst), ("doubtful", doubtful)):
        shown[kind] = [{"row": int(row), "picture": _thumbnail(split.images[row])} for row in chosen]
    home.write(home.examples, json.dumps(shown) + "\n")


def _thumbnail(image: np.ndarray) -> str:
    """An image uint8 (h, w, c) as a file in base64: a PNG, or a small JPEG of one that is large."""
    from PIL import Image

    picture, out = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image), io.BytesIO()
    form = "PNG" if len(image) <= SIDE else "JPEG"
    picture.thumbnail((SIDE, SIDE))
    picture.save(out, form, quality=90)
    return base64.b64encode(out.getvalue()).decode()

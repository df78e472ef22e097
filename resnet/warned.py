"""What is amiss with a data set that can be trained on all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resnet.data import Images

UNEVEN = 3.0
"""Times as many images as the other classes have on average, from which a class is said to prevail."""
NAMES = {"train": "training", "valid": "validation", "test": "test"}


def warned(data: Images) -> Iterator[str]:
    """A phrase for each: the same image in two splits, a class that one lacks, a class that prevails."""
    splits = {"train": data.train, "valid": data.valid, "test": data.test}
    pixels = {split: [hash(image.tobytes()) for image in found.images] for split, found in splits.items()}
    for split, other in (("valid", "train"), ("test", "train"), ("test", "valid")):
        known = set(pixels[other])
        if twice := sum(each in known for each in pixels[split]):
            yield f"of {len(pixels[split])} {NAMES[split]} images {twice} can be found among the {NAMES[other]} images"
    for split, counts in data.counts.items():
        if missing := [name for name, count in zip(data.classes, counts, strict=True) if not count]:
            names = ", ".join(missing[:5]) + ", …" * (len(missing) > 5)
            yield f"no {NAMES[split]} image is of {names}: {len(missing)} of {len(counts)} classes"
    counts = data.counts["train"]
    most = max(counts)
    if most * (len(counts) - 1) >= UNEVEN * (sum(counts) - most):
        name = data.classes[counts.index(most)]
        yield f"the classes are uneven: {100 * most / sum(counts):.1f} % of the training images are of {name}"

"""Image files to uint8 arrays: one way of decoding and resizing for data sets and single images."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from resnet.split import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

# EPS and WMF run an interpreter on the file; the others are recognised by PIL but have no decoder in it.
REFUSED = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}


@cache
def formats() -> tuple[str, ...]:
    """The formats that are read, by PIL's names, the frequent ones first."""
    from PIL import Image

    Image.preinit()
    Image.init()
    return tuple(name for name in Image.OPEN if name not in REFUSED)


@cache
def suffixes() -> frozenset[str]:
    """The endings of file names, in lower case and with their dot, that are taken for images."""
    from PIL import Image

    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in formats())


@contextmanager
def strict() -> Iterator[None]:
    """Within it, PIL's warning of a bomb is an error. Filters belong to the process: enter it round the threads."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def read_image(path: Path, size: int, channels: int) -> np.ndarray:
    """One image file, decoded and resized as the images of a data set are: uint8 (size, size, channels).

    A DataError where it is missing, or no image that can be read; also a bomb, within `strict`.
    """
    if not path.is_file():  # a pipe would be waited for
        raise DataError(f"{path} is no file: an image is wanted")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    return decode(data, size, channels, str(path))[0]


def decode(data: bytes, size: int, channels: int, where: str) -> tuple[np.ndarray, str]:
    """An image file's bytes as uint8 (size, size, channels), and PIL's name of its format; a DataError says `where`."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=formats()) as image:
            form = image.format or ""
            image.load()
            # Of a broken EXIF block; or of another tag that is broken, when the image is turned.
            with suppress(Exception):
                ImageOps.exif_transpose(image, in_place=True)
            return pixels(image, size, channels), form
    except Image.UnidentifiedImageError:
        raise DataError(f"{where} is no image in a format that can be read") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise DataError(f"{where} has too many pixels: at most {Image.MAX_IMAGE_PIXELS} are decoded") from None
    except Exception as error:  # a decoder fed with a broken file raises nearly anything
        raise DataError(f"{where} is a broken image: {str(error) or type(error).__name__}") from error


def pixels(image: Image, size: int, channels: int) -> np.ndarray:
    """An image as uint8 (size, size, channels)."""
    square = squared(_rgb(image), size)
    return np.asarray(square.convert("L") if channels == 1 else square).reshape(size, size, channels)


def _rgb(image: Image) -> Image:
    """In RGB: transparency on white, 16 bits by their upper 8."""
    from PIL import Image as Pil

    if image.mode.startswith("I"):
        upper = np.clip(np.asarray(image), 0, 65535) >> 8
        return Pil.fromarray(upper.astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers, which have no known white")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Pil.alpha_composite(Pil.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def squared(image: Image, size: int) -> Image:
    """The shorter side made `size` (bilinear), then the middle square; an image of that size stays as it is."""
    from PIL import Image, ImageOps

    return ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)


def fitted(images: np.ndarray, size: int) -> np.ndarray:
    """Images uint8 (n, h, w, c), c 1 or 3, resized as files are: (n, size, size, c)."""
    from PIL import Image

    if images.shape[1:3] == (size, size):
        return images
    grey = images.shape[3] == 1
    squares = [squared(Image.fromarray(each[..., 0] if grey else each), size) for each in images]
    return np.stack([np.asarray(each) for each in squares]).reshape(len(images), size, size, -1)

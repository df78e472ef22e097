"""Tensors to disk and back: safetensors, never a pickle that may hold code; a file is whole or it is not there."""

import hashlib
import json
import os
import pickle
import re
import secrets
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from resnet import zoo
from resnet.net import heads
from resnet.spec import BORROWED, NetSpec

TORCHVISION = {
    r"^(conv1|bn1)\.": r"stem.\1.",
    r"^layer(\d+)\.(\d+)\.(conv|bn)": r"stage\1.\2.branch.\3",
    r"^layer(\d+)\.(\d+)\.downsample\.0\.": r"stage\1.\2.shortcut.conv1.",
    r"^layer(\d+)\.(\d+)\.downsample\.1\.": r"stage\1.\2.shortcut.bn1.",
}
"""Names of a ResNet's tensors in torchvision, and in gaopt up to 0.1.0, and what they are called here."""


class WeightsError(ValueError):
    """Weights to start from cannot be had, or are of another network."""


NOTES = "notes"
"""The one entry of a file's header: safetensors writes several in any order, and equal weights shall be equal files."""
SUM = "blake2b"
"""The note that holds a file's checksum. Files of gaopt up to 0.4.0 have none, and an entry for each note."""


def write(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> None:
    """Write tensors and notes by name, with a checksum; after a kill or an OSError the old file is still there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: of two processes that write the same file neither sees the other's half of it.
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.{os.getpid()}.tmp")
    found = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    told = json.dumps({**notes, SUM: _checksum(found, notes)}, sort_keys=True)
    try:
        with open(part, "xb") as file:  # never through a link that lies there
            file.write(save(found, {NOTES: told}))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)  # where there is no room it would take up the last of it
        raise


def read(path: Path, device: torch.device | str = "cpu") -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """(tensors, notes) of a file; None if there is none, or it is torn or altered."""
    if not path.is_file():  # a pipe would be waited for
        return None
    try:
        with safe_open(path, "pt") as file:
            tensors, header = {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
        notes = json.loads(header[NOTES]) if NOTES in header else header
    # What a header that was made up raises: no JSON, sizes beyond any number.
    except (FileNotFoundError, SafetensorError, ValueError, RecursionError, TypeError):
        return None
    if not isinstance(notes, dict) or (NOTES in header and notes.pop(SUM, "") != _checksum(tensors, notes)):
        return None
    return {name: tensor.to(device) for name, tensor in tensors.items()}, notes


def _checksum(tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> str:
    """Of notes and tensors, whatever their order."""
    digest = hashlib.blake2b(json.dumps(dict(notes), sort_keys=True).encode(), digest_size=16)
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\0{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a ResNet by this package's names, whether they have those already or torchvision's."""
    found = dict(tensors)
    for theirs, ours in TORCHVISION.items():
        found = {re.sub(theirs, ours, name): tensor for name, tensor in found.items()}
    return found


def start(net: nn.Module, spec: NetSpec) -> None:
    """Put pretrained weights into a network, whose last layer stays; a WeightsError where they are none for it."""
    raw = _fetched(spec) if spec.pretrained == "imagenet" else _from_file(Path(spec.pretrained).expanduser())
    foreign, own, head = spec.library or spec.name in BORROWED, net.state_dict(), heads(net, spec)
    # A study's own file has that "net." already.
    found = {f"net.{name.removeprefix('net.')}": tensor for name, tensor in raw.items()} if foreign else renamed(raw)
    tensors = {name: each for name, each in found.items() if not name.startswith((*head, "net.aux", "net.AuxLogits"))}
    first = next(name for name, tensor in own.items() if tensor.ndim == 4)
    if own[first].shape[1] == 1 and first in tensors:  # grey images: what three equal channels would give
        tensors[first] = tensors[first].sum(1, keepdim=True)
    if wrong := [name for name, tensor in tensors.items() if name not in own or own[name].shape != tensor.shape]:
        raise WeightsError(f"pretrained is {spec.pretrained!r}, whose {wrong[0]!r} does not fit {spec.name}")
    # Old files do not count batches, which nothing here uses.
    needed = (name for name in own if not name.startswith(head) and not name.endswith("num_batches_tracked"))
    if lacking := [name for name in needed if name not in tensors]:
        raise WeightsError(f"pretrained is {spec.pretrained!r}, which has no {lacking[0]!r} for {spec.name}")
    net.load_state_dict(tensors, strict=False)


def _fetched(spec: NetSpec) -> dict[str, Tensor]:
    """timm's or torchvision's, from the cache of its hub or from where it publishes them."""
    if spec.library == "timm":
        try:
            return zoo.timm_weights(spec)
        except (OSError, RuntimeError) as error:
            said = f"the weights of {spec.name} could not be fetched ({' '.join(str(error).split()):.300})"
            raise WeightsError(f"{said}: give their file as net.pretrained") from error
    from torchvision.models import get_model_weights

    name = spec.name.removeprefix("torchvision:")
    url = get_model_weights(name).DEFAULT.url
    try:  # checked by their hash
        found: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
            url, progress=False, check_hash=True, weights_only=True, map_location="cpu"
        )
    except (OSError, RuntimeError, HTTPException, pickle.UnpicklingError) as error:
        said = f"the weights of {name} could not be fetched from {url} ({error})"
        raise WeightsError(f"{said}: give their file as net.pretrained") from error
    return found


def _from_file(path: Path) -> dict[str, Tensor]:
    """A file of tensors: safetensors, or what torch.save wrote, if there is no code in it.

    Of a checkpoint that also has an optimizer the weights alone; names without the "module." of DataParallel.
    """
    if not os.path.isfile(path):
        raise WeightsError(f"pretrained is {str(path)!r}, which is no file: must be 'imagenet' or a file of weights")
    if found := read(path):
        return found[0]
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can fail in any way; torch's own words advise to read it unsafely
        raise WeightsError(f"{path} cannot be read safely: must be safetensors, or tensors by torch.save") from error
    if isinstance(raw, Mapping):
        raw = next((raw[key] for key in ("state_dict", "model") if isinstance(raw.get(key), Mapping)), raw)
    if not (isinstance(raw, Mapping) and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in raw.items())):
        raise WeightsError(f"{path} holds no weights: must be tensors by name")
    return {name.removeprefix("module."): tensor for name, tensor in raw.items()}

"""Tensors to disk and back: safetensors, never a pickle; a file is whole or it is not there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor


def write(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> None:
    """Write tensors and notes (both by name) so that a kill at any moment leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".tmp")
    with open(part, "wb") as file:
        file.write(save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, dict(notes)))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def read(path: Path, device: torch.device | str = "cpu") -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """(tensors, notes) of a file; None if there is none or it is not whole."""
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (FileNotFoundError, SafetensorError):
        return None

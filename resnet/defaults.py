"""What torch does where nothing is said: a user's process may have set it otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch


@contextmanager
def usual() -> Iterator[None]:
    """Within it, as torch begins: float32, on the CPU, with gradients. Afterwards it is as it was."""
    dtype, cpu = torch.get_default_dtype(), torch.device("cpu")
    torch.set_default_dtype(torch.float32)
    try:
        # A device that is set costs time at each call of torch.
        with torch.enable_grad(), nullcontext() if torch.get_default_device() == cpu else cpu:
            yield
    finally:
        torch.set_default_dtype(dtype)

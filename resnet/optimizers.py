"""torch's optimizers without its compiler.

torch keeps some of their methods from its compiler, or lets that break its graph there, and imports it for it when the
first of them is called: 880 modules and 1.5 s of a process's first training. Nothing is compiled here.
"""

from __future__ import annotations

from inspect import unwrap

import torch
from torch.optim import Optimizer


class Eager(Optimizer):
    """What all optimizers have of such methods."""

    add_param_group = unwrap(Optimizer.add_param_group)
    load_state_dict = unwrap(Optimizer.load_state_dict)
    state_dict = unwrap(Optimizer.state_dict)
    zero_grad = unwrap(Optimizer.zero_grad)


class AdamW(Eager, torch.optim.AdamW):
    """torch's own."""

    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))


class SGD(Eager, torch.optim.SGD):
    """torch's own."""

    step = torch.no_grad()(unwrap(torch.optim.SGD.step))

"""What is used of fastai, imported without scikit-learn and scipy's image functions.

fastai imports both, for what no training calls: 1.1 of the 5 s that a process takes to import torch and fastai.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["Callback", "Learner", "OptimWrapper", "TrainEvalCallback"]


class _Postponed(ModuleType):
    """A module whose names are functions that import the real one when they are called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: getattr(import_module(self.__name__), name)(*args, **kwargs)


@contextmanager
def _postponed(*names: str) -> Iterator[None]:
    """Stand in for modules that are not imported yet, for as long as somebody else is."""
    missing = {name: _Postponed(name) for name in names if name not in sys.modules}
    sys.modules.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


with warnings.catch_warnings(), _postponed("sklearn.model_selection", "scipy.ndimage"):
    warnings.simplefilter("ignore")  # fastai's own torch.jit deprecations
    from fastai.callback.core import Callback, TrainEvalCallback
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

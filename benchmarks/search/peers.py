"""python -m benchmarks.search.peers NAME…: makes environments of searches that gaopt's own cannot hold.

Each is a folder of `.peers`, which Git ignores, with the versions written here; it sees the packages of the environment
that made it, so that PyTorch is there once. `gaopt bench search --searches NAME` drives adapters.py in it.

PFNs4BO is not among them: its weights are in no package, and its interface suggests one point at a time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.search.protocol import Search, Setting, Trial

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "ax": ("ax-platform==1.3.1", "botorch==0.18.1"),
    "vizier": (
        "google-vizier[jax]==0.1.24",
        # Its Equinox needs the JAX of its time, and that JAX these.
        *("jax==0.4.35", "jaxlib==0.4.35", "flax==0.10.2", "optax==0.2.4", "chex==0.1.88", "orbax-checkpoint==0.6.4"),
        "tfp-nightly==0.26.0.dev20261027",
    ),
    "hebo": (
        "HEBO==0.3.6",
        # It needs a NumPy below 1.25, and that NumPy these.
        *("numpy==1.24.4", "scipy==1.10.1", "pandas==2.0.3", "scikit-learn==1.3.2", "matplotlib==3.8.4"),
    ),
    "smac": ("smac==2.4.1",),
    "syne-tune": ("syne-tune[basic]==0.16.0",),
}


def python(name: str) -> Path:
    """The interpreter of a peer's environment."""
    return ROOT / ".peers" / name / "bin" / "python"


def command(name: str) -> list[str]:
    """What answers for a peer."""
    return [str(python(name)), str(Path(__file__).with_name("adapters.py")), name]


def make(name: str) -> None:
    """Make a peer's environment; there, it is completed."""
    folder = python(name).parents[1]
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    here = sysconfig.get_path("purelib")
    Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}), "gaopt.pth").write_text(here)
    subprocess.run([python(name), "-m", "pip", "install", "--prefer-binary", *PACKAGES[name]], check=True)


class Child(Search):
    """A peer in an environment of its own, by lines of JSON: see adapters.py for what is said."""

    def __init__(self, name: str, setting: Setting) -> None:
        self._process, self._setting, self._batches = _process(name), setting, setting.batches()
        genes = [(name, gene.low, gene.high, gene.scale == "log", gene.integer) for name, gene in setting.space.items()]
        self._say(genes=genes, seed=setting.seed, evaluations=setting.evaluations, noisy=setting.noisy)
        self.seconds = 0.0  # without what it takes to import a library

    def ask(self) -> list[Trial]:
        return [Trial(genes, self._setting.epochs) for genes in self._say(ask=next(self._batches))["asked"]]

    def tell(self, scores: Sequence[float]) -> None:
        self._say(tell=[score if math.isfinite(score) else None for score in scores])

    def _say(self, **what: Any) -> dict[str, Any]:
        print(json.dumps(what), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            raise RuntimeError(f"{self._process.args}: {answer['error']}")
        self.seconds += answer["seconds"]
        return answer


@cache
def _process(name: str) -> subprocess.Popen[str]:
    """One for all runs, for it is long in starting; it ends with this process."""
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
    one["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command(name), stdin=pipe, stdout=pipe, stderr=nowhere, text=True, env=os.environ | one)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=PACKAGES, metavar="NAME", help=", ".join(PACKAGES))
    for name in parser.parse_args().names:
        make(name)


if __name__ == "__main__":
    main()

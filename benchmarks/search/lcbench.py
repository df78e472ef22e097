"""The problems of LCBench, by the surrogate that YAHPO Gym fitted to it.

LCBench (Zimmer, Lindauer, Hutter: *Auto-PyTorch Tabular*, 2021) has the learning curves of 2,000 multi-layer
perceptrons on each of its data sets. The surrogate (Pfisterer et al.: *YAHPO Gym*, 2022; GitHub slds-lmu/yahpo_data,
Apache License 2.0) gives the curve of any other. Its model is `model.onnx` in a folder that the user names, beside
`reference.json`: the best accuracy known of each problem, and the median of random genes. Neither is copied here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gaopt.errors import BadInput
from gaopt.space.gene import Gene
from gaopt.space.space import Genes, Space

SIZES = (3, 7)
"""How many genes are searched; the others are fixed."""

CODES = {
    "7593": 35, "126029": 3, "167149": 7, "167161": 9, "167185": 13, "168330": 18, "189865": 26, "189909": 32,
}  # fmt: skip
"""The surrogate's numbers of the data sets of OpenML."""

GENES = {
    "learning_rate": Gene(1e-4, 1e-1, "log"),
    "weight_decay": Gene(1e-5, 1e-1, "log"),
    "momentum": Gene(0.1, 0.99),
    "batch_size": Gene(16, 512, "log", integer=True),
    "num_layers": Gene(1, 5, integer=True),
    "max_units": Gene(64, 1024, "log", integer=True),
    "max_dropout": Gene(0, 1),
}
FIXED = {"batch_size": 91.0, "num_layers": 3.0, "max_units": 256.0, "max_dropout": 0.5}
ORDER = (
    "epoch", "batch_size", "learning_rate", "momentum", "weight_decay", "num_layers", "max_units", "max_dropout",
)  # fmt: skip
EPOCHS = 50
ACCURACY = 1  # the column of the surrogate's output that is the validation accuracy in percent


class Surrogate:
    """The validation accuracy of networks on one data set: a `Problem`."""

    epochs = EPOCHS

    def __init__(self, session: Any, reference: dict[str, float], code: int, genes: int) -> None:
        self.space = Space(**dict(list(GENES.items())[:genes]))
        self._session, self._code = session, np.array([[code]], np.int32)
        self._best, self._median = reference["best"], reference["median"]

    def score(self, genes: Genes, epochs: int) -> float:
        values = FIXED | genes | {"epoch": float(epochs)}
        plain = np.array([[values[name] for name in ORDER]], np.float32)
        (output,) = self._session.run(["output"], {"x_cat": self._code, "x_cont": plain})
        return float(output[0, ACCURACY])

    def seen(self, genes: Genes, epochs: int, noise: float, rng: random.Random) -> float:
        return self.score(genes, epochs) + (rng.gauss(0.0, noise) if noise else 0.0)

    def regret(self, score: float) -> float:
        return (self._best - score) / (self._best - self._median)


def load(names: Sequence[str], folder: Path | None) -> dict[str, Surrogate]:
    """The problems, by the surrogate in a folder."""
    if folder is None:
        raise BadInput(f"--data is not given, and {names[0]} needs it: must be the folder of LCBench's surrogate")
    try:
        reference = json.loads((folder / "reference.json").read_text("utf-8"))
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(folder / "model.onnx", options)
        return {name: Surrogate(session, reference[name], *_of(name)) for name in names}
    except ModuleNotFoundError:
        raise BadInput("onnxruntime is not installed, and LCBench's problems need it: install gaopt[bench]") from None
    except Exception as error:  # whatever onnxruntime makes of a file that is no model
        raise BadInput(f"{folder} is not the folder of LCBench's surrogate: {error}") from None


def _of(name: str) -> tuple[int, int]:
    """The code of a problem's data set, and how many genes it has: of "lc7-7593" 35 and 7."""
    genes, _, data = name.partition("-")
    return CODES[data], int(genes.removeprefix("lc"))

"""How good searches are on real landscapes: python -m tests.bench_search --data FOLDER. Writes a Markdown table.

The landscapes are those of LCBench, 2,000 networks on each of several data sets, as YAHPO Gym's surrogate has them
(github slds-lmu/yahpo_data: its model as FOLDER/model.onnx, and FOLDER/reference.json with the best and the median
accuracy of each problem). Needs onnxruntime, and optuna for the searches to compare with.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gaopt import Gene, Genetic, Space
from gaopt.config import Assisted
from gaopt.events import Scored
from gaopt.history import History
from gaopt.space import Genes
from gaopt.strategies import GeneticSearch, Strategy, keyed
from gaopt.strategies.assisted import AssistedSearch

CODES = {
    "7593": 35, "126029": 3, "167149": 7, "167161": 9, "167185": 13, "168330": 18, "189865": 26, "189909": 32,
}  # fmt: skip
GENES = {
    "learning_rate": Gene(1e-4, 1e-1, "log"),
    "weight_decay": Gene(1e-5, 1e-1, "log"),
    "momentum": Gene(0.1, 0.99),
    "batch_size": Gene(16, 512, "log", integer=True),
    "num_layers": Gene(1, 5, integer=True),
    "max_units": Gene(64, 1024, "log", integer=True),
    "max_dropout": Gene(0, 1),
}
GIVEN = {"epoch": 50.0, "batch_size": 91.0, "num_layers": 3.0, "max_units": 256.0, "max_dropout": 0.5}
ORDER = (
    "epoch", "batch_size", "learning_rate", "momentum", "weight_decay", "num_layers", "max_units", "max_dropout",
)  # fmt: skip
EVALUATIONS = 50


class Problem:
    """The validation accuracy of fully trained networks on one data set."""

    def __init__(self, session: Any, reference: dict[str, float], code: int, genes: int) -> None:
        self.space = Space(**dict(list(GENES.items())[:genes]))
        self._session, self._code = session, np.array([[code]], np.int32)
        self._best, self._median = reference["best"], reference["median"]

    def __call__(self, genes: Genes) -> float:
        values = GIVEN | genes
        plain = np.array([[values[name] for name in ORDER]], np.float32)
        (output,) = self._session.run(["output"], {"x_cat": self._code, "x_cont": plain})
        return float(output[0, 1])

    def regret(self, score: float) -> float:
        """0 at the best score known, 1 at the median of random genes."""
        return (self._best - score) / (self._best - self._median)


def problems(folder: Path, pattern: str) -> dict[str, Problem]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options)
    reference = json.loads((folder / "reference.json").read_text())
    names = {f"lc{genes}-{name}": (code, genes) for genes in (3, 7) for name, code in CODES.items()}
    return {name: Problem(session, reference[name], *what) for name, what in names.items() if pattern in name}


# A search yields a batch of genes, is sent their scores, and goes on.
Search = Callable[[Space, int, int], Iterator[list[Genes]]]


def ours(make: Callable[[Space, int, int], Strategy]) -> Search:
    def search(space: Space, together: int, seed: int) -> Any:
        history, strategy = History(), make(space, together, seed)
        while decision := strategy.decide(history, together):
            history.add(decision)
            scores = yield [birth.genes for birth in decision.births]
            for birth, score in zip(decision.births, scores, strict=True):
                history.add(Scored(birth.id, score))

    return search


def assisted(space: Space, together: int, seed: int) -> Strategy:
    later = -(-(EVALUATIONS - 10) // together)
    return AssistedSearch(space, Assisted(generations=1 + later, litter=together), seed)


def genetic(space: Space, together: int, seed: int) -> Strategy:
    return GeneticSearch(space, Genetic(generations=9), seed)


def random_search(space: Space, together: int, seed: int) -> Any:
    rng = keyed(seed)
    while True:
        yield [space.sample(rng) for _ in range(together)]


def optuna_search(sampler: str, **options: Any) -> Search:
    def search(space: Space, together: int, seed: int) -> Any:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        chosen = getattr(optuna.samplers, sampler)(seed=seed, **options)
        study = optuna.create_study(direction="maximize", sampler=chosen)
        kinds = {name: _distribution(optuna.distributions, gene) for name, gene in space.items()}
        while True:
            trials = [study.ask(kinds) for _ in range(together)]
            scores = yield [{name: float(value) for name, value in trial.params.items()} for trial in trials]
            for trial, score in zip(trials, scores, strict=True):
                study.tell(trial, score)

    return search


def _distribution(kinds: Any, gene: Gene) -> Any:
    if gene.integer:
        return kinds.IntDistribution(int(gene.low), int(gene.high), log=gene.scale == "log")
    return kinds.FloatDistribution(gene.low, gene.high, log=gene.scale == "log")


SEARCHES: dict[str, Search] = {
    "assisted": ours(assisted),
    "genetic": ours(genetic),
    "random": random_search,
    "optuna-tpe": optuna_search("TPESampler"),
    "optuna-gp": optuna_search("GPSampler", deterministic_objective=True),
}


@dataclass(frozen=True)
class Run:
    """One search of one problem: its regret after the last evaluation, and seconds for a suggestion."""

    regret: float
    seconds: float


def run(search: Search, problem: Problem, together: int, seed: int) -> Run:
    walk: Any = search(problem.space, together, seed)
    scores: list[float] = []
    start, spent = time.perf_counter(), 0.0
    batch = next(walk)
    while True:
        spent += time.perf_counter() - start
        got = [problem(genes) for genes in batch]
        scores += got
        if len(scores) >= EVALUATIONS:
            return Run(problem.regret(max(scores[:EVALUATIONS])), spent / len(scores))
        start = time.perf_counter()
        batch = walk.send(got)


def seed_of(problem: str, number: int) -> int:
    """Of a run: the same for every search, another for every problem."""
    return zlib.crc32(f"{problem} {number}".encode())


def mean_and_error(values: Sequence[float]) -> str:
    return f"{np.mean(values):.4f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.4f}"


def interval(differences: Sequence[float]) -> str:
    """The mean of paired differences with its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    means = np.mean(rng.choice(differences, (10_000, len(differences))), axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{np.mean(differences):+.4f} ({low:+.4f} … {high:+.4f})"


def table(runs: dict[str, dict[tuple[str, int], Run]], together: int) -> list[str]:
    """A row a search: all problems, three and seven genes apart, and how much worse than the first search."""
    first, *_ = runs.values()
    how = "one at a time" if together == 1 else f"in batches of {together}"
    lines = [
        f"| {how} | runs | regret | median | 3 genes | 7 genes | more than assisted | ms a suggestion |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, found in runs.items():
        regrets = [one.regret for one in found.values()]
        parts = [[one.regret for key, one in found.items() if key[0].startswith(kind)] for kind in ("lc3", "lc7")]
        apart = [mean_and_error(part) if len(part) > 1 else "–" for part in parts]
        paired = interval([one.regret - first[key].regret for key, one in found.items() if key in first])
        cost = 1e3 * float(np.mean([one.seconds for one in found.values()]))
        cells = [name, str(len(found)), mean_and_error(regrets), f"{np.median(regrets):.4f}", *apart, paired]
        lines.append(f"| {' | '.join(cells)} | {cost:.1f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--problems", default="", help="those whose name contains this")
    parser.add_argument("--searches", nargs="+", default=list(SEARCHES), choices=list(SEARCHES))
    parser.add_argument("--together", nargs="+", type=int, default=[1, 10])
    parser.add_argument("--each", action="store_true", help="also the mean of each problem")
    given = parser.parse_args()
    found = problems(given.data, given.problems)
    seeds = range(given.first, given.first + given.seeds)
    print(f"`python -m tests.bench_search {' '.join(sys.argv[1:])}`: {len(found)} problems, {len(seeds)} seeds each,")
    print(f"{EVALUATIONS} evaluations, Python {platform.python_version()}.")
    for together in given.together:
        runs: dict[str, dict[tuple[str, int], Run]] = {}
        for name in given.searches:
            keys = [(problem, seed) for problem in found for seed in seeds]
            runs[name] = {key: run(SEARCHES[name], found[key[0]], together, seed_of(*key)) for key in keys}
            print(f"{name}, {together} together: done", file=sys.stderr)
        print("", *table(runs, together), sep="\n", flush=True)
        if given.each:
            for problem in found:
                means = [np.mean([r.regret for k, r in runs[name].items() if k[0] == problem]) for name in runs]
                print(problem, *(f"{mean:.4f}" for mean in means))


if __name__ == "__main__":
    main()

"""What the model is told of a history, every score from its source, and what it foresees of whole trainings."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gaopt.journal.events import Recalled
from gaopt.journal.history import History, Individual
from gaopt.search.base import keyed
from gaopt.search.initial_design import translated
from gaopt.search.surrogate.acquisition import Improvement
from gaopt.search.surrogate.gp import one_thread
from gaopt.search.surrogate.multi_fidelity import Belief, Observations, believed
from gaopt.space.encoding import Array, Encoding
from gaopt.space.space import Genes

MOST = 100
"""Rows of an earlier study: enough to show its shape, and few enough for a model whose time grows with the cube."""

LARGE, EVERY = 150, 50
"""With more outcomes than LARGE the model is bounded, and its hyperparameters are fitted only every so many outcomes,
to those that came before: a fit takes half a second. A driver that resumes the study fits to the same ones."""

Row = tuple[Genes, float]


@dataclass(frozen=True)
class Foresight:
    """What the model expects of whole trainings, by what short ones scored."""

    encoding: Encoding
    belief: Belief  # of whole trainings, after all that was scored so far
    best: Array  # (1,) what a whole training has to improve on
    shares: Sequence[float]  # of the rungs that were heard, in the order of the belief's sources
    rng: np.random.Generator  # of the draws that stand for individuals chosen, but not trained yet

    @property
    def gain(self) -> Improvement:
        return Improvement(self.belief.process, self.best)

    def columns(self, genes: Iterable[Genes]) -> Array:
        """(n, c): individuals as the model sees them."""
        return self.encoding.columns(self.encoding.points(genes))

    def means(self, individuals: Sequence[Individual]) -> Array:
        """(n,): their expected scores after a whole training, in the model's unit."""
        with one_thread():
            return self.belief.process.predict(self.columns(i.genes for i in individuals))[0][:, 0]

    def fittest(self, individuals: Sequence[Individual], number: int) -> list[Individual]:
        """So many by what is expected of them; of equals the older first."""
        return [individuals[n] for n in np.argsort(-self.means(individuals), kind="stable")[:number]]

    def promising(self, individuals: Sequence[Individual], number: int) -> list[Individual]:
        """So many that may, together, improve most on the best whole training."""
        chosen, gain = list[Individual](), self.gain
        with one_thread():
            while len(chosen) < min(number, len(individuals)):
                left = [individual for individual in individuals if individual not in chosen]
                columns = self.columns(individual.genes for individual in left)
                row = int(np.argmax(gain(columns)))
                chosen.append(left[row])
                gain = gain.beside(columns[row], self.rng)
        return chosen

    def variance_removed(self, share: float, genes: Iterable[Genes]) -> float:
        """The share of the doubt about individuals' whole scores that a training so short would remove, in the mean."""
        source = self.shares.index(share) + 1 if share in self.shares else None
        with one_thread():
            return float(self.belief.variance_removed(source, self.columns(genes)).mean())


def foresight(history: History, encoding: Encoding, seed: int, rng: np.random.Generator) -> Foresight:
    """After all scores of a history, of which there is at least one."""
    told, ended = observations(history, encoding, seed), len(history.ends)
    whole = told.values[told.sources == 0]
    with one_thread():
        if ended > LARGE:
            first = ended - ended % EVERY
            fitted = observations(history, encoding, seed, first)
            belief = believed(told, np.random.default_rng(keyed(seed, first).getrandbits(64)), fitted)
        else:
            belief = believed(told, rng)
        # With short trainings only, the best is what they promise.
        best = whole if len(whole) else belief.process.predict(told.points)[0]
    return Foresight(encoding, belief, np.array([best.max()]), shares(history), rng)


def shares(history: History) -> list[float]:
    """Of the rungs on which there is an outcome, the longest first: the first is source 1 of the model."""
    return sorted({share for i in history.individuals.values() for share in _scores(i)} - {1.0}, reverse=True)


def heard(history: History) -> bool:
    """Whether there is anything to learn from."""
    return any(map(_scores, history.individuals.values())) or any(recalled.genes for recalled in history.recalled)


def observations(history: History, encoding: Encoding, seed: int, outcomes: int | None = None) -> Observations:
    """The whole trainings of this study, those of each rung, and what each earlier study found.

    Args:
        outcomes: how many of this study count, the first ones; all by default.
    """
    ended = {(end.individual, share) for share, end in history.ends[:outcomes]}
    everyone = [
        (i.genes, {share: score for share, score in _scores(i).items() if (i.id, share) in ended})
        for i in history.individuals.values()
    ]
    own = [[(genes, of[share]) for genes, of in everyone if share in of] for share in (1.0, *shares(history))]
    earlier = [rows for recalled in history.recalled if (rows := list(_of_study(recalled, encoding, seed)))]
    sources = [*own, *earlier]
    points = encoding.points(genes for rows in sources for genes, _ in rows)
    values = [targets(np.array([score for _, score in rows])) for rows in sources]
    numbers = np.repeat(np.arange(len(sources)), [len(rows) for rows in sources])
    return Observations(encoding.columns(points), np.concatenate(values), numbers)


def _scores(individual: Individual) -> dict[float, float]:
    """Its scores by their share of a whole training; a failure is one too, at the share that it failed on."""
    scores = {share: scored.fitness for share, scored in individual.early.items()}
    return scores | ({individual.share: individual.fitness} if individual.done else {})


def _of_study(recalled: Recalled, encoding: Encoding, seed: int) -> Iterator[Row]:
    """Its individuals as they would be in this space; of many, every so many-th in the order of their fitness."""
    order = sorted(range(len(recalled.genes)), key=lambda n: -recalled.fitness[n])
    for place in order[:: math.ceil(len(order) / MOST) or 1]:
        if genes := translated(encoding.space, recalled.genes[place], seed, place):
            yield genes, recalled.fitness[place]


def targets(fitnesses: Array) -> Array:
    """Fitnesses (n,) bent and standardised to mean 0 and deviation 1; what is not finite is a failure.

    The better half keeps its proportions. With m the median and s = (best - m) / 2, a score y below m becomes
    m - s log(1 + (m - y) / s): without a bend, and ever flatter, so that a training that came to nothing tells the
    model "bad here" and no more. A failure lies as far below the worst score as the best lies above the median.
    """
    fine = np.isfinite(fitnesses)
    if not fine.any():
        return np.zeros(len(fitnesses))
    scores = fitnesses[fine]
    # Any scale does as well: by a power of two, which changes no digit, the largest are near 1 and nothing overflows.
    scores = np.ldexp(scores, -np.frexp(np.abs(scores).max())[1])
    median, best = float(np.median(scores)), scores.max()
    # All the better half alike, or all of them: any other length does as well.
    span = (best - median) or (best - scores.min()) or 1.0
    below = np.maximum(median - scores, 0.0)
    bent = np.full(len(fitnesses), np.nan)
    bent[fine] = np.where(scores < median, median - span / 2 * np.log1p(below / (span / 2)), scores)
    bent[~fine] = np.nanmin(bent) - span
    return np.asarray((bent - bent.mean()) / (bent.std() or 1.0))

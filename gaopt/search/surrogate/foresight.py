"""What a search with a model foresees of individuals that were not trained to the end yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gaopt.journal.history import History, Individual
from gaopt.search.surrogate import sources
from gaopt.search.surrogate.acquisition import Improvement
from gaopt.search.surrogate.gp import one_thread
from gaopt.search.surrogate.multi_fidelity import Belief, believed
from gaopt.space.encoding import Array, Encoding
from gaopt.space.space import Genes


@dataclass(frozen=True)
class Foresight:
    """What the model expects of whole trainings, by what short ones scored.

    Attributes:
        belief: of whole trainings, after all that was scored so far.
        best: (1,) what a whole training has to improve on.
        shares: of the rungs that were heard, in the order of the belief's sources.
        rng: of the draws that stand for individuals chosen, but not trained yet.
    """

    encoding: Encoding
    belief: Belief
    best: Array
    shares: Sequence[float]
    rng: np.random.Generator

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
        order = np.argsort(-self.means(individuals), kind="stable")
        return [individuals[n] for n in order[:number]]

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
    told = sources.told(history, encoding, seed)
    with one_thread():
        belief = believed(told, rng)
        best = sources.best(told)
        if not len(best):  # only short trainings so far: the best is what they promise
            best = belief.process.predict(told.points)[0].max(0)
    return Foresight(encoding, belief, best, sources.shares(history), rng)

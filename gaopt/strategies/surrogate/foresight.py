"""What the model is told of a history, every score from its source, and what it foresees of whole trainings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaopt.journal.events import Birth, Failed, Recalled, Scored
from gaopt.journal.history import History, Individual
from gaopt.space.encoding import Array, Encoding
from gaopt.space.space import Genes
from gaopt.strategies.base import keyed
from gaopt.strategies.initial_design import translated
from gaopt.strategies.surrogate.acquisition import LITTLE, Improvement, Prior, prior
from gaopt.strategies.surrogate.gp import lower_factor, one_thread
from gaopt.strategies.surrogate.multi_fidelity import Belief, Observations, believed

MOST = 100
"""Rows of an earlier study: enough to show its shape, and few enough for a model whose time grows with the cube."""
LARGE, EVERY = 150, 50
"""With more outcomes than LARGE the model is bounded, and its hyperparameters are fitted only every so many outcomes,
to those that came before: a fit takes half a second. A driver that resumes the study fits to the same ones."""
FEW = 5
"""Whole trainings before there is a prospect, and the fewest that one is of: one alone is a matter of luck."""
LOOKS = 1000
"""Draws that a rung is judged by, whose ratio of gains is then out by about three hundredths."""

Row = tuple[Genes, float]


@dataclass(frozen=True)
class Prospect:
    """What some trainings may be expected to bring, as fitnesses.

    Attributes:
        number: of trainings.
        gain: by how much they raise the best, on average.
        spread: the best less the median, or less the worst where the better half are alike.
        noise: the standard deviation of trainings of the same genes, as the model has it.
    """

    number: int
    gain: float
    spread: float
    noise: float


@dataclass(frozen=True)
class Foresight:
    """What the model expects of whole trainings, by what short ones scored."""

    encoding: Encoding
    belief: Belief  # of whole trainings, after all that was scored so far
    best: Array  # (1,) what a whole training has to improve on
    shares: Sequence[float]  # of the rungs that were heard, in the order of the belief's sources
    prior: Prior | None  # what people hold probable, as far as scores agree
    bend: Bend | None  # by which the fitnesses of whole trainings became what the model was told; None without any
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

    def expected(self, births: Sequence[Birth]) -> list[Birth]:
        """The births with the fitness expected of a whole training, and the deviation with that of trainings in it.

        None is told where no whole training has ended: their unit is not known.
        """
        if self.bend is None or not births:
            return list(births)
        with one_thread():
            means, deviations = self.belief.process.predict(self.columns(birth.genes for birth in births))
        spread = np.sqrt(deviations**2 + self.belief.ties.noises[0])
        low, middle, high = (self.bend.fitness(means[:, 0] + way * spread) for way in (-1, 0, 1))
        told = zip(births, middle.tolist(), ((high - low) / 2).tolist(), strict=True)
        return [replace(birth, expected=(_short(mean), _short(half))) for birth, mean, half in told]

    def prospect(self, genes: Iterable[Genes]) -> Prospect | None:
        """Of whole trainings of these; None where fewer than FEW have ended, or all alike: little is known of more."""
        if self.bend is None or np.count_nonzero(self.belief.sources == 0) < FEW or not self.bend.spread:
            return None
        columns, gain, total = self.columns(genes), self.gain, 0.0
        with one_thread():
            for column in columns:  # each beside those before it: the sum is that of all together
                total += float(np.exp(gain(column[None])[0]))
                gain = gain.beside(column, self.rng)
        unit = math.ldexp(self.bend.deviation, self.bend.exponent)  # above the median proportions are kept
        spread, noise = math.ldexp(self.bend.spread, self.bend.exponent), float(self.belief.ties.noises[0])
        return Prospect(len(columns), total * unit, spread, math.sqrt(noise) * unit)

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

    def worth(self, share: float, genes: Sequence[Genes], going: int, whole: int) -> float:
        """What a rung may bring, as a multiple of what whole trainings of the first `whole` individuals may.

        Both are the mean rise of the best over joint draws of whole and early scores; from the rung, the `going` that
        are expected to score most go on.
        """
        number = len(genes)
        with one_thread():
            means, shared = self._belief_at(share).joint(self.columns(genes), self._source(share))
            drawn = self.rng.standard_normal((LOOKS, 2 * number)) @ lower_factor(shared).T
            scores = means[:number] + drawn[:, :number]
            by_early = np.linalg.solve(shared[number:, number:], shared[number:, :number])
            expected = means[:number] + drawn[:, number:] @ by_early
            chosen = np.argsort(-expected, axis=1)[:, :going]
            ways = np.take_along_axis(scores, chosen, axis=1), scores[:, :whole]
        short, full = (float(np.maximum(way.max(1) - self.best[0], 0.0).mean()) for way in ways)
        return (short + LITTLE) / (full + LITTLE)  # with nothing left to gain, the ratio would be one of rounding

    def _source(self, share: float) -> int:
        return self.shares.index(share) + 1 if share in self.shares else len(self.belief.ties.scales)

    def _belief_at(self, share: float) -> Belief:
        """A rung never heard correlates as that nearest to it says, if correlation falls evenly with log epochs."""
        if share in self.shares:
            return self.belief
        near = min(self.shares, key=lambda heard: abs(math.log(heard / share)))
        correlation = self.belief.ties.correlations[self._source(near)] ** (math.log(share) / math.log(near))
        return replace(self.belief, ties=self.belief.ties.beside(correlation))


def foresight(history: History, encoding: Encoding, seed: int, rng: np.random.Generator) -> Foresight:
    """After all scores of a history, of which there is at least one."""
    (told, bend), ended = observations(history, encoding, seed), len(_ends(history))
    whole = told.values[told.sources == 0]
    with one_thread():
        if ended > LARGE:
            first = ended - ended % EVERY
            fitted, _ = observations(history, encoding, seed, first)
            belief = believed(told, np.random.default_rng(keyed(seed, first).getrandbits(64)), fitted)
        else:
            belief = believed(told, rng)
        # With short trainings only, the best is what they promise.
        best = whole if len(whole) else belief.process.predict(told.points)[0]
    own = told.sources <= len(rungs := shares(history))
    known = prior(encoding, told.points[own], told.values[own])
    return Foresight(encoding, belief, np.array([best.max()]), rungs, known, bend if history.ranked else None, rng)


def _unit(everyone: Sequence[Mapping[float, float]]) -> tuple[Bend, dict[float, float]]:
    """One unit for all scores of a study: their bend, and by share the shift that makes its scores like whole ones.

    The shift is the median difference of individuals that have both. Each counts once, by its longest training.
    Standardised apart, the few good ones that are trained whole would look as spread as all that are trained short.
    """
    added = dict[float, float]()
    for share in sorted({share for of in everyone for share in of}, reverse=True):
        longer = [(min(more), of) for of in everyone if share in of and (more := [each for each in of if each > share])]
        differences = [of[more] + added[more] - of[share] for more, of in longer]
        fine = [difference for difference in differences if math.isfinite(difference)]
        added[share] = float(np.median(fine)) if fine else 0.0
    return Bend.of(np.array([of[max(of)] + added[max(of)] for of in everyone if of])), added


def _short(value: float) -> float:
    return float(f"{value:.6g}")  # what people read


def shares(history: History) -> list[float]:
    """Of the rungs on which there is an outcome, the longest first: the first is source 1 of the model."""
    return sorted({share for i in history.searched for share in _scores(i)} - {1.0}, reverse=True)


def heard(history: History) -> bool:
    """Whether there is anything to learn from."""
    return any(map(_scores, history.searched)) or any(recalled.genes for recalled in history.recalled)


def observations(
    history: History, encoding: Encoding, seed: int, outcomes: int | None = None
) -> tuple[Observations, Bend]:
    """The whole trainings of this study, those of each rung, what each earlier study found; and the bend of its scores.

    Args:
        outcomes: how many of this study count, the first ones; all by default.
    """
    ended = {(end.individual, share) for share, end in _ends(history)[:outcomes]}
    everyone = [
        (i.genes, {share: score for share, score in _scores(i).items() if (i.id, share) in ended})
        for i in history.searched
    ]
    bend, added = _unit([of for _, of in everyone])
    rungs = (1.0, *shares(history))
    own = [[(genes, of[share]) for genes, of in everyone if share in of] for share in rungs]
    earlier = [rows for recalled in history.recalled if (rows := list(_of_study(recalled, encoding, seed)))]
    sources = [*own, *earlier]
    points = encoding.points(genes for rows in sources for genes, _ in rows)
    scores = [np.array([score for _, score in rows]) for rows in sources]
    values = [bend(each + added.get(share, 0.0)) for share, each in zip(rungs, scores, strict=False)]
    values += [Bend.of(each)(each) for each in scores[len(rungs) :]]
    numbers = np.repeat(np.arange(len(sources)), [len(rows) for rows in sources])
    return Observations(encoding.columns(points), np.concatenate(values), numbers), bend


def _ends(history: History) -> list[tuple[float, Scored | Failed]]:
    return [each for each in history.ends if history.individuals[each[1].individual].birth.origin != "repeat"]


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


@dataclass(frozen=True)
class Bend:
    """How fitnesses become what the model is told, and back; what is not finite is a failure.

    The better half keeps its proportions. With m the median and s = (best - m) / 2, a score y below m becomes
    m - s log(1 + (m - y) / s): without a bend, and ever flatter, so that a training that came to nothing tells the
    model "bad here" and no more. A failure lies as far below the worst score as the best lies above the median.

    Attributes:
        exponent: fitnesses are divided by 2 to its power. Any scale does as well: this one changes no digit, and the
            largest are near 1, so that nothing overflows.
        span: best - m, or another length where that is 0: the spread of all, or 1.
        spread: the same, 0 where all are alike.
        failed: what a failure becomes, before all are standardised by `mean` and `deviation`.
    """

    exponent: int
    median: float
    span: float
    failed: float
    spread: float = 0.0
    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, fitnesses: Array) -> Bend:
        """That of these fitnesses (n,)."""
        fine = fitnesses[np.isfinite(fitnesses)]
        if not len(fine):
            return cls(0, 0.0, 1.0, 0.0)
        exponent = int(np.frexp(np.abs(fine).max())[1])
        scores = np.ldexp(fine, -exponent)
        median, best = float(np.median(scores)), scores.max()
        spread = float((best - median) or (best - scores.min()))
        span = spread or 1.0
        bend = cls(exponent, median, span, 0.0, spread)
        bend = replace(bend, failed=float(bend._bent(fine).min()) - span)
        bent = bend._bent(fitnesses)
        return replace(bend, mean=bent.mean(), deviation=bent.std() or 1.0)

    def _bent(self, fitnesses: Array) -> Array:
        fine = np.isfinite(fitnesses)
        scores = np.ldexp(np.where(fine, fitnesses, 0.0), -self.exponent)
        below = np.maximum(self.median - scores, 0.0)
        low = self.median - self.span / 2 * np.log1p(below / (self.span / 2))
        return np.where(fine, np.where(scores < self.median, low, scores), self.failed)

    def __call__(self, fitnesses: Array) -> Array:
        return np.asarray((self._bent(fitnesses) - self.mean) / self.deviation)

    def fitness(self, targets: Array) -> Array:
        """The inverse, but for failures."""
        bent = targets * self.deviation + self.mean
        below = self.span / 2 * np.expm1(np.maximum(self.median - bent, 0.0) / (self.span / 2))
        return np.asarray(np.ldexp(np.where(bent < self.median, self.median - below, bent), self.exponent))

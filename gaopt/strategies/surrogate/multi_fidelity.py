"""The Gaussian process, told also what it may trust only in part: scores of short trainings and of earlier studies.

Each kind of score is a source of its own; source 0 is the truth, the whole trainings of this study. The others tell a
scaled truth with a deviation that is as smooth as the truth itself: with ρ the correlation of a source with the truth
and a its scale, scores of sources s and t covary by a_s a_t ρ_s ρ_t times the covariance of the truth, those of one
source by a². That is the autoregressive model of Kennedy and O'Hagan, *Predicting the Output from a Complex Computer
Code When Fast Approximations Are Available*, 2000, read from the truth to its approximations, and the task kernel of
Swersky, Snoek and Adams, *Multi-Task Bayesian Optimization*, 2013, with one number a task. The study itself says what
ρ is, by the individuals that have several scores and by those that lie near each other: where a source misleads,
ρ falls, and the truth is predicted as if the source had never been heard.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from gaopt.space.encoding import Array
from gaopt.strategies.surrogate import gp
from gaopt.strategies.surrogate.gp import Process, covariance

STARTS, STEPS = 3, 50
"""Ascents to the most probable hyperparameters, and the steps of each."""
OFFSET = 4.0  # variance of the constant by which a source may lie off: each earlier study is standardised by itself
MEANS = {"logit": 1.5, "scale": 0.0, "noise": np.log(0.01)}
DEVIATIONS = {"logit": 1.5, "scale": 0.25, "noise": 1.5}
"""What is held of a source: a correlation of 0.82, between 0.18 and 0.99; the truth's scale, give or take a quarter.
With 0.5 instead, short trainings end 0.012 ± 0.011 better on the tuned problems, and 0.065 ± 0.045 worse where early
scores are luck (32 runs)."""


@dataclass(frozen=True)
class Observations:
    """What is known, one row a score."""

    points: Array  # (n, d) in the unit cube
    values: Array  # (n,) standardised: of this study together, of each earlier one by themselves
    sources: np.ndarray  # (n,) whole numbers, 0 for the truth

    def of(self, rows: NDArray[np.intp]) -> "Observations":
        return Observations(self.points[rows], self.values[rows], self.sources[rows])


@dataclass(frozen=True)
class SourceCorrelation:
    """How the sources hang together. Each array (s + 1,) begins with the truth."""

    correlations: Array  # ρ with the truth, which has 1
    scales: Array  # a of each, of the truth 1
    noises: Array  # variances of a score

    def beside(self, correlation: float) -> "SourceCorrelation":
        """With one more source, of which no more is known."""
        noise = np.exp(MEANS["noise"])
        return SourceCorrelation(
            np.append(self.correlations, correlation), np.append(self.scales, 1.0), np.append(self.noises, noise)
        )

    def across(self, one: np.ndarray, other: np.ndarray) -> Array:
        """(m, n): covariances of rows of sources (m,) with rows of sources (n,), as multiples of that of the truth."""
        shared = np.outer(self.correlations[one], self.correlations[other])
        shared[one[:, None] == other] = 1.0
        return np.asarray(shared * np.outer(self.scales[one], self.scales[other]))


def offsets(one: np.ndarray, other: np.ndarray) -> Array:
    """(m, n): what rows of one source have in common beside the truth."""
    return np.where((one[:, None] == other) & (other > 0), OFFSET, 0.0)


class Evidence:
    """The negative logarithm of the posterior of hyperparameters, with its gradient (RW eq. 5.8 and 5.9).

    With s sources beside the truth the vector goes on with s logits of ρ, s log scales, s log noises.
    """

    def __init__(self, told: Observations, count: int) -> None:
        points = told.points
        self._values, self._sources = told.values, told.sources
        self._squares = ((points[:, None] - points) ** 2).transpose(2, 0, 1).reshape(points.shape[1], -1)
        self._trends = gp.legendre(points)
        self._of = told.sources[:, None] == np.arange(1, count + 1)
        self._offsets = offsets(told.sources, told.sources)
        means, deviations = gp.priors(points.shape[1])
        self._base = len(means)
        self.means = np.concatenate([means, *([mean] * count for mean in MEANS.values())])
        self.deviations = np.concatenate([deviations, *([each] * count for each in DEVIATIONS.values())])

    def __call__(self, logs: Array) -> tuple[float, Array]:
        loss, slope = self.likelihood(logs)
        away = (logs - self.means) / self.deviations
        return loss + 0.5 * float(away @ away), slope + away / self.deviations

    def ties(self, logs: Array) -> SourceCorrelation:
        logits, scales, noises = logs[self._base :].reshape(3, -1)
        noises = np.append(gp.hyper(logs[: self._base]).noise, np.exp(noises))
        return SourceCorrelation(np.append(1.0, expit(logits)), np.append(1.0, np.exp(scales)), noises)

    def likelihood(self, logs: Array) -> tuple[float, Array]:
        """The negative log marginal likelihood alone."""
        given, ties, size = gp.hyper(logs[: self._base]), self.ties(logs), len(self._values)
        inverse_squares = given.scales**-2.0
        distance = gp.ROOT5 * np.sqrt(inverse_squares @ self._squares).reshape(size, size)
        decay = given.variance * np.exp(-distance)
        smooth = decay * (1 + distance + distance**2 / 3)
        clean = smooth + (self._trends * given.trends) @ self._trends.T
        between = ties.across(self._sources, self._sources)
        tied, noise = clean * between, ties.noises[self._sources]
        loss, pull = gp.neg_log_likelihood(tied + self._offsets + np.diag(noise), self._values)
        by_noise, drawn, own = noise * np.diag(pull), pull * tied, self._sources == 0
        apart = np.where(self._sources[:, None] == self._sources, 0.0, drawn)  # ρ of a source does nothing within it
        # Two ways to one sum, which differ in the last digit: so a search goes on as it was begun.
        own_noise = given.noise * float(np.trace(pull)) if own.all() else float(by_noise[own].sum())
        pull = pull * between
        return loss, np.concatenate(
            [
                5 / 3 * (self._squares @ (pull * decay * (1 + distance)).ravel()) * inverse_squares,
                [np.vdot(pull, smooth), own_noise],
                given.trends * np.einsum("ij,ij->j", self._trends, pull @ self._trends),
                2 * (apart.sum(1) @ self._of) * (1 - ties.correlations[1:]),  # d log ρ = (1 - ρ) d logit
                2 * (drawn.sum(1) @ self._of),
                by_noise @ self._of,
            ]
        )

    def most_probable(self, rng: np.random.Generator) -> Array:
        """The logarithms of the most probable hyperparameters."""
        starts = [self.means, *(self.means + self.deviations * rng.uniform(-1, 1, (STARTS - 1, len(self.means))))]
        key = tuple(array.tobytes() for array in (self._values, self._sources, self._trends, *starts))
        if (found := _found.get(key)) is None:
            found = self._climbed(starts)
            _found.clear()
            _found[key] = found
        return found

    def _climbed(self, starts: list[Array]) -> Array:
        bounds = list(zip(self.means - 4 * self.deviations, self.means + 4 * self.deviations, strict=True))
        options = {"maxiter": STEPS, "ftol": 1e-6}
        ends = [minimize(self, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options) for start in starts]
        return np.asarray(min(ends, key=lambda end: float(end.fun)).x)


_found: dict[tuple[bytes, ...], Array] = {}
"""The newest fit, by all that it follows from: the same is asked for several times in a decision, or in many."""


@dataclass(frozen=True)
class Belief:
    """A process that predicts the truth, and what it thinks of the sources (n,) of the rows that it has seen."""

    process: Process
    ties: SourceCorrelation
    sources: np.ndarray

    def joint(self, points: Array, source: int) -> tuple[Array, Array]:
        """Mean (2 m,) and covariance (2 m, 2 m) of the truth at points (m, d), then of their scores by a source."""
        process, ties, sources = self.process, self.ties, np.repeat([0, source], len(points))
        twice = np.vstack([points, points])
        cross = covariance(process.hyper, twice, process.points) * ties.across(sources, self.sources)
        cross += offsets(sources, self.sources)
        spread = cross @ process.root.T
        shared = covariance(process.hyper, twice, twice) * ties.across(sources, sources) + offsets(sources, sources)
        noise = np.where(sources > 0, ties.noises[source], 0.0)
        return (cross @ process.weights)[:, 0], shared - spread @ spread.T + np.diag(noise)


def believed(told: Observations, rng: np.random.Generator, fitted: Observations | None = None) -> Belief:
    """What is most probable, given all that was told; n > 0.

    Args:
        fitted: of a large study, what the hyperparameters are fitted to instead. Then both are bounded in number.
    """
    evidence = Evidence(fitted.of(gp.informative_rows(fitted.values, rng)) if fitted else told, int(told.sources.max()))
    logs = evidence.most_probable(rng)
    given, ties = gp.hyper(logs[: 3 * told.points.shape[1] + 2]), evidence.ties(logs)
    if fitted:
        told = told.of(gp.covering_rows(told.points / given.scales, told.values))
    return conditioned(given, ties, told)


def conditioned(given: gp.Hyper, ties: SourceCorrelation, told: Observations) -> Belief:
    """What is believed with these hyperparameters."""
    sources = told.sources
    shared = covariance(given, told.points, told.points) * ties.across(sources, sources)
    shared += offsets(sources, sources) + np.diag(ties.noises[sources])
    trust = (ties.correlations * ties.scales)[sources]
    return Belief(gp.solved(given, told.points, told.values[:, None], trust, shared), ties, sources)

"""How much better than the best so far a genome may be: expected improvement, also beside genomes already chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.special import erfcx, log_ndtr, logsumexp, ndtr

from gaopt.space.encoding import Array, Encoding
from gaopt.strategies.surrogate.gp import Process

DRAWS = 32
"""Ways in which trainings under way may end: eight did as well for batches of five (-0.004 ± 0.008, 60 runs)."""
STEPS = 30
"""Of an ascent; most end before."""
LITTLE = 0.01
"""An expected improvement, in deviations of the scores, below which there is nothing left to expect."""
FAR = 0.2
"""How far from all whole trainings, and from those chosen or under way, a genome must lie to be one that the model may
be wrong about: chosen, not tuned."""
LASTING = 10.0
"""The weight of a prior is its correlation with the scores, times this over their number: full after ten that agree,
half after twenty. With 30, right priors helped no more, and merely plausible ones cost twice as much."""


@dataclass(frozen=True)
class Improvement:
    """The logarithm of the mean expected improvement over the ways in which it may go on.

    Each column of the process is one way: a joint posterior draw at the genomes chosen already (Snoek, Larochelle and
    Adams, *Practical Bayesian Optimization of Machine Learning Algorithms*, 2012, section 3.2). The logarithm is that
    of Ament et al., *Unexpected Improvements to Expected Improvement for Bayesian Optimization*, 2023, section 4.
    """

    process: Process
    best: Array  # (s,) what is to be improved on in each of the ways
    prior: Prior | None = None  # what people hold probable

    def __call__(self, points: Array) -> Array:
        """(m,) for points (m, d)."""
        mean, deviation = self.process.predict(points)
        logs = log_gain((mean - self.best) / deviation[:, None])
        found = logsumexp(logs, axis=1) + np.log(deviation) - math.log(len(self.best))
        return np.asarray(found + self.prior(points) if self.prior else found)

    def slope(self, point: Array) -> tuple[float, Array]:
        """Value and gradient (d,) at one point (d,)."""
        mean, deviation, by_mean, by_deviation = self.process.slope(point)
        z = (mean - self.best) / deviation
        total = logsumexp(log_gain(z))
        # The gain deviation * h(z) grows by Φ(z) with the mean, and by φ(z) with the deviation.
        up, out = np.exp(log_ndtr(z) - total) / deviation, np.exp(log_density(z) - total) / deviation
        gradient = by_mean @ up + by_deviation * out.sum()
        value = float(total) + math.log(deviation) - math.log(len(self.best))
        if self.prior:
            return value + float(self.prior(point[None])[0]), gradient + self.prior.slope(point)
        return value, gradient

    def beside(self, point: Array, rng: np.random.Generator) -> Improvement:
        """The same once a point (d,) is chosen: each way goes on with a draw there, and improves on that too."""
        mean, deviation = self.process.predict(point[None])
        drawn = mean[0] + deviation[0] * rng.standard_normal(DRAWS)
        return replace(self, process=self.process.also(point, drawn), best=np.maximum(self.best, drawn))

    def doubting(self, points: Array) -> Array:
        """(m,): for points (m, d), how high the truth may be, two deviations up; none within FAR of whole trainings."""
        mean, deviation = self.process.predict(points)
        whole = self.process.points[self.process.trust == 1.0]  # not rows of earlier studies, nor short trainings
        known = cdist(points, whole).min(axis=1, initial=np.inf) < FAR
        return np.where(known, -np.inf, mean.mean(axis=1) + 2 * deviation)

    def climbed(self, point: Array, free: Array) -> Array:
        """Where a bounded ascent from a point (d,) ends; only genes that are free (d,) move."""
        if not free.any():
            return point

        def downhill(moved: Array) -> tuple[float, Array]:
            whole = point.copy()
            whole[free] = moved
            value, gradient = self.slope(whole)
            return -value, -gradient[free]

        bounds, options = [(0.0, 1.0)] * int(free.sum()), {"maxiter": STEPS}
        end = minimize(downhill, point[free], jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        summit = point.copy()
        summit[free] = np.clip(end.x, 0.0, 1.0)
        return summit


@dataclass(frozen=True)
class Prior:
    """What people hold probable, as the logarithm of a density by columns that fades with trainings.

    It is added to the logarithm of the improvement: Hvarfner et al., *πBO: Augmenting Acquisition Functions with User
    Beliefs for Bayesian Optimization*, 2022, section 3.
    """

    weight: float
    means: Array  # (c,)
    deviations: Array  # (c,) of the normal density of a number, infinite where nothing is known
    odds: Array  # (c,) logarithms, of choices

    def __call__(self, points: Array) -> Array:
        """(m,) for points (m, c)."""
        away = (points - self.means) / self.deviations
        return np.asarray(self.weight * (points @ self.odds - 0.5 * (away**2).sum(1)))

    def slope(self, point: Array) -> Array:
        """The gradient (c,) at one point (c,)."""
        return np.asarray(self.weight * (self.odds - (point - self.means) / self.deviations**2))


def prior(encoding: Encoding, points: Array, values: Array) -> Prior | None:
    """What the genes' priors still say after scores (n,) at points (n, c); None where they say nothing.

    The weight is the correlation of the scores with how near their points lie to the priors: where these mislead, none.
    """
    if not encoding.space.priors:
        return None
    found = Prior(1.0, *encoding.beliefs())
    if not len(values):
        return found
    logs = found(points)
    near = -np.sqrt(logs.max() - logs)
    shared = float(((near - near.mean()) * (values - values.mean())).mean())
    return replace(found, weight=LASTING / len(values) * shared / (near.std() * values.std())) if shared > 0 else None


def log_gain(z: Array) -> Array:
    """log h(z), where h(z) = φ(z) + z Φ(z) is the expected improvement of a standard normal.

    Far below, h is a difference of nearly equal numbers: there it is φ (1 + z Φ/φ), and Φ/φ the scaled complementary
    error function; further still, its series φ / z².
    """
    logs, low = np.empty_like(z), z < 0
    near, below = z[~low], z[low]
    logs[~low] = np.log(np.exp(log_density(near)) + near * ndtr(near))
    rest = 1 + below * math.sqrt(math.pi / 2) * erfcx(-below / math.sqrt(2))
    logs[low] = log_density(below) + np.log(np.where(below < -1000, below**-2.0, np.maximum(rest, 1e-300)))
    return logs


def log_density(z: Array) -> Array:
    """log φ(z)."""
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)

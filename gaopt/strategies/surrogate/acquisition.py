"""How much better than the best so far a genome may be: expected improvement, also beside genomes already chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import erfcx, log_ndtr, logsumexp, ndtr

from gaopt.space.encoding import Array
from gaopt.strategies.surrogate.gp import Process

DRAWS = 32
STEPS = 30


@dataclass(frozen=True)
class Improvement:
    """The logarithm of the mean expected improvement over the ways in which it may go on.

    Each column of the process is one way: a joint posterior draw at the genomes chosen already (Snoek, Larochelle and
    Adams, *Practical Bayesian Optimization of Machine Learning Algorithms*, 2012, section 3.2). The logarithm is that
    of Ament et al., *Unexpected Improvements to Expected Improvement for Bayesian Optimization*, 2023, section 4.
    """

    process: Process
    best: Array  # (s,) what is to be improved on in each of the ways

    def __call__(self, points: Array) -> Array:
        """(m,) for points (m, d)."""
        mean, deviation = self.process.predict(points)
        logs = log_gain((mean - self.best) / deviation[:, None])
        return np.asarray(logsumexp(logs, axis=1) + np.log(deviation) - math.log(len(self.best)))

    def slope(self, point: Array) -> tuple[float, Array]:
        """Value and gradient (d,) at one point (d,)."""
        mean, deviation, by_mean, by_deviation = self.process.slope(point)
        z = (mean - self.best) / deviation
        total = logsumexp(log_gain(z))
        # The gain deviation * h(z) grows by Φ(z) with the mean, and by φ(z) with the deviation.
        up, out = np.exp(log_ndtr(z) - total) / deviation, np.exp(log_density(z) - total) / deviation
        gradient = by_mean @ up + by_deviation * out.sum()
        return float(total) + math.log(deviation) - math.log(len(self.best)), gradient

    def beside(self, point: Array, rng: np.random.Generator) -> Improvement:
        """The same once a point (d,) is chosen: each way goes on with a draw there, and improves on that too."""
        mean, deviation = self.process.predict(point[None])
        drawn = mean[0] + deviation[0] * rng.standard_normal(DRAWS)
        return Improvement(self.process.also(point, drawn), np.maximum(self.best, drawn))

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

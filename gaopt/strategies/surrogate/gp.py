"""A Gaussian process over the unit cube: what the search believes of genes that were not trained yet.

Rasmussen and Williams, *Gaussian Processes for Machine Learning* (2006), cited as RW: Matérn-5/2 with a length scale
a gene (eq. 4.17), a linear and a quadratic Legendre trend a gene (section 2.7), and noise. All hyperparameters are
logarithms, in one vector: d length scales, variance, noise, d linear and d quadratic trends.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.spatial.distance import cdist
from threadpoolctl import ThreadpoolController

from gaopt.space.encoding import Array

FITTED, TOLD = 200, 400
"""Of a large study, rows that hyperparameters are fitted to, and that the process is told: both take a cube of time."""
ROOT5 = math.sqrt(5.0)


def one_thread() -> AbstractContextManager[object]:
    """While it lasts, matrices are multiplied on one thread.

    Small ones are ten times slower on several when the machine is busy, and their last digits, hence what is decided,
    would depend on how many there are.
    """
    return _controller().limit(limits=1, user_api="blas")


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries: 15 ms


@dataclass(frozen=True)
class Hyper:
    """What the process is shaped by."""

    scales: Array  # (d,) length scales
    variance: float  # of the Matérn part
    noise: float  # variance of an observation about the truth
    trends: Array  # (2 d,) variances of the linear, then of the quadratic trends


@dataclass(frozen=True)
class Process:
    """A Gaussian process that has seen n points, with s columns of values: one that was observed, or ways to go on."""

    hyper: Hyper
    points: Array  # (n, d) in the unit cube
    trust: Array  # (n,) covariance of each value with the truth, by the prior, as a multiple of that of a truth there
    root: Array  # (n, n) the inverse of the Cholesky factor of the values' covariance
    weights: Array  # (n, s) the covariance's inverse times the values

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean (m, s) and standard deviation (m,) of the truth at points (m, d); RW eq. 2.25 and 2.26."""
        cross = covariance(self.hyper, points, self.points) * self.trust
        spread = cross @ self.root.T
        left = prior_variance(self.hyper, points) - np.einsum("ij,ij->i", spread, spread)
        return cross @ self.weights, np.sqrt(np.maximum(left, 1e-12))

    def slope(self, point: Array) -> tuple[Array, float, Array, Array]:
        """Mean (s,) and standard deviation at one point (d,), and their gradients (d, s) and (d,)."""
        one, scaled = point[None], (point - self.points) / self.hyper.scales
        cross = covariance(self.hyper, one, self.points)[0] * self.trust
        distance = np.sqrt((scaled**2).sum(1))
        # RW eq. 4.17, differentiated: dk/dx = -5/3 variance (1 + √5 r) exp(-√5 r) (x - x') / scale².
        fall = -5 / 3 * self.hyper.variance * (1 + ROOT5 * distance) * np.exp(-ROOT5 * distance)
        here, there = legendre(one)[0], legendre(self.points)
        steep = legendre_slope(point)
        change = fall[:, None] * scaled / self.hyper.scales + fold(steep * self.hyper.trends * there)
        change *= self.trust[:, None]
        spread = self.root @ cross
        own = self.hyper.variance + float(here**2 @ self.hyper.trends)
        deviation = math.sqrt(max(own - float(spread @ spread), 1e-12))
        falls = fold((2 * self.hyper.trends * here * steep)[None])[0] - 2 * change.T @ (self.root.T @ spread)
        return cross @ self.weights, deviation, change.T @ self.weights, falls / (2 * deviation)

    def also(self, point: Array, values: Array) -> Process:
        """The process once it has seen, in each column, a value (s,) at a point (d,), without noise."""
        noise = 1e-6 * self.hyper.variance
        cross = covariance(self.hyper, point[None], self.points)[0] * self.trust
        spread = self.root @ cross
        own = float(prior_variance(self.hyper, point[None])[0]) + noise
        deviation = math.sqrt(max(own - float(spread @ spread), noise))
        row = np.append(-spread @ self.root, 1.0) / deviation
        root = np.vstack([np.pad(self.root, ((0, 0), (0, 1))), row])
        news = (values - (cross @ self.weights)) / deviation
        columns = np.broadcast_to(self.weights, (len(self.weights), len(values)))
        weights = np.pad(columns, ((0, 1), (0, 0))) + np.outer(row, news)
        return Process(self.hyper, np.vstack([self.points, point]), np.append(self.trust, 1.0), root, weights)


def solved(hyper: Hyper, points: Array, values: Array, trust: Array, shared: Array) -> Process:
    """A process that has seen values (n, s) at points (n, d), with their covariance (n, n) and trust (n,)."""
    root, _ = lapack.dtrtri(lower_factor(shared), lower=1)
    return Process(hyper, points, trust, root, root.T @ (root @ values))


def lower_factor(matrix: Array) -> Array:
    """The Cholesky factor; with a little more on the diagonal where rounding asks for it."""
    for jitter in (0.0, 1e-10, 1e-8, 1e-6, 1e-4):
        factor, failed = lapack.dpotrf(matrix + jitter * np.eye(len(matrix)), lower=1, clean=1)
        if not failed:
            return np.asarray(factor)
    raise np.linalg.LinAlgError("the covariance is not positive definite")  # pragma: no cover - no data does that


def covariance(hyper: Hyper, one: Array, other: Array) -> Array:
    """(m, n): Matérn-5/2 (RW eq. 4.17) and trends between points (m, d) and (n, d)."""
    a, b = one / hyper.scales, other / hyper.scales
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    distance = ROOT5 * np.sqrt(np.maximum(squares, 0.0))
    smooth = hyper.variance * (1 + distance + distance**2 / 3) * np.exp(-distance)
    return np.asarray(smooth + (legendre(one) * hyper.trends) @ legendre(other).T)


def prior_variance(hyper: Hyper, points: Array) -> Array:
    """(m,): the diagonal of `covariance`."""
    return np.asarray(hyper.variance + legendre(points) ** 2 @ hyper.trends)


def legendre(points: Array) -> Array:
    """(m, 2 d): the first and the second Legendre polynomial of each gene, on [0, 1]."""
    u = 2 * points - 1
    return np.concatenate([u, 1.5 * u**2 - 0.5], axis=-1)


def legendre_slope(point: Array) -> Array:
    """(2 d,): the derivative of each polynomial by its own gene."""
    return np.concatenate([np.full(len(point), 2.0), 6 * (2 * point - 1)])


def fold(trends: Array) -> Array:
    """(m, d) from (m, 2 d): the linear and the quadratic part of each gene, added."""
    half = trends.shape[-1] // 2
    return trends[..., :half] + trends[..., half:]


def priors(genes: int) -> tuple[Array, Array]:
    """Mean and deviation of each hyperparameter's logarithm.

    The length scale grows with the number of genes, since the points of a larger cube lie further apart (Hvarfner,
    Hellsten and Nardi, *Vanilla Bayesian Optimization Performs Great in High Dimensions*, 2024: by √d; here by d to
    the power 1/4). Fitted to 150 random points of each of twenty landscapes with three to seven genes, the medians are:
    length scales 0.9, variance 1.2, noise 0.0005, linear trends 0.07, quadratic ones 0.03. Scales are held for shorter
    here, since good points are where scores change most, and noise for larger, since seeds differ; with the medians
    themselves searches did no better (-0.003 ± 0.011, 80 runs). Without trends they were worse by 0.035 ± 0.010 after
    20 trainings, and level from 30 on.
    """
    scale = math.log(0.5) + 0.25 * math.log(genes / 3)
    means = [scale] * genes + [0.0, math.log(0.005)] + [math.log(0.1)] * (2 * genes)
    return np.array(means), np.array([0.8] * genes + [0.7, 1.5] + [1.5] * (2 * genes))


def hyper(logs: Array) -> Hyper:
    """From the vector of logarithms."""
    values, genes = np.exp(logs), (len(logs) - 2) // 3
    return Hyper(values[:genes], float(values[genes]), float(values[genes + 1]), values[genes + 2 :])


def neg_log_likelihood(shared: Array, values: Array) -> tuple[float, Array]:
    """The negative log likelihood of values (n,) with this covariance (n, n), and its slope by that (n, n)."""
    factor = lower_factor(shared)
    inverse, _ = lapack.dpotri(factor, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = inverse @ values
    loss = 0.5 * values @ weights + np.log(np.diag(factor)).sum() + 0.5 * len(values) * math.log(2 * math.pi)
    return float(loss), 0.5 * (inverse - np.outer(weights, weights))


def informative_rows(values: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """The rows that hyperparameters are fitted to: all while they are few; else the best half of FITTED, and others."""
    if len(values) <= FITTED:
        return np.arange(len(values))
    best, rest = np.split(np.argsort(-values, kind="stable"), [FITTED // 2])
    return np.sort(np.append(best, rng.choice(rest, FITTED - len(best), replace=False)))


def covering_rows(points: Array, values: Array) -> NDArray[np.intp]:
    """The rows that the process is told: the best half of TOLD, then those farthest from all that are chosen."""
    if len(values) <= TOLD:
        return np.arange(len(values))
    rows = np.argsort(-values, kind="stable")[: TOLD // 2]
    far = cdist(points, points[rows], "sqeuclidean").min(1)
    for _ in range(TOLD - len(rows)):
        rows = np.append(rows, far.argmax())
        far = np.minimum(far, ((points - points[rows[-1]]) ** 2).sum(1))
    return np.sort(rows)

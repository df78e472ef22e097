import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from gaopt.space.encoding import Encoding
from gaopt.space.gene import Choice, Gene
from gaopt.space.space import Space
from gaopt.strategies.surrogate.acquisition import Improvement, log_gain, prior
from gaopt.strategies.surrogate.foresight import Bend
from gaopt.strategies.surrogate.gp import (
    Array,
    Hyper,
    Process,
    covariance,
    hyper,
    one_thread,
    priors,
    solved,
)
from gaopt.strategies.surrogate.multi_fidelity import Evidence, Observations, believed, conditioned

LIKELY = [{"lr": 1e-3, "kind": "b", "x": 0.5}, {"lr": 1e-1, "kind": "c", "x": 0.5}]  # two deviations, and four to one


def targets(fitnesses: np.ndarray) -> np.ndarray:
    return Bend.of(fitnesses)(fitnesses)


@pytest.fixture(autouse=True)
def on_one_thread() -> Iterator[None]:
    with one_thread():
        yield


def fit(points: Array, values: Array, rng: np.random.Generator) -> Process:
    return believed(told(points, values), rng).process


def told(points: Array, values: Array) -> Observations:
    return Observations(points, values, np.zeros(len(points), int))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def wave(points: Array) -> Array:
    return np.asarray(np.sin(5 * points[:, 0]) + (points[:, 1:] ** 2).sum(1))


def seen(size: int = 30, genes: int = 2) -> tuple[Array, Array]:
    points = rng().random((size, genes))
    values = wave(points)
    return points, (values - values.mean()) / values.std()


def fitted(genes: int = 2) -> Process:
    return fit(*seen(genes=genes), rng(1))


def process(found: Hyper, points: Array, values: Array, noise: Array) -> Process:
    return solved(found, points, values, np.ones(len(points)), covariance(found, points, points) + np.diag(noise))


def logs_near_the_priors(genes: int, seed: int) -> Array:
    means, deviations = priors(genes)
    return means + 0.5 * deviations * rng(seed).standard_normal(len(means))


def by_differences(function: object, at: Array, step: float = 1e-5) -> Array:
    """The gradient of a function of a vector by central differences."""
    edges = [(at + step * unit, at - step * unit) for unit in np.eye(len(at))]
    return np.array([(function(up) - function(down)) / (2 * step) for up, down in edges])  # type: ignore[operator]


def test_the_model_interpolates_what_it_saw_and_is_unsure_elsewhere() -> None:
    points, values = seen()
    mean, deviation = fitted().predict(points)
    assert np.abs(mean[:, 0] - values).max() < 0.05
    assert deviation.max() < 0.1
    narrow = fit(points[:8] * 0.2, values[:8], rng())
    _, (near, far) = narrow.predict(np.array([[0.1, 0.1], [0.9, 0.9]]))
    assert far > 3 * near


@pytest.mark.parametrize("genes", [1, 3, 7])
def test_the_gradient_of_the_evidence_agrees_with_finite_differences(genes: int) -> None:
    evidence, logs = Evidence(told(*seen(genes=genes)), 0), logs_near_the_priors(genes, 2)
    _, slope = evidence(logs)
    assert slope == pytest.approx(by_differences(lambda at: evidence(at)[0], logs), rel=1e-4, abs=1e-5)


def test_the_likelihood_is_scikit_learn_s_for_the_same_kernel() -> None:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    points, values = seen()
    logs = np.array([math.log(0.3), math.log(0.8), 0.2, math.log(0.01), *[-60.0] * 4])  # without trends
    kernel = ConstantKernel(math.exp(0.2)) * Matern([0.3, 0.8], nu=2.5) + WhiteKernel(0.01)
    theirs = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0).fit(points, values)
    assert Evidence(told(points, values), 0).likelihood(logs)[0] == pytest.approx(
        -theirs.log_marginal_likelihood_value_
    )
    ours = process(hyper(logs), points, values[:, None], np.full(30, 0.01))
    fresh = rng(3).random((10, 2))
    their_mean, their_deviation = theirs.predict(fresh, return_std=True)
    mean, deviation = ours.predict(fresh)
    assert mean[:, 0] == pytest.approx(their_mean)
    assert deviation**2 == pytest.approx(their_deviation**2 - 0.01, abs=1e-8)  # theirs is of an observation


def test_the_slope_of_a_prediction_agrees_with_finite_differences() -> None:
    model, at = fitted(3), np.array([0.31, 0.62, 0.87])
    mean, deviation, by_mean, by_deviation = model.slope(at)
    expected_mean, expected_deviation = model.predict(at[None])
    assert mean == pytest.approx(expected_mean[0])
    assert deviation == pytest.approx(expected_deviation[0])
    assert by_mean[:, 0] == pytest.approx(by_differences(lambda x: model.predict(x[None])[0][0, 0], at), rel=1e-4)
    assert by_deviation == pytest.approx(by_differences(lambda x: model.predict(x[None])[1][0], at), rel=1e-3)


def test_the_gain_is_its_closed_form_and_stays_finite_far_below() -> None:
    z = np.array([-8.0, -3.0, -0.5, 0.0, 0.5, 6.0, 50.0])
    assert np.exp(log_gain(z)) == pytest.approx(norm.pdf(z) + z * norm.cdf(z), rel=1e-6)
    far = log_gain(np.array([-1e6, -1001.0, -999.0, -100.0]))
    assert np.isfinite(far).all()
    assert (np.diff(far) > 0).all()


def test_an_ascent_ends_higher_within_the_cube_and_moves_free_genes_alone() -> None:
    gain, start = Improvement(fitted(3), np.array([1.0])), np.array([0.5, 0.4, 0.6])
    end = gain.climbed(start, np.array([True, False, True]))
    assert gain(end[None])[0] > gain(start[None])[0]
    assert end[1] == start[1]
    assert end.min() >= 0
    assert end.max() <= 1
    assert (gain.climbed(start, np.zeros(3, bool)) == start).all()


def test_a_prior_counts_as_far_as_scores_agree_and_fades() -> None:
    lr, kind = Gene(1e-4, 1.0, "log", prior=1e-3, spread=10), Choice(("a", "b", "c"), prior="b", spread=4)
    encoding, at = Encoding(Space(lr=lr, kind=kind, x=Gene(0, 1))), np.array([0.6, 0.0, 1.0, 0.0, 0.5])
    points = encoding.columns(encoding.strangers(400, rng()))
    right = -np.abs(points[:, 0] - 0.25)
    early, late, no = (prior(encoding, points[:n], sign * right[:n]) for n, sign in ((20, 1), (400, 1), (20, -1)))
    assert early and late and no is None  # noqa: PT018 - None where the scores contradict it
    assert early.weight > 10 * late.weight > 0
    (likely, unlikely) = encoding.columns(encoding.points(LIKELY))
    assert np.subtract(*early(np.array([likely, unlikely]))) == pytest.approx(early.weight * (0.5 * 2**2 + math.log(4)))
    gain = replace(Improvement(fitted(5), np.array([1.0])), prior=early)
    assert gain.slope(at)[0] == pytest.approx(gain(at[None])[0])
    assert gain.slope(at)[1] == pytest.approx(by_differences(lambda x: gain(x[None])[0], at), rel=1e-3)


def test_targets_keep_the_order_and_bend_what_is_bad() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.1, -1000.0])  # the median, where the bend is, 0.6; half the span 0.15
    found = targets(scores)
    assert (np.diff(found) < 0).all()
    assert found.mean() == pytest.approx(0)
    assert found.std() == pytest.approx(1)
    assert (found[0] - found[1]) / (found[0] - found[3]) == pytest.approx(0.1 / 0.3)  # above the bend, in proportion
    below = [0.15 * math.log1p(down / 0.15) for down in (0.1, 0.5, 1000.6)]
    assert (found[3] - found[4:]) / (found[0] - found[3]) == pytest.approx(np.array(below) / 0.3)
    assert Bend.of(scores).fitness(found) == pytest.approx(scores)


def test_the_target_of_a_failure_is_finite_and_below_every_score() -> None:
    for bad in (math.nan, -math.inf, math.inf):
        found = targets(np.array([0.9, bad, 0.3, 0.5, bad]))
        assert np.isfinite(found).all()
        assert found[1] == found[4] < found[2]
    for scores in ([0.5] * 6, [math.nan] * 6, [0.7]):
        assert np.isfinite(targets(np.array(scores))).all()


def test_a_process_that_sees_one_more_point_is_the_one_made_of_all() -> None:
    model, at, drawn = fitted(), np.array([[0.9, 0.1], [0.2, 0.95]]), rng(3).standard_normal((2, 4))
    grown = model.also(at[0], drawn[0]).also(at[1], drawn[1])
    values = np.vstack([np.repeat(seen()[1][:, None], 4, axis=1), drawn])
    noise = np.append(np.full(len(model.points), model.hyper.noise), np.full(2, 1e-6 * model.hyper.variance))
    whole = process(model.hyper, np.vstack([model.points, at]), values, noise)
    assert grown.root == pytest.approx(whole.root, rel=1e-6, abs=1e-8)
    assert grown.weights == pytest.approx(whole.weights, rel=1e-6, abs=1e-6)
    assert (grown.trust == whole.trust).all()


def test_what_is_believed_of_both_scores_is_what_a_process_told_of_early_ones_would_be() -> None:
    points, values = seen(40)
    scores = Observations(points, values, np.repeat([0, 1], 20))
    belief, at = believed(scores, rng(1)), rng(4).random((3, 2))
    means, shared = belief.joint(at, 1)
    mean, deviation = belief.process.predict(at)
    assert means[:3] == pytest.approx(mean[:, 0])
    assert np.sqrt(np.diag(shared)[:3]) == pytest.approx(deviation)
    early = rng(5).standard_normal(3)
    more = Observations(np.vstack([points, at]), np.append(values, early), np.append(scores.sources, [1, 1, 1]))
    told_too = conditioned(belief.process.hyper, belief.ties, more).process.predict(at)[0][:, 0]
    assert means[:3] + np.linalg.solve(shared[3:, 3:], shared[3:, :3]).T @ (early - means[3:]) == pytest.approx(
        told_too
    )

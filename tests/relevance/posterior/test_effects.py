"""The closed forms of levels, sources and pairs are those of one large normal distribution."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from relevance.posterior.effects import (
    WEIGHT_DEVIATION,
    Evidence,
    design,
    given,
)

SOURCES, TARGETS = 4, 3
ANYWHERE = 1e5  # variance of the mean level


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    count = rng.integers(0, 3, (SOURCES, TARGETS)).astype(float)
    return Evidence(
        mean=np.where(count > 0, rng.normal(size=count.shape), 0.0),
        count=count,
        squares=rng.uniform(0.5, 2, TARGETS),
        freedom=np.array([2.0, 0.0, 3.0]),
        covariates=rng.normal(size=(SOURCES, TARGETS, 2)),
    )


@pytest.fixture
def point():
    return 0.3 * np.random.default_rng(1).normal(size=4 + 2 * TARGETS)


def joint(point, data):
    """Covariance of all cells and of the measured ones' means, written down directly."""
    level, source, pair, noise = np.exp(point[:4])
    source, noise = source * pair, noise * pair
    scale = np.exp(point[4 : 4 + TARGETS])
    noises = scale * noise * np.exp(point[4 + TARGETS :])
    columns = design(scale, data)
    prior = np.diag([level**2] * TARGETS + [source**2] * SOURCES + [WEIGHT_DEVIATION**2] * 2)
    prior[:TARGETS, :TARGETS] += ANYWHERE
    pairs = np.tile((scale * pair) ** 2, SOURCES)
    cells = columns @ prior @ columns.T + np.diag(pairs)
    measured = (data.count > 0).ravel()
    of_mean = (np.tile(noises**2, SOURCES) / np.maximum(data.count.ravel(), 1))[measured]
    runs = cells[np.ix_(measured, measured)] + np.diag(of_mean)
    return cells, runs, measured, noises


def test_posterior_is_that_of_one_normal_distribution(data, point):
    found = given(point[None], data)
    cells, runs, measured, _ = joint(point, data)
    gain = cells[:, measured] @ np.linalg.inv(runs)
    mean = gain @ data.mean.ravel()[measured]
    variance = np.diag(cells - gain @ cells[measured])
    loose = 1 - found.kept[0]
    ours = found.linear[0] + found.kept[0] * (data.mean - found.linear[0])
    np.testing.assert_allclose(ours.ravel(), mean, rtol=1e-4, atol=1e-4)
    spread = loose**2 * found.spread[0] + found.pair[0] * loose
    np.testing.assert_allclose(spread.ravel(), variance, rtol=1e-4)


def test_likelihood_is_that_of_the_runs_but_for_a_constant(data, point):
    differences = []
    for each in (point, 1.2 * point - 0.3):
        _, runs, measured, noises = joint(each, data)
        expected = multivariate_normal(cov=runs).logpdf(data.mean.ravel()[measured])
        expected -= (data.freedom * np.log(noises) + data.squares / (2 * noises**2)).sum()
        differences.append(given(each[None], data).log_likelihood[0] - expected)
    assert differences[0] == pytest.approx(differences[1], abs=1e-3)


def test_gradient_is_the_slope_of_the_likelihood(data, point):
    steps = 1e-5 * np.eye(len(point))
    above, below = (given(point + sign * steps, data).log_likelihood for sign in (1, -1))
    np.testing.assert_allclose(given(point[None], data).gradient[0], (above - below) / 2e-5, 1e-5)

"""LogME against the evidence as it is defined: a normal distribution of N labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from relevance.measures.logme import Evidence, evidence, logme


def direct(features: np.ndarray, labels: np.ndarray, alpha: float, beta: float) -> float:
    """Log density of the labels under `N(0, I / beta + F F^T / alpha)`."""
    covariance = np.eye(len(labels)) / beta + features @ features.T / alpha
    return float(multivariate_normal(cov=covariance, allow_singular=False).logpdf(labels))


def found(features: np.ndarray, labels: np.ndarray) -> Evidence:
    left, singular, _ = np.linalg.svd(features, full_matrices=False)
    return evidence(left.T @ labels, singular**2, labels)


def best(features: np.ndarray, labels: np.ndarray) -> float:
    """The maximum by a general search from several places."""
    ends = [
        minimize(
            lambda logs: -direct(features, labels, *np.exp(np.clip(logs, -12, 12))),
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2000},
        ).fun
        for start in ([0.0, 0.0], [3.0, -1.0], [-3.0, 3.0])
    ]
    return -min(ends)


SHAPES = [(40, 5), (20, 20), (12, 40)]


@pytest.mark.parametrize(("rows", "width"), SHAPES)
def test_it_is_the_highest_evidence(rows: int, width: int) -> None:
    random = np.random.default_rng(rows)
    features = random.normal(size=(rows, width))
    labels = features[:, 0] + features[:, 1] + random.normal(size=rows)
    top = found(features, labels)
    assert top.log_evidence == pytest.approx(direct(features, labels, top.alpha, top.beta))
    assert top.log_evidence == pytest.approx(best(features, labels), abs=1e-3)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([*SHAPES, (9, 1), (5, 100)]))
def test_the_density_at_what_it_finds(seed: int, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(seed)
    features = random.normal(size=shape) * 10.0 ** random.integers(-3, 3)
    labels = (random.uniform(size=shape[0]) < 0.4).astype(float)
    labels[:2] = 0.0, 1.0
    top = found(features, labels)
    assert top.log_evidence == pytest.approx(
        direct(features, labels, top.alpha, top.beta), rel=1e-6, abs=1e-4
    )


@pytest.mark.parametrize("width", [384, 768])
def test_fewer_rows_than_dimensions(width: int) -> None:
    """Where the widespread code loses a term and comes to 41.5 nats per row."""
    random = np.random.default_rng(0)
    features = random.normal(size=(64, width))
    columns = np.eye(2)[random.integers(0, 2, 64)]
    value = logme(features, columns)
    parts = [found(features, column) for column in columns.T]
    density = [
        direct(features, column, part.alpha, part.beta)
        for column, part in zip(columns.T, parts, strict=True)
    ]
    assert value == pytest.approx(np.mean(density) / 64)
    assert -1.2 < value < -0.5


def test_weights_can_be_counted_instead_of_rows() -> None:
    """The formula in D weights (Bishop 3.86), all of whose terms are there."""
    random = np.random.default_rng(1)
    features, labels = random.normal(size=(30, 50)), random.normal(size=30)
    top = found(features, labels)
    precision = top.alpha * np.eye(50) + top.beta * features.T @ features
    mean = top.beta * np.linalg.solve(precision, features.T @ labels)
    in_weights = (
        50 * np.log(top.alpha)
        + 30 * np.log(top.beta)
        - top.beta * np.sum((labels - features @ mean) ** 2)
        - top.alpha * mean @ mean
        - np.linalg.slogdet(precision)[1]
        - 30 * np.log(2 * np.pi)
    ) / 2
    assert top.log_evidence == pytest.approx(in_weights)


def test_scale_of_features_plays_no_part() -> None:
    random = np.random.default_rng(2)
    features, columns = random.normal(size=(40, 6)), np.eye(3)[random.integers(0, 3, 40)]
    assert logme(1e4 * features, columns) == pytest.approx(logme(features, columns))


def test_better_features_explain_more() -> None:
    random = np.random.default_rng(3)
    codes = random.integers(0, 2, 100)
    noise = random.normal(size=(100, 8))
    columns = np.eye(2)[codes]
    values = [
        logme(noise + strength * columns @ np.ones((2, 8)) * (2 * codes[:, None] - 1), columns)
        for strength in (0.0, 0.5, 1.0, 3.0)
    ]
    assert values == sorted(values)
    assert values[-1] - values[0] > 0.2

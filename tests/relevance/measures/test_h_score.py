"""H-score against its definition, and where there are more dimensions than rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.measures.h_score import ROWS_PER_DIRECTION, h_score


def definition(features: np.ndarray, codes: np.ndarray) -> float:
    """Bao et al. (2019), definition 2: trace of `cov(f)^-1 cov(E[f | y])`."""
    means = np.zeros_like(features)
    for code in np.unique(codes):
        means[codes == code] = features[codes == code].mean(axis=0)
    covariance, between = np.cov(features.T, bias=True), np.cov(means.T, bias=True)
    return float(np.trace(np.linalg.pinv(np.atleast_2d(covariance)) @ np.atleast_2d(between)))


def one_hot(codes: np.ndarray) -> np.ndarray:
    return (codes[:, None] == np.unique(codes)).astype(float)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 4))
def test_it_is_the_definition(seed: int, width: int, classes: int) -> None:
    random = np.random.default_rng(seed)
    codes = random.permutation(np.arange(60) % classes)
    mixed = random.normal(size=(width, width))
    features = (random.normal(size=(60, width)) + codes[:, None]) @ mixed
    assert h_score(features, one_hot(codes)) == pytest.approx(definition(features, codes), rel=1e-6)


def test_a_dimension_that_repeats_another_adds_nothing() -> None:
    random = np.random.default_rng(0)
    codes = np.arange(60) % 3
    features = random.normal(size=(60, 3)) + codes[:, None]
    wide = np.column_stack([features, features[:, 0], np.ones(60)])
    assert h_score(wide, one_hot(codes)) == pytest.approx(h_score(features, one_hot(codes)))


def test_of_a_regression_it_is_the_share_of_variance_explained() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(60, 3))
    labels = features @ [1.0, -2.0, 0.5] + random.normal(size=60) + 7
    design = np.column_stack([features, np.ones(60)])
    fit = design @ np.linalg.lstsq(design, labels)[0]
    assert h_score(features, labels[:, None]) == pytest.approx(fit.var() / labels.var())


def test_perfect_features_give_the_number_of_labels_less_one() -> None:
    codes = np.arange(60) % 4
    assert h_score(one_hot(codes), one_hot(codes)) == pytest.approx(3.0)


def test_noise_explains_no_more_than_its_few_directions() -> None:
    """With all of 384 directions 64 rows of noise would explain everything."""
    random = np.random.default_rng(0)
    columns = one_hot(random.integers(0, 2, 64))
    values = [h_score(random.normal(size=(64, 384)), columns) for _ in range(50)]
    assert np.mean(values) == pytest.approx(1 / ROWS_PER_DIRECTION, abs=0.03)

"""Task2Vec's distance, and the head under which information is counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.interfaces.probe import Features
from relevance.measures.fisher import fit_head, likeness

DIAGONALS = st.lists(st.floats(0.0, 1e6), min_size=4, max_size=4).filter(lambda x: max(x) > 1e-3)


def test_it_is_one_less_the_cosine_distance_of_the_paper() -> None:
    one, other = np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 0.0])
    first, second = np.array([1 / 4, 1 / 2, 1.0]), np.array([3 / 4, 1 / 2, 0.0])
    expected = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    assert likeness(one, other) == pytest.approx(expected)


@given(DIAGONALS, DIAGONALS)
def test_symmetric_and_between_0_and_1(one: list[float], other: list[float]) -> None:
    value = likeness(np.array(one), np.array(other))
    assert value == pytest.approx(likeness(np.array(other), np.array(one)))
    assert -1e-9 <= value <= 1 + 1e-9
    assert likeness(np.array(one), np.array(one)) == pytest.approx(1.0)


def test_units_without_information_play_no_part() -> None:
    one, other = np.array([1.0, 2.0]), np.array([3.0, 2.0])
    padded = likeness(np.array([1.0, 0.0, 2.0]), np.array([3.0, 0.0, 2.0]))
    assert padded == pytest.approx(likeness(one, other))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_head_is_the_penalised_logistic_regression(classes: int) -> None:
    """Its gradient is zero: mean residuals are balanced by the penalty, biases have none."""
    random = np.random.default_rng(classes)
    labels = np.arange(90) % classes
    values = random.normal(size=(90, 3)) * [1.0, 5.0, 0.1] + labels[:, None] + 2
    head = fit_head(Features(values, labels))
    outputs = values @ head.weights.T + head.bias
    chances = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    residuals = chances - (labels[:, None] == np.arange(classes))
    assert head.weights.shape == (classes, 3)
    np.testing.assert_allclose(residuals.sum(axis=0), 0.0, atol=0.05)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    penalty = 200.0 if classes == 2 else 100.0  # two outputs share what one difference has
    balance = residuals.T @ scaled + penalty * head.weights * values.std(axis=0)
    np.testing.assert_allclose(balance, 0.0, atol=0.05)


def test_the_head_of_a_regression_is_ridge_and_knows_its_noise() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(4000, 2))
    labels = values @ [1.0, -2.0] + 0.5 + 0.3 * random.normal(size=4000)
    head = fit_head(Features(values, labels))
    np.testing.assert_allclose(head.weights, [[1.0, -2.0]], atol=0.08)
    assert head.bias == pytest.approx([0.5], abs=0.02)
    assert head.variance == pytest.approx(0.09, rel=0.15)

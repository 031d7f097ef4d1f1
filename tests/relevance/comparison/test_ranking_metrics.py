"""Criteria of a comparison, against values by hand, plain oracles, and simulated noise."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.clustering.agreement import rank_correlations
from relevance.comparison.ranking_metrics import (
    ceiling,
    precision_at_negatives,
    reliability_within,
    within_targets,
)
from relevance.matrices.matrix import RelevanceMatrix

NAN = float("nan")


def study(gains: np.ndarray, metric: str = "gain") -> RelevanceMatrix:
    """A matrix of several seeds, [seed, source, target], whose single runs all score 1."""
    tasks = tuple(f"T{number}" for number in range(gains.shape[-1]))
    return RelevanceMatrix(
        gains.mean(axis=0),
        tasks,
        "joint-training",
        seeds=tuple(range(len(gains))),
        per_seed=gains,
        single={metric: np.ones((len(gains), len(tasks))).tolist()},
        joint={metric: (1 + gains).tolist()},
        provenance={"metric": metric, "normalise": "absolute"},
    )


def test_within_targets_takes_column_means_of_known_cells() -> None:
    values = np.array([[9.0, 0.1, -0.2], [0.3, 9.0, 0.4], [-0.1, NAN, 9.0]])
    known = ~np.eye(3, dtype=bool) & np.isfinite(values)
    # the second column has a single known cell, which says nothing about its sources
    expected = np.array([-0.3, 0.2, 0.3, -0.2]) / 0.4
    np.testing.assert_allclose(within_targets(values, known), expected)


def test_equal_differences_are_ties_whatever_the_column() -> None:
    values = np.array([[0.0, 0.5, 0.1], [0.2, 0.0, 0.6], [0.4, 0.3, 0.0]])
    assert len({0.5 - 0.4, 0.3 - 0.2, 0.4 - 0.3}) > 1
    within = within_targets(values, ~np.eye(3, dtype=bool))
    assert len(set(np.abs(within).tolist())) == 2


@given(
    st.lists(st.integers(-3, 3), min_size=12, max_size=12),
    st.lists(st.integers(-50, 50), min_size=4, max_size=4),
)
def test_an_offset_of_a_column_changes_nothing(cells: list[int], offsets: list[int]) -> None:
    known = ~np.eye(4, dtype=bool)
    values = np.zeros((4, 4))
    values[known] = np.array(cells) / 7
    one, other = within_targets(values, known), within_targets(values + np.array(offsets), known)
    scale = np.abs(values[known]).max() or 1
    moved = np.abs((values + np.array(offsets))[known]).max() or 1
    np.testing.assert_allclose(one * scale, other * moved, atol=1e-9)


@pytest.mark.parametrize(
    ("values", "reference", "expected"),
    [
        ([0.5, 0.1, 0.2, 0.6, 0.4, 0.3], [0.1, -0.2, 0.3, 0.4, -0.1, 0.2], 1 / 2),
        ([1, 2, 3], [-1, -1, 1], 1),
        ([3, 2, 1], [-1, 1, 1], 0),
        ([0, 0, 0, 0], [-1, 1, 1, 1], 1 / 4),  # a constant measure does as well as chance
        ([0, 1, 1, 2], [-1, -1, 1, 1], 3 / 4),
        ([1, 2], [1, 1], NAN),
        ([1, 2], [-1, -1], NAN),
        ([], [], NAN),
        ([5, 6], [0, -1], 0),  # a gain of 0 does no harm
    ],
)
def test_precision_by_hand(values: list[float], reference: list[float], expected: float) -> None:
    found = precision_at_negatives(np.array(values, float), np.array(reference, float))
    assert found == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=2, max_size=5))
def test_ties_are_the_mean_over_all_orders(pairs: list[tuple[int, bool]]) -> None:
    negative = sum(harms for _, harms in pairs)
    found = precision_at_negatives(
        np.array([float(value) for value, _ in pairs]),
        np.array([-1.0 if harms else 1.0 for _, harms in pairs]),
    )
    if negative in {0, len(pairs)}:
        assert math.isnan(found)
        return
    hits = [
        sum(harms for _, harms in sorted(order, key=lambda pair: pair[0])[:negative])
        for order in permutations(pairs)
    ]
    assert found == pytest.approx(np.mean(hits) / negative)


def test_the_ceiling_is_the_root_of_the_stepped_up_correlation() -> None:
    gains = np.random.default_rng(0).normal(size=(2, 4, 4)) + np.arange(4)[:, None]
    known = ~np.eye(4, dtype=bool)
    within = [(each - np.where(known, each, 0).sum(axis=0) / 3)[known] for each in gains]
    correlation = np.corrcoef(within)[0, 1]
    expected = 2 * correlation / (1 + correlation)
    assert reliability_within(study(gains)) == pytest.approx(expected)
    assert ceiling(study(gains)) == pytest.approx(math.sqrt(expected))


def test_the_ceiling_is_of_the_metric_that_the_values_are_made_of() -> None:
    gains = np.random.default_rng(0).normal(size=(2, 4, 4)) + np.arange(4)[:, None]
    by_primary = study(gains, "primary")
    assert ceiling(by_primary) == ceiling(study(gains))
    assert by_primary.joint is not None
    assert by_primary.single is not None
    by_primary.joint["gain"] = [[[0.5] * 4] * 4] * 2
    by_primary.single["gain"] = [[0.5] * 4] * 2
    assert ceiling(by_primary) == ceiling(study(gains))


@pytest.mark.parametrize("seeds", [1, 2])
def test_no_ceiling_without_seeds_or_reliability(seeds: int) -> None:
    gains = np.array([np.arange(16.0).reshape(4, 4) ** 2, -(np.arange(16.0).reshape(4, 4) ** 2)])
    matrix = study(gains[:seeds])
    assert ceiling(matrix) is None
    assert reliability_within(matrix) == (None if seeds == 1 else pytest.approx(-1))
    assert ceiling(RelevanceMatrix(gains[0], matrix.tasks, "mine")) is None


def test_a_perfect_measure_comes_as_far_as_the_ceiling() -> None:
    """Thirty tasks: gains of three seeds are a planted truth, a column's luck, and noise."""
    random = np.random.default_rng(0)
    known = ~np.eye(30, dtype=bool)
    reached, allowed = [], []
    for _ in range(20):
        truth = random.normal(size=(30, 30))
        luck, noise = random.normal(size=(3, 1, 30)), random.normal(size=(3, 30, 30))
        reference = study(truth + 5 * luck + 1.5 * noise)
        within = (within_targets(each, known) for each in (truth, reference.values))
        reached.append(rank_correlations(*within)[0])
        allowed.append(ceiling(reference) or 0.0)
    expected = math.sqrt(1 / (1 + 1.5**2 / 3))
    assert np.mean(allowed) == pytest.approx(expected, abs=0.01)
    assert np.mean(reached) == pytest.approx(np.mean(allowed), abs=0.03)

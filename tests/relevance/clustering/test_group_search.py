"""The search against the best partition there is, and what each step is said to add."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.clustering.group_search import Grouping, merged, search
from relevance.clustering.methods.predicted_gain import group_gains
from relevance.clustering.partition import best_partition


def worth(values: np.ndarray, labels: np.ndarray) -> float:
    """Summed means of what the others of its group give each task, from the definition."""
    total = 0.0
    for task, label in enumerate(labels):
        others = [other for other in np.flatnonzero(labels == label) if other != task]
        total += float(values[others, task].mean()) if others else 0.0
    return total


def gains(seed: int, count: int, *, ties: bool = False) -> np.ndarray:
    random = np.random.default_rng(seed)
    size = (count, count)
    return random.integers(-2, 3, size).astype(float) if ties else random.normal(size=size)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 10), st.booleans(), st.data())
def test_among_few_tasks_it_finds_the_best(
    seed: int, count: int, ties: bool, data: st.DataObject
) -> None:
    values = gains(seed, count, ties=ties)
    k = data.draw(st.integers(1, count))
    of_groups = group_gains(values).sum(axis=0)
    best = float(of_groups[list(best_partition(of_groups, k))].sum())
    labels = search(values, k, starts=8)
    assert len(np.unique(labels)) <= k
    assert worth(values, labels) <= best + 1e-5
    assert worth(values, labels) >= best - 0.05 * np.abs(values).max(initial=0.0)


def test_it_is_nearly_always_the_best() -> None:
    lost = []
    for seed in range(20):
        values = gains(seed, 9)
        of_groups = group_gains(values).sum(axis=0)
        best = of_groups[list(best_partition(of_groups, 4))].sum()
        lost.append(best - worth(values, search(values, 4, starts=8)))
    assert sum(loss < 1e-5 for loss in lost) >= 18


@given(st.integers(0, 10**6), st.integers(2, 8), st.integers(1, 4))
def test_every_change_adds_what_is_counted(seed: int, count: int, most: int) -> None:
    labels = np.random.default_rng(seed).integers(most, size=count)
    grouping = Grouping(gains(seed, count), labels, most)
    for change in (grouping.move, grouping.exchange, grouping.merge, grouping.found) * 3:
        before = grouping.worth
        changed = change()
        assert (grouping.worth > before) == changed
        groups = len(np.unique(grouping.labels))
        expected = worth(gains(seed, count), grouping.labels) - groups * grouping.cost
        assert grouping.worth == pytest.approx(expected, abs=1e-9)


def test_where_it_ends_no_single_change_adds() -> None:
    values = gains(3, 12)
    grouping = Grouping(values, np.zeros(12, dtype=int), 4)
    grouping.descend()
    end = worth(values, grouping.labels)
    for task in range(12):
        for group in range(4):
            other = grouping.labels.copy()
            other[task] = group
            assert worth(values, other) <= end + 1e-5
        for second in range(task):
            other = grouping.labels.copy()
            other[[task, second]] = other[[second, task]]
            assert worth(values, other) <= end + 1e-5


def test_merging_keeps_to_the_budget_and_stops_where_nothing_adds() -> None:
    family = np.repeat([0, 1, 2], 4)
    values = np.where(family[:, None] == family, 1.0, -1.0)
    assert merged(values, 3).tolist() == family.tolist()
    assert len(np.unique(merged(values, 2))) == 2
    assert merged(-np.ones((5, 5)), 5).tolist() == list(range(5))


def test_no_more_groups_than_gain_something() -> None:
    family = np.repeat([0, 1, 2, 3], 6)
    values = (family[:, None] == family).astype(float)
    assert len(np.unique(search(values, 20, starts=4))) == 4


def test_the_same_seed_gives_the_same_groups() -> None:
    values = gains(0, 40)
    one, other = (search(values, 6, starts=3, seed=7) for _ in range(2))
    assert (one == other).all()

"""The bound against the best choice there is: never below it, and equal where it can be."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.clustering.group_bound import upper_bound
from relevance.clustering.methods.predicted_gain import group_gains, served_worth
from relevance.clustering.partition import best_partition


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 10), st.booleans(), st.data())
def test_no_grouping_is_worth_more(seed: int, count: int, ties: bool, data: st.DataObject) -> None:
    random = np.random.default_rng(seed)
    size = (count, count)
    values = random.integers(-2, 3, size).astype(float) if ties else random.normal(size=size)
    k, overlap = data.draw(st.integers(1, count)), count < 7 and data.draw(st.booleans())
    of_groups = group_gains(values)
    worth = served_worth(of_groups) if overlap else of_groups.sum(axis=0)
    best = float(worth[list(best_partition(worth, k))].sum())
    reached = best - random.random()  # whatever a search has found
    assert upper_bound(values, k, reached, overlap=overlap) >= best - 1e-9
    assert upper_bound(values, k, -1e9, overlap=overlap, steps=3) >= best - 1e-9


def test_families_that_gain_nothing_from_others_are_proven() -> None:
    family = np.repeat([0, 1, 2, 3], 5)
    values = np.where(family[:, None] == family, 0.1, -0.05)
    assert upper_bound(values, 4, 2.0) == pytest.approx(2.0, abs=1e-6)


def test_a_small_budget_makes_it_smaller() -> None:
    values = np.random.default_rng(0).normal(size=(30, 30))
    bounds = [upper_bound(values, k, 0.0) for k in (2, 5, 15, 30)]
    assert all(more > 0.99 * less for less, more in pairwise(bounds))
    assert bounds[0] < 0.5 * bounds[-1]


def test_division_between_two_tasks_makes_it_smaller() -> None:
    values = np.random.default_rng(0).normal(size=(30, 30))
    assert upper_bound(values, 5, 0.0) < 0.95 * upper_bound(values, 5, 0.0, steps=1)

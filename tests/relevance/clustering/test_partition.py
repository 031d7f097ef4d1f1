"""The best partition: both ways to find it agree, the bound holds, and ties end quickly."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.clustering.partition import (
    best_partition,
    branch_and_bound,
    exhaustive,
    members,
    partitions,
    prices,
    subset_sums,
)

BELL = (1, 1, 2, 5, 15, 52, 203, 877)


@st.composite
def worths(draw: st.DrawFn, most: int = 7) -> np.ndarray:
    """What every group is worth, in [-1, 1], often with many ties."""
    size = 2 ** draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(-2, 3, size) / 2 if draw(st.booleans()) else rng.uniform(-1, 1, size)
    return np.concatenate([[0.0], values[1:]])


def total(worth: np.ndarray, groups: tuple[int, ...]) -> float:
    return float(worth[list(groups)].sum())


@pytest.mark.parametrize("count", range(8))
def test_every_partition_comes_once(count: int) -> None:
    everything = 2**count - 1
    found = list(partitions(everything, max(count, 1)))
    assert len(set(map(frozenset, found))) == len(found) == BELL[count]
    for groups in found:
        assert sum(groups) == everything
        assert sum(map(int.bit_count, groups)) == count
    for budget in range(1, count):
        few = list(partitions(everything, budget))
        assert few == [groups for groups in found if len(groups) <= budget]


@settings(max_examples=40)
@given(worths(), st.data())
def test_branch_and_bound_misses_nothing(worth: np.ndarray, data: st.DataObject) -> None:
    budget = data.draw(st.integers(1, (len(worth) - 1).bit_length()))
    best = max(total(worth, groups) for groups in partitions(len(worth) - 1, budget))
    for solve in (exhaustive, branch_and_bound, best_partition):
        groups = solve(worth, budget)
        assert len(groups) <= budget
        assert sorted(task for group in groups for task in members(group)) == list(
            range((len(worth) - 1).bit_length())
        )
        assert total(worth, groups) == pytest.approx(best, abs=1e-5)


@settings(max_examples=30)
@given(worths(9), st.integers(1, 9))
def test_no_group_is_worth_more_than_it_costs(worth: np.ndarray, budget: int) -> None:
    price, group_price = prices(worth, budget)
    cost = subset_sums(price) + group_price
    assert group_price >= 0
    assert (cost - worth)[1:].min() >= -1e-12


@pytest.mark.parametrize("seed", range(2))
def test_nine_tasks_both_ways(seed: int) -> None:
    rng = np.random.default_rng(seed)
    worth = np.concatenate([[0.0], rng.normal(size=511) * np.arange(1, 512) ** 0.2])
    for budget in (2, 4):
        assert branch_and_bound(worth, budget) == exhaustive(worth, budget)


@pytest.mark.parametrize("kind", ["random", "equal", "harmful", "blocks"])
def test_thirteen_tasks_take_seconds(kind: str) -> None:
    rng = np.random.default_rng(0)
    sizes = np.bitwise_count(np.arange(2**13)).astype(float)
    family = (np.arange(2**13)[:, None] >> np.arange(13) & 1) @ np.eye(3)[np.arange(13) % 3]
    worth = {
        "random": rng.normal(size=2**13),
        "equal": np.where(sizes > 1, sizes, 0.0),
        "harmful": np.where(sizes > 1, -sizes, 0.0),
        "blocks": (family * (family - 1)).sum(axis=1) / np.maximum(sizes - 1, 1),
    }[kind]
    worth[0] = 0.0
    start_s = time.process_time()
    for budget in (2, 3, 5, 8):
        best_partition(worth, budget)
    assert time.process_time() - start_s < 15


def test_of_equally_good_partitions_the_one_with_fewest_groups() -> None:
    sizes = np.bitwise_count(np.arange(2**10)).astype(float)
    assert best_partition(np.where(sizes > 1, sizes, 0.0), 6) == (2**10 - 1,)
    assert best_partition(np.zeros(2**5), 5) == (2**5 - 1,)

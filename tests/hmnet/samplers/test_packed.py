"""Algorithm 1: what is trained, how often and in what order."""

from collections import Counter
from itertools import chain
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmnet.samplers.round_robin import RoundRobin
from hmnet.samplers.sampler import Sampler, schedule
from sampling import content, counts, make, rows_of

SIZES = {"RTE": 70, "CB": 7, "WNLI": 32}


def packed(sizes: dict[str, int] = SIZES, epochs: int = 3, seed: int = 0) -> Sampler:
    return make("packed", sizes, epochs=epochs, seed=seed, batch_size=32)


@settings(max_examples=30)
@given(
    st.dictionaries(st.text(max_size=5), st.integers(1, 300), min_size=1, max_size=5),
    st.integers(1, 64),
    st.integers(0, 9),
)
def test_an_epoch_trains_every_row_once_in_the_fewest_batches(
    sizes: dict[str, int], batch_size: int, epoch: int
) -> None:
    steps = make("packed", sizes, epochs=10, seed=1, batch_size=batch_size).epoch(epoch)
    assert all(len(step) == 1 for step in steps)
    assert counts(steps) == {task: ceil(size / batch_size) for task, size in sizes.items()}
    for task, size in sizes.items():
        batches = rows_of(task, steps)
        assert sorted(chain.from_iterable(batches)) == list(range(size))
        assert sum(len(batch) < batch_size for batch in batches) <= 1


def test_the_order_of_a_seed_stays_what_it_was() -> None:
    """Finished jobs of a study are found under settings and seed, so these steps may not change."""
    (steps,) = schedule(make("packed", {"RTE": 21, "CB": 3}, epochs=1, seed=0))
    assert content(steps) == [
        [("RTE", [4, 16, 6, 7, 11])],
        [("RTE", [17, 9, 13, 14, 19, 18, 5, 2])],
        [("RTE", [20, 3, 0, 15, 8, 1, 10, 12])],
        [("CB", [2, 1, 0])],
    ]


def test_batches_are_packed_once_and_shuffled_in_every_epoch() -> None:
    first, second = (packed().epoch(number) for number in (0, 1))
    for task in SIZES:
        assert sorted(rows_of(task, first)) == sorted(rows_of(task, second))
    assert rows_of("RTE", first) != rows_of("RTE", second)
    assert [step[0].task for step in first] != [step[0].task for step in second]


@pytest.mark.parametrize("limit", [None, 1, 4])
def test_single_and_joint_runs_are_paired(limit: int | None) -> None:
    together = list(chain.from_iterable(schedule(packed(), limit)))
    for task, size in SIZES.items():
        alone = list(chain.from_iterable(schedule(packed({task: size}), limit)))
        assert rows_of(task, alone) == rows_of(task, together)


def test_the_limit_takes_each_tasks_first_batches_over_all_epochs() -> None:
    everything, limited = schedule(packed()), schedule(packed(), 4)
    assert [len(steps) for steps in everything] == [5, 5, 5]
    assert len(limited) == 3
    for task, total in {"RTE": 9, "CB": 3, "WNLI": 3}.items():
        rows = rows_of(task, list(chain.from_iterable(everything)))
        assert len(rows) == total
        assert rows_of(task, list(chain.from_iterable(limited))) == rows[:4]


def test_every_interleaving_is_as_likely() -> None:
    """A task of 3 batches among 6 steps stands at each place half of the time."""
    sampler = make("packed", {"a": 3, "b": 3}, epochs=1000, batch_size=1)
    places = np.array([[s[0].task == "a" for s in sampler.epoch(n)] for n in range(1000)])
    assert np.abs(places.mean(axis=0) - 0.5).max() < 0.06


def test_a_step_of_several_tasks_loses_only_what_is_over_the_limit() -> None:
    rows = [np.array([row]) for row in range(3)]
    sampler = RoundRobin({"a": rows, "b": rows[:2]}, epochs=2, seed=0)
    steps = schedule(sampler, 4)
    assert [len(epoch) for epoch in steps] == [3, 1]
    assert counts(steps[0] + steps[1]) == Counter(a=4, b=4)
    assert [batch.task for batch in steps[1][0]] == ["a", "b"]

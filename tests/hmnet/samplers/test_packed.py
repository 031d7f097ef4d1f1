"""Algorithm 1: what is trained, how often and in what order."""

from collections import Counter
from itertools import chain
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmnet.samplers.packed import Packed
from hmnet.samplers.sampler import Sampler, Step, schedule
from relevance.errors import RelevanceError

SIZES = {"RTE": 70, "CB": 7, "WNLI": 32}


def packed(sizes: dict[str, int] = SIZES, epochs: int = 3, seed: int = 0) -> Packed:
    return Packed(sizes, batch_size=32, epochs=epochs, seed=seed)


def flat(lists: list[list[Any]]) -> list[Any]:
    return list(chain.from_iterable(lists))


def rows_of(task: str, steps: list[Step]) -> list[list[int]]:
    return [batch.rows.tolist() for step in steps for batch in step if batch.task == task]


@given(
    st.dictionaries(st.text(max_size=5), st.integers(1, 300), min_size=1, max_size=5),
    st.integers(1, 64),
    st.integers(0, 9),
)
def test_an_epoch_trains_every_row_once_in_the_fewest_batches(
    sizes: dict[str, int], batch_size: int, epoch: int
) -> None:
    steps = Packed(sizes, batch_size=batch_size, epochs=10, seed=1).epoch(epoch)
    assert all(len(step) == 1 for step in steps)
    assert Counter(step[0].task for step in steps) == {
        task: ceil(size / batch_size) for task, size in sizes.items()
    }
    for task, size in sizes.items():
        batches = rows_of(task, steps)
        assert sorted(flat(batches)) == list(range(size))
        assert sum(len(batch) < batch_size for batch in batches) <= 1


def test_batches_are_packed_once_and_shuffled_in_every_epoch() -> None:
    first, second = (packed().epoch(number) for number in (0, 1))
    for task in SIZES:
        assert sorted(rows_of(task, first)) == sorted(rows_of(task, second))
    assert rows_of("RTE", first) != rows_of("RTE", second)
    assert [step[0].task for step in first] != [step[0].task for step in second]


def test_any_epoch_can_be_asked_for_first() -> None:
    once = packed()
    in_order = [once.epoch(number) for number in range(3)][2]
    straight = packed().epoch(2)
    for task in SIZES:
        assert rows_of(task, in_order) == rows_of(task, straight)
    assert [s[0].task for s in in_order] == [s[0].task for s in straight]


def test_the_seed_decides() -> None:
    assert rows_of("RTE", packed(seed=0).epoch(0)) != rows_of("RTE", packed(seed=1).epoch(0))


@pytest.mark.parametrize("limit", [None, 1, 4])
def test_a_task_trains_the_same_batches_alone_and_together(limit: int | None) -> None:
    together = flat(schedule(packed(), limit))
    for task, size in SIZES.items():
        alone = flat(schedule(packed({task: size}), limit))
        assert rows_of(task, alone) == rows_of(task, together)


def test_the_limit_takes_each_tasks_first_batches_over_all_epochs() -> None:
    everything, limited = schedule(packed()), schedule(packed(), 4)
    assert [len(steps) for steps in everything] == [5, 5, 5]
    assert len(limited) == 3
    for task, total in {"RTE": 9, "CB": 3, "WNLI": 3}.items():
        rows = rows_of(task, flat(everything))
        assert len(rows) == total
        assert rows_of(task, flat(limited)) == rows[:4]


def test_every_interleaving_is_as_likely() -> None:
    """A task of 3 batches among 6 steps stands at each place half of the time."""
    sampler = Packed({"a": 3, "b": 3}, batch_size=1, epochs=2000, seed=0)
    places = np.array([[s[0].task == "a" for s in sampler.epoch(n)] for n in range(2000)])
    assert np.abs(places.mean(axis=0) - 0.5).max() < 0.05


def test_a_step_of_several_tasks_loses_only_what_is_over_the_limit() -> None:
    class RoundRobin(Sampler):
        def epoch(self, number: int) -> list[Step]:
            return [[*a, *b] for a, b in zip(self._of("a"), self._of("b"), strict=True)]

        def _of(self, task: str) -> list[Step]:
            size = {task: self.sizes[task]}
            return Packed(size, batch_size=1, epochs=1, seed=0).epoch(0)

    steps = schedule(RoundRobin({"a": 2, "b": 2}, batch_size=1, epochs=2, seed=0), 3)
    assert [len(epoch) for epoch in steps] == [2, 1]
    assert [batch.task for batch in steps[1][0]] == ["a", "b"]


def test_an_unknown_sampler_is_named() -> None:
    from hmnet.config import RunConfig

    with pytest.raises(RelevanceError) as error:
        RunConfig(tasks=("RTE",), sampler="paked")
    assert str(error.value) == "Unknown sampler 'paked'. Did you mean 'packed'? Known: packed."

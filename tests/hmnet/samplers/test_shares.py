"""How often each task is trained: closed forms for each sampler, an oracle for the split."""

from collections import Counter
from itertools import chain
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmnet.samplers.sampler import Sampler, apportion, schedule
from sampling import SIZES, counts, make, rows_of

ROUND = {"large": 80, "middle": 40, "small": 8}  # 10, 5 and 1 batches of 8


def per_epoch(sampler: Sampler) -> list[Counter[str]]:
    return [counts(steps) for steps in schedule(sampler)]


def slowly(steps: int, weights: dict[str, float]) -> dict[str, int]:
    """Step by step to the task that is furthest behind its claim."""
    given = dict.fromkeys(weights, 1)
    for _ in range(steps - len(weights)):
        given[max(weights, key=lambda task: weights[task] / (given[task] + 0.5))] += 1
    return given


@given(
    st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=6),
    st.integers(0, 60),
)
def test_steps_go_to_the_task_that_is_furthest_behind(weights: list[float], further: int) -> None:
    named = {f"task {number}": weight for number, weight in enumerate(weights)}
    split = apportion(len(named) + further, named)
    assert split == slowly(len(named) + further, named)
    assert sum(split.values()) == len(named) + further


def test_whole_shares_are_met_exactly() -> None:
    assert apportion(10, {"a": 5.0, "b": 3.0, "c": 2.0}) == {"a": 5, "b": 3, "c": 2}


def test_no_task_is_left_out() -> None:
    assert apportion(5, {"a": 1e6, "b": 1.0, "c": 1e-6}) == {"a": 3, "b": 1, "c": 1}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("packed", {"large": 10, "middle": 5, "small": 1}),
        ("proportional", {"large": 10, "middle": 5, "small": 1}),
        ("uniform", {"large": 6, "middle": 5, "small": 5}),
        ("temperature:temperature=1", {"large": 10, "middle": 5, "small": 1}),
        ("temperature:temperature=1,cap=8", {"large": 6, "middle": 5, "small": 5}),
        ("temperature:temperature=1,cap=24", {"large": 7, "middle": 7, "small": 2}),
        ("temperature:temperature=1e9", {"large": 6, "middle": 5, "small": 5}),
        ("temperature:temperature=1e-9", {"large": 14, "middle": 1, "small": 1}),
        ("temperature", {"large": 8, "middle": 6, "small": 2}),
    ],
)
def test_an_epoch_has_as_many_steps_as_there_are_batches(
    name: str, expected: dict[str, int]
) -> None:
    sampler = make(name, ROUND)
    assert per_epoch(sampler) == [expected] * 3
    assert all(len(step) == 1 for step in chain.from_iterable(schedule(sampler)))


def test_half_full_batches_count_whole_in_packed_and_by_rows_in_proportional() -> None:
    sizes = {"large": 96, "odd": 9}
    assert per_epoch(make("packed", sizes, epochs=1)) == [{"large": 12, "odd": 2}]
    assert per_epoch(make("proportional", sizes, epochs=1)) == [{"large": 13, "odd": 1}]


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_annealing_goes_from_proportional_to_the_fifth_root(epochs: int) -> None:
    sampler = make("annealed", ROUND, epochs=epochs)
    found = per_epoch(sampler)
    alphas = [1.0, 0.8, 0.6, 0.4, 0.2] if epochs == 5 else [1.0, 0.2][:epochs]
    shares = [{task: size**alpha for task, size in ROUND.items()} for alpha in alphas]
    assert found == [slowly(16, share) for share in shares]
    assert found[0] == {"large": 10, "middle": 5, "small": 1}
    if epochs > 1:  # 80^0.2 : 40^0.2 : 8^0.2 = 2.40 : 2.09 : 1.52, of 16 steps 6.4, 5.6 and 4.0
        assert found[-1] == {"large": 6, "middle": 6, "small": 4}


@pytest.mark.parametrize(("strategy", "steps"), [("all_exhausted", 10), ("first_exhausted", 1)])
def test_round_robin_has_every_task_in_every_step(strategy: str, steps: int) -> None:
    sampler = make(f"round-robin:stopping_strategy={strategy}", ROUND, epochs=2)
    for epoch in schedule(sampler):
        assert len(epoch) == steps
        assert all([batch.task for batch in step] == list(ROUND) for step in epoch)


def test_round_robin_goes_on_with_large_tasks_where_the_last_epoch_ended() -> None:
    sampler = make("round-robin:stopping_strategy=first_exhausted", ROUND, epochs=10)
    rows = chain.from_iterable(rows_of("large", list(chain.from_iterable(schedule(sampler)))))
    assert sorted(rows) == list(range(80))


def test_round_robin_trains_every_row_in_an_epoch() -> None:
    (steps,) = schedule(make("round-robin", SIZES, epochs=1))
    for task, size in SIZES.items():
        assert set(chain.from_iterable(rows_of(task, steps))) == set(range(size))
    assert len(steps) == ceil(70 / 8)


@pytest.mark.parametrize("r", [0, 1, 3])
def test_adaptive_round_robin_begins_with_the_largest_task(r: int) -> None:
    sampler = make(f"adaptive-round-robin:r={r}", ROUND, epochs=2)
    found = schedule(sampler)
    assert [len(steps) for steps in found] == [10] * (r + 2)
    for steps in found[:r]:
        assert [[batch.task for batch in step] for step in steps] == [["large"]] * 10
        assert sorted(chain.from_iterable(rows_of("large", steps))) == list(range(80))
    for steps in found[r:]:
        assert counts(steps) == dict.fromkeys(ROUND, 10)


def test_of_two_largest_tasks_the_first_is_taken() -> None:
    first, *_ = schedule(make("adaptive-round-robin", {"a": 5, "b": 9, "c": 9}, batch_size=4))
    assert set(counts(first)) == {"b"}

"""What holds for every sampler, whatever its parameters."""

from itertools import chain, zip_longest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmnet.samplers.sampler import Sampler, samplers, schedule
from hmnet.settings.config import TrainingSettings
from relevance.choice import choose
from sampling import SIZES, content, counts, make, rows_of

PARAMETERS = (
    "temperature:temperature=5,cap=20",
    "round-robin:stopping_strategy=first_exhausted",
    "adaptive-round-robin:r=2",
)
every_sampler = pytest.mark.parametrize("name", [*samplers.names(), *PARAMETERS])
sizes_of_tasks = st.dictionaries(st.text(max_size=5), st.integers(1, 60), min_size=1, max_size=4)


@every_sampler
def test_every_parameter_reaches_training(name: str) -> None:
    chosen = choose(samplers, name)
    chooser = chosen.build({}, epochs=1, seed=0).chooser([], {})
    chooses = chosen.member.chooser is not Sampler.chooser
    assert (chooser is not None) == chooses


@every_sampler
@settings(max_examples=10)
@given(
    sizes=sizes_of_tasks,
    batch_size=st.integers(4, 40),
    epochs=st.integers(1, 4),
    seed=st.integers(0, 9),
)
def test_steps_hold_whole_batches_and_every_task_is_trained(
    name: str, sizes: dict[str, int], batch_size: int, epochs: int, seed: int
) -> None:
    sampler = make(name, sizes, epochs=epochs, seed=seed, batch_size=batch_size)
    packed = {task: {tuple(b.rows) for b in own} for task, own in sampler.batches.items()}
    steps = list(chain.from_iterable(schedule(sampler)))
    for step in steps:
        assert step
        assert len({task for task, _ in step}) == len(step)
        assert all(tuple(rows) in packed[task] for task, rows in step)
    assert set(counts(steps)) == set(sizes)


@every_sampler
def test_an_epoch_depends_on_the_arguments_alone(name: str) -> None:
    used, fresh = make(name), make(name)
    in_order = [content(used.epoch(number)) for number in range(used.epochs)]
    reverse = [content(fresh.epoch(number)) for number in reversed(range(fresh.epochs))]
    assert in_order == reverse[::-1]


@every_sampler
def test_the_seed_decides(name: str) -> None:
    one, same, other = (make(name, seed=seed).epoch(0) for seed in (3, 3, 4))
    assert content(one) == content(same) != content(other)


@every_sampler
@pytest.mark.parametrize("limit", [None, 4])
def test_a_task_trains_the_same_batches_alone_and_together(name: str, limit: int | None) -> None:
    """How many there are may depend on the company; which ones and in what order does not."""
    together = list(chain.from_iterable(schedule(make(name), limit)))
    for task, size in SIZES.items():
        alone = list(chain.from_iterable(schedule(make(name, {task: size}), limit)))
        pairs = list(zip_longest(rows_of(task, alone), rows_of(task, together)))
        assert all(one == other for one, other in pairs if one and other)
        if choose(samplers, name).member.paired:
            assert all(one and other for one, other in pairs)
    assert choose(samplers, "packed").member.paired


@every_sampler
def test_a_task_trains_all_its_batches_before_it_starts_over(name: str) -> None:
    sampler = make(name, epochs=4)
    steps = list(chain.from_iterable(schedule(sampler)))
    for task, batches in sampler.batches.items():
        rows = rows_of(task, steps)
        for start in range(0, len(rows), len(batches)):
            some = [tuple(each) for each in rows[start : start + len(batches)]]
            assert len(set(some)) == len(some)


@every_sampler
def test_one_task_has_the_epochs_of_algorithm_1(name: str) -> None:
    sampler, packed = make(name, {"RTE": 21}, epochs=2), make("packed", {"RTE": 21}, epochs=5)
    steps = list(chain.from_iterable(schedule(sampler)))
    expected = list(chain.from_iterable(schedule(packed)))[: len(steps)]
    assert rows_of("RTE", steps) == rows_of("RTE", expected)
    assert len(steps) == 3 * sampler.epochs
    assert sampler.epochs == 2 + getattr(sampler, "r", 0)


@every_sampler
def test_one_epoch_of_a_task_smaller_than_a_batch(name: str) -> None:
    sampler = make(name, {"CB": 3}, epochs=1)
    assert sampler.epochs == 1 + getattr(sampler, "r", 0)
    for (step,) in schedule(sampler):
        assert [(task, sorted(rows)) for task, rows in step] == [("CB", [0, 1, 2])]


@every_sampler
def test_it_says_what_an_epoch_is(name: str) -> None:
    assert "An epoch is" in (choose(samplers, name).member.__doc__ or "")


@every_sampler
def test_settings_say_it_in_one_way(name: str) -> None:
    said = TrainingSettings(sampler=name.replace(",", " , ")).sampler
    assert said == TrainingSettings(sampler=str(said)).sampler == choose(samplers, name)

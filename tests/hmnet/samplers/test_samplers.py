"""What holds for every sampler."""

import pytest

from hmnet.samplers.sampler import Sampler, samplers, schedule

SIZES = {"RTE": 21, "CB": 3, "WNLI": 8}


def make(name: str, epochs: int = 3, seed: int = 0) -> Sampler:
    return samplers().find(name)(SIZES, batch_size=8, epochs=epochs, seed=seed)


def content(sampler: Sampler, epoch: int) -> list[list[tuple[str, list[int]]]]:
    return [[(task, rows.tolist()) for task, rows in step] for step in sampler.epoch(epoch)]


@pytest.mark.parametrize("name", samplers().names())
def test_batches_hold_rows_of_their_task(name: str) -> None:
    for epoch in range(3):
        for step in content(make(name), epoch):
            assert step
            for task, rows in step:
                assert 1 <= len(rows) <= 8
                assert len(set(rows)) == len(rows)
                assert set(rows) <= set(range(SIZES[task]))


@pytest.mark.parametrize("name", samplers().names())
def test_an_epoch_depends_on_seed_and_number_alone(name: str) -> None:
    used = make(name)
    for epoch in (0, 1):
        used.epoch(epoch)
    assert content(used, 2) == content(make(name), 2)
    assert content(make(name), 0) != content(make(name, seed=1), 0)


@pytest.mark.parametrize("name", samplers().names())
def test_every_task_is_trained(name: str) -> None:
    trained = {b.task for epoch in schedule(make(name)) for step in epoch for b in step}
    assert trained == set(SIZES)


@pytest.mark.parametrize("name", samplers().names())
def test_it_says_what_an_epoch_is(name: str) -> None:
    assert "epoch is" in (samplers().find(name).__doc__ or "")

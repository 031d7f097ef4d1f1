"""From settings and rows to steps, and training on steps of every shape, broken off or not."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hmnet.samplers.sampler import Step, samplers
from hmnet.settings.config import TrainingSettings
from hmnet.training.fit import make_schedule
from hmnet.training.hooks.checkpoints import Checkpoints


def with_settings(world: Any, **settings: Any) -> Any:
    return dataclasses.replace(world, settings=world.settings.model_copy(update=settings))


def padded(steps: list[Step], lengths: dict[str, np.ndarray]) -> int:
    """Tokens of all batches, padding included."""
    sizes = [(len(rows), lengths[task][rows].max()) for step in steps for task, rows in step]
    return sum(int(rows * longest) for rows, longest in sizes)


@pytest.mark.parametrize("name", samplers.names())
def test_rows_of_about_the_same_length_come_together_in_every_sampler(name: str) -> None:
    draw = np.random.default_rng(0)
    lengths = {"RTE": draw.integers(9, 96, size=640), "CB": draw.integers(9, 96, size=250)}
    plain, grouped = (
        make_schedule(TrainingSettings(sampler=name, batch_size=8, length_grouped=on), lengths, 0)
        for on in (False, True)
    )
    for before, after in zip(plain, grouped, strict=True):
        assert [[b.task for b in step] for step in before] == [
            [b.task for b in step] for step in after
        ]
        assert padded(after, lengths) < 0.7 * padded(before, lengths)


def test_grouped_batches_are_packed_once_and_the_same_alone_and_together(world: Any) -> None:
    lengths = {task: encoded.lengths for task, encoded in world.data.items()}
    settings = TrainingSettings(epochs=2, batch_size=4, length_grouped=True)

    def batches(tasks: dict[str, np.ndarray]) -> list[list[list[int]]]:
        epochs = make_schedule(settings, tasks, seed=5)
        return [[b.rows.tolist() for (b,) in steps if b.task == "TONE"] for steps in epochs]

    first, second = batches(lengths)
    assert sorted(first) == sorted(second)
    assert first != second
    assert batches({"TONE": lengths["TONE"]}) == [first, second]


@pytest.mark.parametrize(
    "settings",
    [{"sampler": "adaptive-round-robin"}, {"sampler": "uniform", "length_grouped": True}],
)
def test_a_run_that_was_broken_off_ends_with_the_same_weights(
    world: Any, tmp_path: Path, settings: dict[str, Any]
) -> None:
    world = with_settings(world, batch_size=4, **settings)
    seen: list[str] = []
    expected = world.fit(on_step=lambda progress: seen.append(progress.task))
    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, every_s=1e9)

    def stop(progress: Any) -> None:
        if progress.step >= 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.fit(on_step=stop, checkpoints=checkpoints)
    resumed = world.fit(checkpoints=checkpoints)
    for one, other in zip(resumed.parameters(), expected.parameters(), strict=True):
        assert torch.equal(one, other)
    if settings["sampler"] == "adaptive-round-robin":
        assert seen == ["TONE"] * 10 + ["TONE+SAME+GRADE"] * 20

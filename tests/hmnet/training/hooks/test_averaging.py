"""Averaged weights: the plain mean over the last steps, kept through a resume."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from hmnet.training.hooks.averaging import add_to_mean, is_averaged, take_mean
from hmnet.training.hooks.checkpoints import Checkpoints


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, []), (0.25, [4]), (0.5, [3, 4]), (0.6, [2, 3, 4]), (1.0, [1, 2, 3, 4])],
)
def test_the_last_share_of_the_steps_counts(share: float, expected: list[int]) -> None:
    assert [step for step in range(1, 5) if is_averaged(step, 4, share)] == expected


def test_the_mean_is_over_the_steps_from_a_weights_first_update_on() -> None:
    torch.manual_seed(0)
    early, late, never = (torch.nn.Parameter(torch.randn(3, 2)) for _ in range(3))
    optimizer = torch.optim.AdamW([early, late, never], lr=0.1, fused=True)
    seen: dict[str, list[torch.Tensor]] = {"early": [], "late": []}
    untouched = never.detach().clone()
    for step in range(6):
        optimizer.zero_grad()
        (early.square().sum() if step < 3 else early.sum() * late.sum()).backward()
        optimizer.step()
        if step >= 1:
            add_to_mean(optimizer)
            seen["early"].append(early.detach().clone())
            seen["late"] += [late.detach().clone()] if step >= 3 else []
    take_mean(optimizer)
    torch.testing.assert_close(early.detach(), torch.stack(seen["early"]).mean(0))
    torch.testing.assert_close(late.detach(), torch.stack(seen["late"]).mean(0))
    assert torch.equal(never, untouched)


def test_counting_weights_leaves_training_alone(world: Any) -> None:
    """Averaged from the last step on only, a run ends where it would have ended."""
    steps = sum(map(len, world.epochs))
    averaged = _with_average(world, 0.99 / steps).fit()
    for one, other in zip(averaged.parameters(), world.fit().parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_resumed_run_ends_with_the_same_mean(world: Any, tmp_path: Path) -> None:
    averaged = _with_average(world, 0.8)
    expected = averaged.fit()
    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, 0.0)

    def stop(progress: Any) -> None:
        if progress.step >= 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        averaged.fit(on_step=stop, checkpoints=checkpoints)
    resumed = averaged.fit(checkpoints=checkpoints)
    for one, other in zip(resumed.parameters(), expected.parameters(), strict=True):
        assert torch.equal(one, other)
    assert any(
        not torch.equal(one, other)
        for one, other in zip(expected.parameters(), world.fit().parameters(), strict=True)
    )


def _with_average(world: Any, share: float) -> Any:
    settings = world.settings.model_copy(update={"average": share})
    return dataclasses.replace(world, settings=settings)

"""Training with a regularizer: none at weight 0, told beside the loss, resumed as if unbroken."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from hmnet.regularizers.regularizer import make_regularizer, regularizers
from hmnet.runs.log import open_log
from hmnet.training import loop
from hmnet.training.checkpoint import find_checkpoint
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.progress import Progress
from hmnet.training.step import train_step
from relevance.choice import choose


def with_smart(world: Any, regularizer: str | None, **others: Any) -> dict[str, Any]:
    chosen = {"regularizer": regularizer, "epochs": 1, "max_steps_per_task": 2} | others
    return {"settings": world.settings.model_copy(update=chosen)}


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(weight, expected) for weight, expected in pairs)


def test_a_weight_of_zero_is_plain_training(world: Any) -> None:
    assert make_regularizer(choose(regularizers, "smart:weight=0")) is None
    assert make_regularizer(choose(regularizers, "smart:weight=0,proximal=1")) is not None
    plain = world.fit(**with_smart(world, None))
    assert same_weights(world.fit(**with_smart(world, "smart:weight=0")), plain)
    assert not same_weights(world.fit(**with_smart(world, "smart")), plain)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_term_is_told_beside_the_loss(world: Any, precision: str, tmp_path: Path) -> None:
    seen: list[Progress] = []
    with open_log(tmp_path, None, "cpu") as log:

        def tell(step: Progress) -> None:
            seen.append(step)
            log.step(step)

        world.fit(on_step=tell, **with_smart(world, "smart:weight=1", precision=precision))
    terms = [step.term for step in seen]
    assert all(term is not None and math.isfinite(term) and term > 0 for term in terms)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["term"] for line in lines] == terms


def test_without_one_there_is_no_term(world: Any, tmp_path: Path) -> None:
    seen: list[Progress] = []
    world.fit(on_step=seen.append, **with_smart(world, None, max_steps_per_task=1))
    assert {step.term for step in seen} == {None}


def test_a_resumed_run_has_the_weights_of_an_unbroken_one(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The average of the iterates is in the checkpoint, like all else."""
    options = with_smart(world, "smart:weight=0.5,proximal=3,momentum=0.9")
    steps = iter(range(100))

    def step(*arguments: Any) -> Any:
        if next(steps) == 3:
            raise RuntimeError("killed")
        return train_step(*arguments)

    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, every_s=1e-9)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", step)
        with pytest.raises(RuntimeError, match="killed"):
            world.fit(checkpoints=checkpoints, **options)
    found = find_checkpoint(checkpoints.folder)
    assert found is not None
    assert found[1].step == 3
    assert (found[0] / "regularizer.safetensors").is_file()
    seen: list[Progress] = []
    resumed = world.fit(checkpoints=checkpoints, on_step=seen.append, **options)
    assert seen[0].step == 4
    assert same_weights(resumed, world.fit(**options))

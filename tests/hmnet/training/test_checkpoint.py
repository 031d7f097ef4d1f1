"""Checkpoints: whole or not there, and never garbage."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from hmnet.training import checkpoint
from hmnet.training.checkpoint import (
    Position,
    find_checkpoint,
    load_checkpoint,
    replacing_folder,
    save_checkpoint,
)
from hmnet.training.hooks.checkpoints import Checkpoints
from relevance.errors import RelevanceError


def trained(steps: int) -> tuple[nn.Module, torch.optim.AdamW]:
    """A small model of which one layer has never had a gradient."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"used": nn.Linear(3, 2), "idle": nn.Linear(3, 2)})
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    continue_training(model, optimizer, steps)
    return model, optimizer


def continue_training(model: nn.Module, optimizer: torch.optim.AdamW, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.dropout(model["used"](torch.ones(4, 3))).square().sum().backward()
        optimizer.step()


def test_weights_optimizer_and_random_state_come_back(tmp_path: Path) -> None:
    model, optimizer = trained(3)
    save_checkpoint(tmp_path / "checkpoint", model, optimizer, Position(1, 3, "data"))
    continue_training(model, optimizer, 4)
    torch.manual_seed(99)
    resumed, resumed_optimizer = trained(0)
    folder, position = find_checkpoint(tmp_path / "checkpoint")
    assert position == Position(1, 3, "data")
    load_checkpoint(folder, resumed, resumed_optimizer)
    continue_training(resumed, resumed_optimizer, 4)
    for one, other in zip(resumed.parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not any(w in resumed_optimizer.state for w in resumed["idle"].parameters())


def test_files_are_safetensors_and_json(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "checkpoint", *trained(1), Position(0, 1, ""))
    assert sorted(path.name for path in (tmp_path / "checkpoint").iterdir()) == [
        "model.safetensors",
        "optimizer.safetensors",
        "state.json",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("harm", ["truncated", "garbled", "missing"])
def test_a_damaged_checkpoint_is_told_and_an_older_one_used(
    tmp_path: Path, name: str, harm: str
) -> None:
    folder = tmp_path / "checkpoint"
    save_checkpoint(folder, *trained(1), Position(0, 1, ""))
    folder.rename(tmp_path / "kept")
    save_checkpoint(folder, *trained(2), Position(0, 2, ""))
    content = (folder / name).read_bytes()
    if harm == "missing":
        (folder / name).unlink()
    else:
        middle = len(content) // 2
        rest = b"" if harm == "truncated" else bytes([content[middle] ^ 1]) + content[middle + 1 :]
        (folder / name).write_bytes(content[:middle] + rest)
    if harm == "garbled" and name == "state.json":
        (folder / name).write_text('{"schema": "relevance.checkpoint/1", "part": "zero"}')
    with pytest.raises(RelevanceError) as error:
        find_checkpoint(folder)
    assert str(error.value) == (
        f"{folder} is damaged: its files are not what was written. Delete it to train this part of"
        " the run from its beginning, then `resume=True`."
    )
    (tmp_path / "kept").rename(tmp_path / "checkpoint.old")
    assert find_checkpoint(folder) == (tmp_path / "checkpoint.old", Position(0, 1, ""))


def altered(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {**content, **fields}


GARBAGE: list[Callable[[dict[str, Any]], Any]] = [
    lambda content: [content],
    lambda _: {},
    altered(part="one"),
    altered(part=-1),
    altered(step=10**400),
    altered(step=1),  # whole but for what was written
    altered(record=[]),
    altered(record={"seconds": -1}),
    altered(data=3),
    altered(random={"cpu": 3}),
    altered(random={"cpu": "no number"}, seal=None),
    altered(random={}, seal=None),
    altered(sha256={}, seal=None),
    altered(sha256=3),
    altered(sha256={"model.safetensors": 3}),
    altered(sha256={"\0": "", "model.safetensors": "", "optimizer.safetensors": ""}, seal=None),
]


@pytest.mark.parametrize("number", range(len(GARBAGE)))
def test_any_garbage_is_told_in_one_line(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "checkpoint"
    save_checkpoint(folder, *trained(1), Position(0, 2, ""))
    state = folder / "state.json"
    state.write_text(json.dumps(GARBAGE[number](json.loads(state.read_text()))))

    def resume() -> None:
        found = find_checkpoint(folder)
        assert found is not None
        load_checkpoint(found[0], *trained(0))

    with pytest.raises(RelevanceError, match=r"checkpoint is damaged: its files are not what was"):
        resume()


def test_a_checkpoint_of_another_model_is_told(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "checkpoint", *trained(1), Position(0, 2, ""))
    other = nn.ModuleDict({"used": nn.Linear(3, 2), "more": nn.Linear(3, 2)})
    with pytest.raises(RelevanceError, match="checkpoint is damaged"):
        load_checkpoint(tmp_path / "checkpoint", other, torch.optim.AdamW(other.parameters()))


def test_a_kill_between_the_two_renames_leaves_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoint"
    save_checkpoint(folder, *trained(1), Position(0, 1, ""))
    rename = Path.rename

    def killed(self: Path, target: Path) -> Path:
        if target == folder:
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(folder, *trained(2), Position(0, 2, ""))
    found = find_checkpoint(folder)
    assert found is not None
    assert found[1].step == 1
    save_checkpoint(folder, *trained(3), Position(0, 3, ""))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_full_disk_is_one_line_and_the_older_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoint"
    save_checkpoint(folder, *trained(1), Position(0, 1, ""))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(RelevanceError) as error:
        save_checkpoint(folder, *trained(2), Position(0, 2, ""))
    assert str(error.value) == f"{folder} cannot be written: No space left on device."
    found = find_checkpoint(folder)
    assert found is not None
    assert found[1].step == 1


def test_a_folder_that_fails_half_way_is_not_there(tmp_path: Path) -> None:
    def write() -> None:
        with replacing_folder(tmp_path / "model") as folder:
            (folder / "half").write_text("")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_other_data_is_refused(world: Any, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, every_s=1e9)
    world.fit(checkpoints=checkpoints)
    tone, *others = world.prepared
    shorter = replace(tone.train, encoded=tone.train.encoded.take(torch.arange(36).numpy()))
    other = replace(world, prepared=(replace(tone, train=shorter), *others))
    with pytest.raises(RelevanceError) as error:
        other.fit(checkpoints=checkpoints)
    assert str(error.value) == (
        f"{tmp_path / 'checkpoint'} was written with other training data than there is now."
        " Put the data back, or train anew with another `out`."
    )


def test_a_checkpoint_of_another_part_is_left_alone(world: Any, tmp_path: Path) -> None:
    world.fit(checkpoints=Checkpoints(tmp_path / "checkpoint", 0, every_s=1e9))
    seen: list[Any] = []
    world.fit(checkpoints=Checkpoints(tmp_path / "checkpoint", 1, 1e9), on_step=seen.append)
    assert seen[0].step == 1

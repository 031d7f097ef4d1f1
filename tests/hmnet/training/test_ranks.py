"""Two processes that train one model do what one does: real ones, joined by gloo."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hmnet.backbones.backbone import load_backbone
from hmnet.runs.train import train_run
from hmnet.settings.config import RunConfig
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.progress import Progress
from hmnet.training.ranks import ALONE, Ranks, find_ranks
from ranks import joined
from relevance.errors import RelevanceError

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

# 37, 20 and 24 rows: last batches of one row, for which the second process has none, and of two
SIZE = 6
AS_ONE: dict[str, dict[str, Any]] = {
    "plain": {},
    "parts": {"accumulate": 4, "clip_norm": 0.5, "freeze": "2", "average": 0.5},
    "surgery": {"sampler": "round-robin", "surgery": "pcgrad", "accumulate": 2},
    "chosen rows": {"sampler": "uncertainty:proxy=dropout"},
}


@dataclass(frozen=True)
class Trained:
    """What one process saw."""

    losses: list[float]
    weights: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def still_bert(
    make_backbone: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A tiny BERT without dropout."""
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return make_backbone("bert", tmp_path_factory.mktemp("still"), **still)


@pytest.fixture
def still(world: Any, still_bert: Path) -> Any:
    """The small world without dropout."""
    return replace(world, backbone=load_backbone(str(still_bert)))


def with_settings(world: Any, **settings: Any) -> Any:
    """A world of one epoch of small batches."""
    small = {"batch_size": SIZE, "epochs": 1}
    return replace(world, settings=world.settings.model_copy(update=small | settings))


def trained(world: Any, ranks: Ranks, **options: Any) -> Trained:
    """Losses and weights of a training on all tasks."""
    losses: list[float] = []
    model = world.fit(on_step=lambda step: losses.append(step.loss), ranks=ranks, **options)
    return Trained(losses, {n: w.detach().numpy() for n, w in model.named_parameters()})


def assert_equal(one: Trained, other: Trained) -> None:
    """The same weights to the bit."""
    assert one.weights.keys() == other.weights.keys()
    for name, weight in one.weights.items():
        np.testing.assert_array_equal(weight, other.weights[name], err_msg=name)


@pytest.mark.parametrize("name", AS_ONE)
@pytest.mark.process
def test_losses_are_those_of_one_process(name: str, still: Any) -> None:
    world = with_settings(still, **AS_ONE[name])
    one = trained(world, ALONE)
    main, other = joined(lambda ranks: trained(world, ranks))
    assert len(one.losses) == sum(map(len, world.epochs))
    np.testing.assert_allclose(main.losses, one.losses, rtol=1e-4)
    assert other.losses == [], "one process reports"
    assert_equal(main, other)


@pytest.mark.process
def test_gradients_are_those_of_one_process(still: Any) -> None:
    """An update by AdamW does not tell how long gradients are."""
    world = with_settings(still, max_steps_per_task=7)

    def seen(ranks: Ranks) -> list[np.ndarray]:
        found: list[np.ndarray] = []

        def look(model: torch.nn.Module, _: int) -> None:
            weights = [w.grad for w in model.parameters() if w.grad is not None]
            found.append(torch.cat([gradient.flatten() for gradient in weights]).numpy())

        world.fit(ranks=ranks, watch=look)
        return found

    expected = seen(ALONE)
    main, _ = joined(seen)
    assert len({len(gradient) for gradient in main}) > 1, "of each task's path alone"
    for one, two in zip(expected, main, strict=True):
        np.testing.assert_allclose(two, one, atol=1e-3 * np.abs(one).max())


ALL_THAT_IS_RANDOM = {"sampler": "round-robin", "surgery": "pcgrad", "regularizer": "smart"}


@pytest.mark.process
def test_killed_and_resumed_is_unbroken_with_dropout_too(world: Any, tmp_path: Path) -> None:
    world = with_settings(world, **ALL_THAT_IS_RANDOM, max_steps_per_task=4)
    unbroken = joined(lambda ranks: trained(world, ranks))
    assert_equal(*unbroken)
    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, every_s=0.0)

    def killed(ranks: Ranks) -> None:
        def stop(step: Progress) -> None:
            if step.step == 3:
                os._exit(1)

        world.fit(ranks=ranks, on_step=stop, checkpoints=checkpoints)

    main, other = joined(killed)
    assert main == "died"
    assert "Error" in other, "without the main process none goes on"
    resumed = joined(lambda ranks: trained(world, ranks, checkpoints=checkpoints))
    assert len(resumed[0].losses) == len(unbroken[0].losses) - 2
    for one, two in zip(unbroken, resumed, strict=True):
        assert_equal(one, two)


def test_dropout_differs_between_processes_and_steps() -> None:
    def numbers(number: int, step: int) -> list[float]:
        torch.manual_seed(5)
        Ranks(number, 3, "cpu", seed=5).reseed(step)
        return torch.rand(3).tolist()

    torch.manual_seed(5)
    assert torch.rand(3).tolist() == numbers(0, 1) == numbers(0, 2), "the main process's are seed 5"
    drawn = [numbers(number, step) for number in (1, 2) for step in (1, 2)]
    assert len(set(map(tuple, drawn))) == 4
    assert numbers(1, 1) == numbers(1, 1)


@given(rows=st.lists(st.integers(0, 99), min_size=1, unique=True), count=st.integers(1, 5))
def test_shares_are_a_batch_in_its_order(rows: list[int], count: int) -> None:
    shares = [Ranks(n, count, "cpu", 0).share(np.array(rows)) for n in range(count)]
    assert [row for share in shares if share.part for row in share.rows.tolist()] == rows
    assert math.fsum(share.part for share in shares) == pytest.approx(1)
    for share in shares:
        if share.part:
            assert share.part == len(share.rows) / len(rows)
        else:
            assert share.rows.tolist() == rows[:1], "something to run"


def test_a_process_on_its_own() -> None:
    assert find_ranks("cuda:1", seed=3) is ALONE
    assert ALONE.agree(lambda: "mine") == "mine"
    tensor = torch.ones(2)
    ALONE.add_up([tensor])
    ALONE.wait()
    assert tensor.tolist() == [1, 1]


def test_one_device_for_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(RelevanceError) as error:
        find_ranks("cuda:1", seed=0)
    assert str(error.value) == (
        "`device='cuda:1'` is one device, but 4 processes train together, each on its own. Leave it"
        ' out, or take `device="cpu"`.'
    )


def test_a_note_where_accelerate_starts_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ALONE.note() is None
    for name in ("MASTER_ADDR", "ACCELERATE_USE_CPU"):  # as `accelerate launch --cpu` sets them
        monkeypatch.setenv(name, "true")
    assert ALONE.note() == (
        "accelerate has started one process. On the CPU it starts several with --multi_gpu in the"
        " place of --cpu."
    )


def losses(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.heavy
def test_accelerate_launch(config: RunConfig, still_bert: Path, tmp_path: Path) -> None:
    """From the command line to a run's folder, which is as one process writes it."""
    changes = {"backbone": str(still_bert), "batch_size": SIZE, "checkpoint": "best"}
    config = config.model_copy(update=changes)
    config.to_toml(tmp_path / "run.toml")
    train_run(config, None, tmp_path / "one")
    launch = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", "--multi_gpu"]
    launch += ["--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    launch += ["--dynamo_backend", "no", "--main_process_port", "0", "--no_python"]
    command = [Path(sys.executable).with_name("hmnet"), "train"]
    command += ["--config", tmp_path / "run.toml", "--out", tmp_path / "two"]
    done = subprocess.run([*launch, *command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("hmnet: note: 2 processes train together: of every batch each") == 1
    np.testing.assert_allclose(losses(tmp_path / "two"), losses(tmp_path / "one"), rtol=1e-4)
    for one in (tmp_path / "one").rglob("*"):
        assert (tmp_path / "two" / one.relative_to(tmp_path / "one")).exists()

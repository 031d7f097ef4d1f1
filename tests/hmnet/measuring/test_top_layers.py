"""Training over stored outputs of frozen layers is full training with these layers frozen."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hmnet.measuring import lower_states as stored
from hmnet.measuring.joint_runs import train_and_score
from hmnet.measuring.joint_trainer import JointTrainer
from hmnet.measuring.probe import EncoderProbe
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedTask
from hmnet.sharing.freeze import Freeze
from relevance.errors import RelevanceError

GB = 10**9
PAIR = ("SAME", "TONE")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELEVANCE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(stored, "_open", {})


def full(trainer: JointTrainer, tasks: tuple[str, ...], frozen: int) -> dict[str, Any]:
    """Joint training as ever, layers frozen, and no dropout in them and what is below or among."""

    @contextmanager
    def without_dropout(model: MultiTaskModel, _: Sequence[PreparedTask]) -> Iterator[None]:
        outside = model.module(model.plan.outside[tasks[0]])
        below = [*model.layers(tasks[0])[:frozen], outside.get_submodule("embeddings")]
        below += [module for name, module in outside.named_modules() if name.endswith(".conv")]
        for module in below:
            module.eval()
            module.train = lambda mode=True, own=module: own  # type: ignore[method-assign]
        yield

    settings = trainer.settings.model_copy(update={"freeze": Freeze(last=frozen)})
    return train_and_score(replace(trainer, settings=settings), tasks, 0, "cpu", without_dropout)


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for name, result in expected.items():
        np.testing.assert_allclose(found[name].losses, result.losses, rtol=1e-6, atol=1e-6)
        assert found[name].metrics == pytest.approx(result.metrics, abs=1e-6)


@pytest.mark.parametrize(
    "family", ["bert", "roberta", "distilbert", "electra", "deberta-v2", "modernbert"]
)
def test_every_family_gives_the_scores_of_full_training(
    family: str, make_probe: Callable[..., EncoderProbe], tiny_backbones: dict[str, Path]
) -> None:
    trainer = make_probe(tiny_backbones[family], freeze=Freeze(last=2)).trainer
    top = trainer.top_layers(GB)
    expected = full(trainer, ("GRADE", "SAME"), 2)
    assert_same(top(("GRADE", "SAME"), 0, "cpu"), expected)
    # what is trained above is trained: without a step scores are others
    unlearned = replace(top, settings=top.settings.model_copy(update={"lr": 1e-12}))
    losses = unlearned(("GRADE", "SAME"), 0, "cpu")["SAME"].losses
    assert np.abs(np.subtract(losses, expected["SAME"].losses)).max() > 1e-4


@pytest.mark.parametrize(
    "changed",
    [{"head": "siamese", "pooling": "mean"}, {"pooling": "mean"}, {"sampler": "uncertainty"}],
)
def test_texts_apart_pooling_and_samplers_that_ask_the_model(
    changed: dict[str, str], make_probe: Callable[..., EncoderProbe]
) -> None:
    trainer = make_probe(freeze=Freeze(last=1)).trainer
    content = {**trainer.settings.model_dump(), **changed}
    trainer = replace(trainer, settings=type(trainer.settings).model_validate(content))
    assert_same(trainer.top_layers(GB)(PAIR, 0, "cpu"), full(trainer, PAIR, 1))


def test_outputs_that_do_not_fit_are_mapped_and_change_nothing(probe: EncoderProbe) -> None:
    fitting = probe.trainer.top_layers(GB)(PAIR, 0, "cpu")
    assert not any(isinstance(each.hidden, np.memmap) for each in stored._open.values())
    stored._open.clear()
    mapped = probe.trainer.top_layers(0)(PAIR, 0, "cpu")
    assert len(stored._open) == 4
    assert all(isinstance(each.hidden, np.memmap) for each in stored._open.values())
    assert mapped == fitting


def test_a_task_runs_through_its_lower_layers_once(
    probe: EncoderProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs and a worker that begins anew read what the first run of a task has computed."""
    written = []
    write = stored._write

    def counted(folder: Path, model: MultiTaskModel, task: str, *rest: Any) -> None:
        written.append(task)
        write(folder, model, task, *rest)

    monkeypatch.setattr(stored, "_write", counted)
    top = probe.trainer.top_layers(GB)
    first = top(PAIR, 0, "cpu")
    assert sorted(written) == ["SAME", "SAME", "TONE", "TONE"]  # training and held-out rows
    top(("GRADE", "TONE"), 1, "cpu")
    assert written[4:] == ["GRADE", "GRADE"]
    stored._open.clear()
    assert top(PAIR, 0, "cpu") == first
    assert len(written) == 6


def test_damaged_outputs_are_computed_again(probe: EncoderProbe, tmp_path: Path) -> None:
    top = probe.trainer.top_layers(GB)
    first = top(("TONE",), 0, "cpu")
    for file in (tmp_path / "cache").rglob("hidden.npy"):
        content = bytearray(file.read_bytes())
        content[-1] ^= 255
        file.write_bytes(bytes(content))
    stored._open.clear()
    assert top(("TONE",), 0, "cpu") == first


def test_outputs_that_nobody_asks_for_are_removed(probe: EncoderProbe, tmp_path: Path) -> None:
    """Those unused for long go when others are computed, and so do drafts of killed processes."""
    top = probe.trainer.top_layers(GB)
    first = top(("TONE",), 0, "cpu")
    root = tmp_path / "cache" / "lower_states"
    old = set(root.iterdir())
    draft = root / ".dead-abcd1234.tmp"
    draft.mkdir()
    (draft / ".lock").touch()
    for folder in old:
        os.utime(folder, (0, 0))
    top(("TONE",), 1, "cpu")  # asked for again, though from memory
    top(("SAME",), 0, "cpu")
    assert old < set(root.iterdir())
    assert len(list(root.iterdir())) == 4
    assert not draft.exists()
    for folder in old:
        os.utime(folder, (0, 0))
    top(("GRADE",), 0, "cpu")
    assert old.isdisjoint(root.iterdir())
    stored._open.clear()
    assert top(("TONE",), 0, "cpu") == first  # computed anew
    assert len(list(root.iterdir())) == 6


def test_outputs_beyond_the_bound_are_removed_the_oldest_first(
    probe: EncoderProbe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = probe.trainer.top_layers(GB)
    top(("TONE",), 0, "cpu")
    root = tmp_path / "cache" / "lower_states"
    old = set(root.iterdir())
    for number, folder in enumerate(sorted(old)):
        os.utime(folder, (time.time() - 100 + number,) * 2)
    monkeypatch.setattr(stored, "KEPT_BYTES", 0)
    top(("SAME",), 0, "cpu")
    assert old.isdisjoint(root.iterdir())
    assert len(list(root.iterdir())) == 1  # the newest stays whatever its size


def test_lower_layers_do_not_run_in_training(
    probe: EncoderProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked once for the form of its answer, and the first above them for every batch."""
    from hmnet.measuring import joint_runs

    ran: list[int] = []
    build = joint_runs.build_model

    def counting(*given: Any, **named: Any) -> MultiTaskModel:
        model = build(*given, **named)
        for depth, layer in enumerate(model.layers("TONE")):
            _count(layer, depth, ran)
        return model

    top = probe.trainer.top_layers(GB)
    top(("TONE",), 0, "cpu")  # computes the outputs
    frozen = top.settings.freeze.layers(4).stop
    monkeypatch.setattr(joint_runs, "build_model", counting)
    top(("TONE",), 0, "cpu")
    assert [ran.count(depth) for depth in range(frozen)] == [1] * frozen
    assert ran.count(frozen) == ran.count(3) > 3


def _count(layer: nn.Module, depth: int, ran: list[int]) -> None:
    forward = layer.forward

    def counted(*given: Any, **named: Any) -> Any:
        ran.append(depth)
        return forward(*given, **named)

    layer.forward = counted


def test_without_a_choice_two_thirds_are_frozen(probe: EncoderProbe) -> None:
    top = probe.trainer.top_layers(GB)
    assert str(top.settings.freeze) == "3"  # of four
    assert top.fingerprint != probe.trainer.fingerprint
    frozen = probe.trainer.settings.model_copy(update={"freeze": Freeze(last=3)})
    assert top.fingerprint != replace(probe.trainer, settings=frozen).fingerprint
    assert top.fingerprint == probe.trainer.top_layers(0).fingerprint


@pytest.mark.parametrize("freeze", ["4", "100%", "2-3", "embeddings"])
def test_other_layers_than_the_lowest(freeze: str, make_probe: Callable[..., EncoderProbe]) -> None:
    trainer = make_probe(freeze=Freeze.parse(freeze)).trainer
    with pytest.raises(RelevanceError) as error:
        trainer.top_layers(GB)
    assert str(error.value) == (
        "Measure 'top-layers' freezes the lowest of the backbone's 4 layers and trains at least one"
        f" above them, got `freeze={freeze}`. Give a number of layers from 1 to 3."
    )


def test_a_model_is_left_as_it_was(probe: EncoderProbe) -> None:
    from hmnet.measuring.upper_layers import answered_from

    model = probe._trained(["TONE"], 0)
    inputs = {"input_ids": torch.tensor([[1, 5, 6, 2]]), "attention_mask": torch.ones(1, 4).long()}
    with torch.no_grad():
        before = model("TONE", inputs)
        with (
            answered_from(model, [], 2),
            pytest.raises(RuntimeError, match="a sequence that has no states"),
        ):
            model("TONE", inputs)
        torch.testing.assert_close(model("TONE", inputs), before, rtol=0, atol=0)
    model.train()
    assert all(module.training for module in model.modules())

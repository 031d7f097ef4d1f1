"""Training: the right steps, each as a plain loop would do it, and an end that can be resumed."""

import dataclasses
import signal
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from hmnet.data.batching import collate, input_form
from hmnet.models.build import assemble
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.plan import fully_shared, separate
from hmnet.training import loop
from hmnet.training.checkpoint import find_checkpoint
from hmnet.training.dropout import fast_dropout
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.progress import Progress
from hmnet.training.optimizer import make_optimizer
from hmnet.training.step import Batch, StepConfig, train_step
from relevance.errors import RelevanceError


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def assert_same_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    expected = weights(other)
    assert weights(one).keys() == expected.keys()
    for name, weight in weights(one).items():
        assert torch.equal(weight, expected[name]), name


def batch_of(world: Any, model: MultiTaskModel, task: str) -> Batch:
    encoded = world.data[task]
    inputs = collate(encoded, np.arange(4), **input_form(model.config))
    return Batch(task, inputs, torch.from_numpy(encoded.labels[:4]))


def plain_loop(world: Any) -> MultiTaskModel:
    """What any tutorial writes down, for the same batches."""
    plan = fully_shared(world.names, world.backbone.depth)
    model = assemble(world.backbone, world.tasks, plan, seed=0).train()
    decay = [w for w in model.parameters() if w.ndim > 1]
    rest = [w for w in model.parameters() if w.ndim <= 1]
    groups = [{"params": decay, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, fused=True)
    steps = list(chain.from_iterable(world.epochs))
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 - n / len(steps))
    torch.manual_seed(0)
    for [(task, rows)] in steps:
        encoded = world.data[task].take(rows)
        inputs = collate(encoded, np.arange(len(rows)), **input_form(model.config))
        with fast_dropout(torch.device("cpu")):
            logits = model(task, inputs)
        labels = torch.from_numpy(encoded.labels)
        if task == "GRADE":
            loss = (4 * (logits[:, 0] - ((labels - 1) / 4).float())).square().mean()
        else:
            loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return model


def test_training_is_what_a_plain_loop_does(world: Any) -> None:
    assert_same_weights(world.fit(), plain_loop(world))


@pytest.mark.process
def test_training_teaches(world: Any) -> None:
    # on its own scale of 1 to 5 the loss of GRADE is much larger than those of the others
    chosen = {"epochs": 30, "lr": 5e-3, "loss_weights": "GRADE=0.0625"}
    settings = world.settings.model_copy(update=chosen)
    seen: list[Progress] = []
    dataclasses.replace(world, settings=settings).fit(on_step=seen.append)
    for task in world.names:
        losses = [progress.loss for progress in seen if progress.task == task]
        assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:3]), task


def test_every_step_is_reported_with_its_rate(world: Any) -> None:
    seen: list[Progress] = []
    world.fit(on_step=seen.append)
    assert [progress.step for progress in seen] == list(range(1, 23))
    assert {progress.total for progress in seen} == {22}
    assert Counter(progress.task for progress in seen) == {"TONE": 10, "SAME": 6, "GRADE": 6}
    assert seen[0].lr == 1e-3
    assert seen[-1].lr == pytest.approx(1e-3 / 22)
    assert seen[-1].left_s == 0
    assert seen[10].left_s == pytest.approx(11 / seen[10].steps_per_s)


def test_the_seed_decides_and_the_callers_random_state_is_left_alone(world: Any) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = world.fit()
    assert torch.equal(torch.rand(3), expected)
    assert_same_weights(first, world.fit())
    other = world.fit(seed=1)
    assert any(not torch.equal(w, weights(other)[name]) for name, w in weights(first).items())


@pytest.mark.parametrize("plan", [fully_shared, separate])
def test_a_step_changes_only_its_tasks_path(world: Any, plan: Any) -> None:
    """Decay and momentum included: the second step on TONE finds moments of SAME's weights."""
    plan = plan(world.names, world.backbone.depth)
    model = assemble(world.backbone, world.tasks, plan).train()
    optimizer = make_optimizer(model, lr=1e-2, weight_decay=0.5)
    for task in world.names:
        train_step(model, optimizer, [batch_of(world, model, task)], 1e-2, StepConfig())
    before = weights(model)
    train_step(model, optimizer, [batch_of(world, model, "TONE")], 1e-2, StepConfig())
    path = {id(weight) for weight in model.path_parameters("TONE")}
    for name, weight in model.named_parameters():
        changed = not torch.equal(weight, before[name])
        assert not changed or id(weight) in path, name
    head = [name for name, _ in model.named_parameters() if name.startswith("pool.TONE/head")]
    assert all(not torch.equal(dict(model.named_parameters())[n], before[n]) for n in head)


def test_a_step_of_several_tasks_sums_their_losses(world: Any) -> None:
    plan = fully_shared(world.names, world.backbone.depth)
    model = assemble(world.backbone, world.tasks, plan).eval()
    batches = [batch_of(world, model, task) for task in ("TONE", "SAME")]
    losses = [F.cross_entropy(model(b.task, b.inputs), b.labels) for b in batches]
    gradients = torch.autograd.grad(sum(losses), [*model.pool["shared/0"].parameters()])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    loss, _ = train_step(model, optimizer, batches, 0.0, StepConfig())
    torch.testing.assert_close(loss, sum(losses).detach())
    for weight, gradient in zip(model.pool["shared/0"].parameters(), gradients, strict=True):
        torch.testing.assert_close(weight.grad, gradient)


def test_bf16_trains_fp32_weights(world: Any) -> None:
    model = world.fit(settings=world.settings.model_copy(update={"precision": "bf16"}))
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert all(weight.isfinite().all() for weight in model.parameters())


def test_an_unresolved_precision_is_refused(world: Any) -> None:
    with pytest.raises(ValueError, match="Resolve the precision first"):
        world.fit(settings=world.settings.model_copy(update={"precision": "auto"}))


def test_a_loss_that_is_not_finite_ends_the_run(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = iter(range(100))

    def step(model: Any, optimizer: Any, batches: Any, *rest: Any) -> torch.Tensor:
        losses = train_step(model, optimizer, batches, *rest)
        return losses._replace(loss=losses.loss * float("nan")) if next(steps) == 3 else losses

    monkeypatch.setattr(loop, "train_step", step)
    first = world.epochs[0][3][0].task
    with pytest.raises(RelevanceError) as error:
        world.fit(checkpoints=Checkpoints(tmp_path / "checkpoint", 0, every_s=1e9))
    assert str(error.value) == (
        f"Training of '{first}' came to a loss of nan at step 4 of 22."
        f" Start again with a lower `lr`; it was {1e-3 * 19 / 22:g} at that step."
    )
    assert find_checkpoint(tmp_path / "checkpoint") is None


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_for_the_step_and_can_be_resumed(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupt: signal.Signals
) -> None:
    steps = iter(range(100))
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def step(*arguments: Any) -> torch.Tensor:
        if next(steps) == 4:
            signal.raise_signal(interrupt)
        return train_step(*arguments)

    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, every_s=1e9)
    monkeypatch.setattr(loop, "train_step", step)
    with pytest.raises(KeyboardInterrupt):
        world.fit(checkpoints=checkpoints)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.undo()
    found = find_checkpoint(checkpoints.folder)
    assert found is not None
    assert found[1].step == 5
    seen: list[Progress] = []
    resumed = world.fit(checkpoints=checkpoints, on_step=seen.append)
    assert [progress.step for progress in seen] == list(range(6, 23))
    assert_same_weights(resumed, world.fit())


def test_inputs_longer_than_the_backbone_takes_are_refused(world: Any) -> None:
    with pytest.raises(RelevanceError, match=r"^`max_length=500` is more than the backbone's 130"):
        world.fit(settings=world.settings.model_copy(update={"max_length": 500}))

"""One update: its losses, the length of its gradient, its learning rates, and batches in parts."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import get_linear_schedule_with_warmup

from hmnet.kinds.kind import kind_of
from hmnet.models.build import assemble
from hmnet.models.multitask import MultiTaskModel
from hmnet.regularizers.smart import Smart
from hmnet.samplers.sampler import Step, TaskBatch, samplers
from hmnet.sharing.plan import SharingPlan, fully_shared, hierarchical, separate
from hmnet.sharing.skill_table import Skills
from hmnet.surgery.pcgrad import PCGrad
from hmnet.training.loop import train
from hmnet.training.optimizer import Rate, make_optimizer
from hmnet.training.step import StepConfig
from hmnet.training.task_gradients import TaskGradients
from hmnet.training.task_source import TaskSource
from relevance.choice import choose
from relevance.clustering.spec import ClusterSpec
from relevance.tasks.task import Task


def a_task(kind: str, metric: str, **fields: Any) -> Task:
    return Task(name="T", family="F", kind=kind, text=("a",), metrics=(metric,), **fields)


def slow_smoothed_loss(logits: list[float], label: int, smoothing: float) -> float:
    """Cross-entropy with a mixture of the label and all labels alike, written out."""
    largest = max(logits)
    total = sum(math.exp(logit - largest) for logit in logits)
    logs = [logit - largest - math.log(total) for logit in logits]
    wanted = [smoothing / len(logits)] * len(logits)
    wanted[label] += 1 - smoothing
    return -sum(share * log for share, log in zip(wanted, logs, strict=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_label_smoothing_mixes_the_label_with_all_labels(smoothing: float) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    expected = [
        slow_smoothed_loss(row, label, smoothing)
        for row, label in zip(logits.tolist(), labels.tolist(), strict=True)
    ]
    task = a_task("classification", "accuracy", labels=("0", "1", "2"))
    losses = kind_of(task).losses(logits, labels, smoothing)
    torch.testing.assert_close(losses, torch.tensor(expected))


def test_regression_has_no_labels_to_smooth() -> None:
    kind = kind_of(a_task("regression", "pearson", range=(0, 1)))
    values, wanted = torch.tensor([[0.2], [0.8]]), torch.tensor([0.5, 0.5])
    assert torch.equal(kind.losses(values, wanted, 0.3), kind.losses(values, wanted))


@pytest.mark.parametrize(("total", "warmup"), [(1, 0.0), (7, 0.0), (10, 0.1), (30, 0.25), (5, 1.0)])
def test_the_rate_goes_as_that_of_transformers(total: int, warmup: float) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = get_linear_schedule_with_warmup(optimizer, round(total * warmup), total)
    for step in range(total):
        (rate,) = scheduler.get_last_lr()
        assert Rate(0.3, warmup).at(step, total) == pytest.approx(rate)
        optimizer.step()
        scheduler.step()


def test_heads_have_a_rate_of_their_own(world: Any) -> None:
    model = build(world, fully_shared(world.names, world.backbone.depth))
    optimizer = make_optimizer(model, 1e-3, 0.01, head_lr=0.05)
    steps = [[TaskBatch(task, np.arange(2))] for task in world.names]
    bias = dict(model.named_parameters())["pool.TONE/head.shell.classifier.bias"]
    before = bias.detach().clone()
    run(world, model, optimizer, steps, StepConfig(), lr=1e-3)
    names = {weight: name for name, weight in model.named_parameters()}
    found = {}
    for group in optimizer.param_groups:
        for weight in group["params"]:
            assert weight not in found
            found[weight] = group
    assert set(found) == set(names)
    for weight, group in found.items():
        is_head = names[weight].split(".")[1].endswith("/head")
        assert group["lr"] == pytest.approx((0.05 if is_head else 1e-3) / 3)  # the last of 3 steps
        assert group["weight_decay"] == (0.01 if weight.ndim > 1 else 0.0)
    # AdamW's first step moves a weight by about its rate, whatever the gradient is
    torch.testing.assert_close((bias.detach() - before).abs(), torch.full_like(before, 0.05))


def test_without_it_heads_have_that_of_all_weights(world: Any) -> None:
    model = build(world, fully_shared(world.names, world.backbone.depth))
    assert {group["lr"] for group in make_optimizer(model, 1e-3, 0.0).param_groups} == {1e-3}


def gradients_of(world: Any, **parts: Any) -> list[Tensor]:
    """Gradients of one step of all tasks, joined by PCGrad, that changes no weights."""
    model = build(world, fully_shared(world.names, world.backbone.depth))
    recipe = StepConfig(task_gradients=TaskGradients(model, PCGrad()), **parts)
    torch.manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    run(world, model, optimizer, round_robin(world)[:1], recipe, lr=0.0)
    return [weight.grad for weight in model.parameters() if weight.grad is not None]


def test_a_gradient_that_is_too_long_is_scaled_down_as_it_is_after_surgery(world: Any) -> None:
    plain = gradients_of(world)
    norm = math.sqrt(sum(gradient.double().square().sum().item() for gradient in plain))
    for share in (0.3, 0.999):
        clipped = gradients_of(world, clip_norm=share * norm)
        for one, other in zip(clipped, plain, strict=True):
            torch.testing.assert_close(one, share * other, rtol=1e-4, atol=1e-8)
    for one, other in zip(gradients_of(world, clip_norm=1.001 * norm), plain, strict=True):
        assert torch.equal(one, other)


SPEC = ClusterSpec(clusters=(("TONE", "GRADE"), ("SAME",)))


def by_skill(tasks: tuple[str, ...], depth: int) -> SharingPlan:
    active = {task: ("a", "b") if task != "SAME" else ("b",) for task in tasks}
    plan = fully_shared(tasks, depth)
    return plan.model_copy(update={"skills": Skills(names=("a", "b"), active=active)})


PLANS = {
    "separate": separate,
    "fully-shared": fully_shared,
    "hierarchical": lambda tasks, depth: hierarchical(SPEC, 2, 1, 1),
    "by-skill": by_skill,
}


@pytest.mark.parametrize("split", [{"accumulate": 3}, {"accumulate": 100}, {"most_tokens": 24}])
def test_parts_of_batches_add_up_to_the_same_update(world: Any, split: dict[str, int]) -> None:
    plan = fully_shared(world.names, world.backbone.depth)
    steps = world.epochs[0][:4]
    assert_same_training(world, plan, steps, {}, split)


@pytest.mark.parametrize("plan", PLANS)
def test_smart_goes_with_every_plan_bf16_accumulation_clipping_and_pcgrad(
    world: Any, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMART runs in fp32, so bf16 changes nothing; its noise is made the same for every row."""
    monkeypatch.setattr(Smart, "start", lambda self, embeddings: embeddings.detach() * 1e-2)
    made = PLANS[plan](world.names, world.backbone.depth)
    everything = {"precision": "bf16", "accumulate": 3}
    assert_same_training(world, made, round_robin(world)[:2], {}, everything, joined=True)


def assert_same_training(
    world: Any,
    plan: SharingPlan,
    steps: list[Step],
    plain: dict[str, Any],
    other: dict[str, Any],
    *,
    joined: bool = False,
) -> None:
    """Two recipes end with the same weights, by plain descent, which is linear in gradients."""
    models = []
    for parts in (plain, other):
        model = build(world, plan)
        if joined:
            surgery = TaskGradients(model, PCGrad())
            smart = Smart(weight=0.5, proximal=1.0, momentum=0.5)
            parts = parts | {"task_gradients": surgery, "regularizer": smart, "clip_norm": 0.5}
        torch.manual_seed(0)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        run(world, model, optimizer, steps, StepConfig(**parts), lr=0.1)
        models.append(model)
    start = dict(build(world, plan).named_parameters())
    weights = dict(models[1].named_parameters())
    for name, weight in models[0].named_parameters():
        torch.testing.assert_close(weights[name], weight, rtol=1e-3, atol=2e-6, msg=name)
    assert any(not torch.allclose(w, start[name], atol=1e-3) for name, w in weights.items())


def build(world: Any, plan: SharingPlan) -> MultiTaskModel:
    """A model without dropout, so that only what is tested differs."""
    model = assemble(world.backbone, world.tasks, plan)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def round_robin(world: Any) -> list[Step]:
    """Steps of a batch of every task, of 8 rows and of what is left of them."""
    batches: dict[str, list[Any]] = {task: [] for task in world.names}
    for [(task, rows)] in world.epochs[0]:
        batches[task].append(rows)
    sampler = choose(samplers, "round-robin").build(batches, epochs=1, seed=0)
    return sampler.epoch(0)


def run(
    world: Any,
    model: MultiTaskModel,
    optimizer: torch.optim.Optimizer,
    steps: list[Step],
    recipe: StepConfig,
    lr: float,
) -> None:
    recipe = replace(recipe, rate=Rate(lr))
    train(model, TaskSource(model, world.prepared, recipe), [steps], optimizer, recipe)

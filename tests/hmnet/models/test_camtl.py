"""CA-MTL models: the plain backbone at the start, all new parameters trained, frozen ones left."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hmnet.methods.method import find_method
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.plan import SharingPlan
from hmnet.training.step import batch_loss
from relevance.tasks.task import Task

Batches = Callable[[Path], dict[str, Tensor]]
TEXTS = (
    "camtl",
    "camtl:variant=released",
    "camtl:wiring=large",
    "camtl:wiring=large,variant=released",
    "camtl:attention=full-block",
    "camtl:alignment=off,norm=off,bottleneck=off",
    "camtl:attention=off",
)
LENGTH = 8
families = pytest.mark.parametrize("kind", ["bert", "roberta"])
every_text = pytest.mark.parametrize("text", TEXTS)


def plan_of(text: str, tasks: list[Task], depth: int = 4, max_length: int = LENGTH) -> SharingPlan:
    ((_, plan),) = find_method(text).build(max_length=max_length).plans(tasks, depth)
    return plan


def build(folder: Path, tasks: list[Task], text: str, max_length: int = LENGTH) -> MultiTaskModel:
    plan = plan_of(text, tasks, max_length=max_length)
    return MultiTaskModel.from_backbone(str(folder), tasks, plan)


def short(inputs: dict[str, Tensor], length: int = LENGTH) -> dict[str, Tensor]:
    return {name: values[:, :length] for name, values in inputs.items()}


@families
@every_text
def test_it_starts_as_the_pretrained_backbone(
    tiny_backbones: dict[str, Path], tasks: list[Task], batch_for: Batches, kind: str, text: str
) -> None:
    folder = tiny_backbones[kind]
    model, plain = build(folder, tasks, text), build(folder, tasks, "multi")
    full = short(batch_for(folder))
    for inputs in (full, {k: v[:1] for k, v in full.items()}, short(full, 3)):
        for task in model.tasks:
            torch.testing.assert_close(
                model(task, inputs), plain(task, inputs), rtol=0, atol=1e-6, msg=task
            )
    own, loaded = model.state_dict(), plain.state_dict()
    assert all(torch.equal(own[name], loaded[name]) for name in loaded)
    assert {name.split(".")[0] for name in own.keys() - loaded.keys()} == {"insert"}


@families
@every_text
def test_after_two_steps_every_new_parameter_has_had_a_gradient(
    tiny_backbones: dict[str, Path], tasks: list[Task], batch_for: Batches, kind: str, text: str
) -> None:
    folder = tiny_backbones[kind]
    model = build(folder, tasks, text).train()
    for name, parameter in model.pool.named_parameters():  # as with frozen lower layers
        parameter.requires_grad_(not name.startswith(("shared/outside", "shared/0", "shared/1")))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    inputs = short(batch_for(folder))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    touched = dict.fromkeys(dict(model.insert.named_parameters()), False)
    for _ in range(2):
        optimizer.zero_grad()
        for task in tasks:
            batch_loss(model(task.name, inputs), _labels(task)).backward()
        optimizer.step()
        for name, parameter in model.insert.named_parameters():
            touched[name] |= bool((parameter.grad != 0).any())
    assert [name for name, at_all in touched.items() if not at_all] == []
    for name, parameter in model.pool.named_parameters():
        unchanged = torch.equal(parameter, before[f"pool.{name}"])
        assert unchanged != parameter.requires_grad or "pooler" in name, name


def _labels(task: Task) -> Tensor:
    return torch.tensor([0.1, 0.9, 0.3] if task.kind == "regression" else [0, 1, 1])

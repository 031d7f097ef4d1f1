"""Frozen weights: layers of every path, without gradient, and without graph where lowest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

from hmnet.backbones.backbone import load_backbone
from hmnet.models.build import assemble
from hmnet.models.freezing import freeze, trains_together
from hmnet.models.multitask import MultiTaskModel
from hmnet.sharing.freeze import Freeze
from hmnet.sharing.plan import SharingPlan, fully_shared, separate
from relevance.tasks.task import Task


def build(folder: Path, tasks: list[Task], plan: SharingPlan, layers: range) -> MultiTaskModel:
    backbone = load_backbone(str(folder))
    model = assemble(backbone, tasks, plan).train()
    freeze(model, layers, backbone.layer_list)
    return model


def owner(name: str) -> str:
    """The module of the pool that a parameter belongs to."""
    return name.split(".")[1]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("0", 0, 0),
        ("1", 1, 1),
        ("3", 1, 3),
        ("4", 1, 4),
        ("all", 1, 5),
        ("2-3", 2, 3),
        ("4-4", 4, 4),
        ("embeddings", 0, 0),
    ],
)
def test_these_layers_of_every_path_are_frozen(
    backbone: Path, tasks: list[Task], plan: SharingPlan, text: str, first: int, last: int
) -> None:
    """Of {2, 1, 1} layers, three are the shared and the clusters' ones."""
    model = build(backbone, tasks, plan, Freeze.parse(text).layers(4))
    chosen = {
        name.replace(".", "/") for name, depth in plan.depths.items() if first <= depth + 1 <= last
    }
    for name, weight in model.named_parameters():
        is_frozen = owner(name) in chosen
        if owner(name) == "shared/outside":
            is_frozen = last == 5 if "final_norm" in name else text == "embeddings" or first == 1
        assert weight.requires_grad != is_frozen, name


def test_what_is_frozen_builds_no_graph_and_all_else_gets_a_gradient(
    backbone: Path,
    tasks: list[Task],
    plan: SharingPlan,
    batch_for: Callable[[Path], dict[str, Tensor]],
) -> None:
    model = build(backbone, tasks, plan, Freeze(last=2).layers(4))
    seen: dict[int, bool] = {}

    def look(depth: int) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            hidden = output[0] if isinstance(output, tuple) else output
            seen[depth] = hidden.requires_grad

        return hook

    for name, depth in plan.depths.items():
        model.pool[name.replace(".", "/")].register_forward_hook(look(depth))
    model("CB", batch_for(backbone)).square().sum().backward()
    assert seen == {0: False, 1: False, 2: True, 3: True}
    for weight in model.path_parameters("CB"):
        assert (weight.grad is not None) == weight.requires_grad
    assert all(module.training for module in model.modules())


def test_heads_alone(tiny_bert: Path, tasks: list[Task], plan: SharingPlan) -> None:
    layers = Freeze(everything=True).layers(4)
    model = build(tiny_bert, tasks, plan, layers)
    trained = {owner(name) for name, weight in model.named_parameters() if weight.requires_grad}
    assert trained == {"RTE/head", "CB/head", "my/task/head", "STS-B/head"}
    assert not trains_together(plan, layers)


def test_whether_tasks_share_what_is_trained(plan: SharingPlan) -> None:
    """The third layer is the clusters'; above it each task has its own."""
    found = [trains_together(plan, range(-1, layers)) for layers in range(6)]
    assert found == [True] * 3 + [False] * 3
    assert not trains_together(separate(plan.tasks, 4), range(-1, 0))
    assert trains_together(plan, range(1, 4))  # the embeddings and the lowest layer
    assert trains_together(fully_shared(plan.tasks, 4), range(-1, 3))
    assert not trains_together(separate(plan.tasks, 4), range(0))

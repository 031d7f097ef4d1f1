"""From a backbone, tasks and settings to a model: the only place where its parts are made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_model
from torch import nn

from hmnet.answer_scale import NO_SCALES, AnswerScale, standardised
from hmnet.backbones.backbone import Backbone
from hmnet.backbones.levels import Concat
from hmnet.backbones.pretrained import read_config, readable
from hmnet.data.batching import check_max_length
from hmnet.heads._choice import DEFAULT, HeadChoice, Pooling
from hmnet.heads.head import Head
from hmnet.inserts.insert import AdapterModule, Host
from hmnet.kinds._reading import reading
from hmnet.models.blueprint import Blueprint, weights_file
from hmnet.models.freezing import freeze
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.skillnet import SkillLayer
from hmnet.prepared import PreparedTask
from hmnet.randomness import seeded
from hmnet.sharing.freeze import Freeze
from hmnet.sharing.plan import SharingPlan
from relevance.disk.manifest import check_files
from relevance.errors import RelevanceError
from relevance.tasks.data import Labels
from relevance.tasks.task import Task


@runtime_checkable
class ModelSettings(Protocol):
    """What settings say about a model as it is before its first step; they go no further."""

    @property
    def pooling(self) -> Pooling:
        """How hidden states become one vector."""

    @property
    def head(self) -> HeadChoice:
        """Which head each task gets."""

    @property
    def freeze(self) -> Freeze:
        """Which layers stay as they are."""

    @property
    def max_length(self) -> int:
        """Most tokens of one input."""

    @property
    def concat(self) -> Concat:
        """What is joined to the vectors of tokens."""

    @property
    def regression_loss(self) -> Literal["scale", "standardised"]:
        """On which scale the loss of regression tasks is taken."""


def build_model(
    backbone: Backbone,
    tasks: Sequence[PreparedTask],
    plan: SharingPlan,
    settings: ModelSettings,
    *,
    seed: int,
    device: str,
) -> MultiTaskModel:
    """A model as it is before its first step.

    Args:
        backbone: The pretrained weights.
        tasks: What it is trained on.
        plan: Which layers they share.
        settings: Heads, pooling, loss of regression tasks, and what is frozen.
        seed: Seed of the heads' weights.
        device: A name that torch takes.

    Returns:
        The model on the device.

    Raises:
        RelevanceError: If inputs are longer than the backbone takes, or all labels of a regression
            task that are to be standardised are the same.
    """
    definitions = [task.definition for task in tasks]
    labels = {task.name: task.train.rows.labels for task in tasks}
    blueprint = Blueprint(
        pooling=settings.pooling,
        head=settings.head,
        tasks=tuple(definitions),
        plan=plan,
        concat=settings.concat,
        scales=answer_scales(settings, definitions, labels),
    )
    model = from_blueprint(backbone, blueprint, seed=seed).to(device)
    check_max_length(model, settings.max_length)
    freeze(model, settings.freeze.layers(backbone.depth), backbone.layer_list)
    return model


def answer_scales(
    settings: ModelSettings, tasks: Sequence[Task], labels: Mapping[str, Labels]
) -> dict[str, AnswerScale]:
    """How outputs stand for values where labels are standardised.

    Args:
        settings: Loss of regression tasks, and heads.
        tasks: What is trained.
        labels: Labels of the training rows, by task.

    Returns:
        By regression task; empty where the loss is on the tasks' own scales.

    Raises:
        RelevanceError: If all labels of a task are the same.
    """
    if settings.regression_loss == "scale":
        return {}
    return {
        task.name: standardised(
            task,
            np.asarray(labels[task.name], dtype=np.float64),
            bounded=settings.head.of(task.name, settings.pooling).bounded,
        )
        for task in tasks
        if task.kind == "regression"
    }


def assemble(
    backbone: Backbone,
    tasks: Sequence[Task],
    plan: SharingPlan,
    *,
    pooling: Pooling = "native",
    head: HeadChoice = DEFAULT,
    seed: int = 0,
    scales: Mapping[str, AnswerScale] = NO_SCALES,
) -> MultiTaskModel:
    """Make the parts of a model and put them together.

    Every layer starts as a copy of the pretrained layer at its depth, every head from a seed that
    depends on nothing but `seed` and the task's name.

    Args:
        backbone: Where the weights come from.
        tasks: What is trained, in any order.
        plan: A row for each of the tasks.
        pooling: How hidden states become one vector: `native` by the family's head, `cls`, `mean`.
        head: Which head each task gets; `auto` is the family's with `native` pooling, else a linear
            one.
        seed: Seed of the heads' weights, and of what a method puts into the layers.
        scales: How outputs stand for values, by task, where they are not spread over its range.

    Returns:
        The model on the CPU.

    Raises:
        RelevanceError: If the plan is for another number of layers than the backbone has.
        ValueError: If the plan is for other tasks.
    """
    blueprint = Blueprint(
        pooling=pooling, head=head, tasks=tuple(tasks), plan=plan, scales=dict(scales)
    )
    return from_blueprint(backbone, blueprint, seed=seed)


def from_blueprint(backbone: Backbone, blueprint: Blueprint, *, seed: int = 0) -> MultiTaskModel:
    """Make the parts that a blueprint names and put them together, see `assemble`.

    Args:
        backbone: Where the weights come from.
        blueprint: Tasks, plan, and what outputs mean.
        seed: Seed of the heads' weights, and of what a method puts into the layers.

    Returns:
        The model on the CPU.

    Raises:
        RelevanceError: If the plan is for another number of layers than the backbone has.
    """
    plan, tasks = blueprint.plan, blueprint.tasks
    if plan.depth != backbone.depth:
        raise RelevanceError(
            f"The sharing plan has {plan.depth} layers, but the backbone has {backbone.depth}."
        )
    pool = _make_layers(backbone, blueprint)
    for task in tasks:
        pool[f"{task.name}.head"] = make_head(backbone, task, blueprint, seed=seed)
    return MultiTaskModel(blueprint, backbone, pool, make_adapter_module(backbone, plan, seed=seed))


def _make_layers(backbone: Backbone, blueprint: Blueprint) -> dict[str, nn.Module]:
    """The modules that a plan names and a task runs, each a copy of the pretrained one."""
    plan = blueprint.plan
    run = {
        name
        for task in blueprint.tasks
        for name in plan.layers[task.name][: reading(backbone.config, task, blueprint.concat).depth]
    }
    pool: dict[str, nn.Module] = {
        name: backbone.copy_outside() for name in dict.fromkeys(plan.outside.values())
    }
    for name, depth in plan.depths.items():
        if name not in run:
            continue
        layer = backbone.copy_layer(depth)
        pool[name] = SkillLayer(layer, plan.skills.names) if plan.skills else layer
    return pool


def make_head(backbone: Backbone, task: Task, blueprint: Blueprint, *, seed: int) -> Head:
    """A task's head, the same whatever other tasks there are.

    Args:
        backbone: Its sizes and its initialisation are used.
        task: The definition.
        blueprint: The choice of heads, and the pooling.
        seed: Seed of its weights.

    Returns:
        The head.
    """
    with seeded(seed, task.name):
        head = blueprint.head.of(task.name, blueprint.pooling)(backbone, task, blueprint.pooling)
    if blueprint.concat != "none" and head.kind is not None:
        name = blueprint.head.name(task.name, blueprint.pooling)
        with seeded(seed, f"{task.name}/joined"):  # the rest of the head is as without it
            head.take_joined(backbone, blueprint.concat, name)
    return head


def make_adapter_module(
    backbone: Backbone, plan: SharingPlan, *, seed: int
) -> AdapterModule | None:
    """The modules that a plan puts into the layers.

    Args:
        backbone: Its sizes and its initialisation are used.
        plan: What the method says.
        seed: Seed of the new weights.

    Returns:
        The modules; None where there are none.

    Raises:
        RelevanceError: If they don't fit the backbone.
    """
    if plan.inserted is None:
        return None
    return plan.inserted.modules.build(Host(backbone, plan.tasks, plan.inserted.max_length, seed))


def load(folder: Path) -> MultiTaskModel:
    """Read what `save_pretrained` wrote; see `MultiTaskModel.from_pretrained`."""
    check_files(folder)
    weights, blueprint = weights_file(folder), Blueprint.load(folder / "plan.json")
    config = read_config(folder)
    with readable(folder):
        backbone = Backbone.from_config(config)
    model = from_blueprint(backbone, blueprint)
    try:
        load_model(model, weights)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".:")
        raise RelevanceError(f"{weights} cannot be loaded: {reason}.") from error
    return model.eval()

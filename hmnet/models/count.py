"""Numbers of parameters of a model, in all and on the path of a task, without making any."""

from collections.abc import Iterable, Sequence
from typing import TypedDict

import torch
from torch import nn

from hmnet.backbones.backbone import Backbone, load_config
from hmnet.backbones.levels import Concat
from hmnet.heads._choice import DEFAULT, HeadChoice, Pooling
from hmnet.models.blueprint import Blueprint
from hmnet.models.build import from_blueprint
from hmnet.models.freezing import freeze
from hmnet.sharing.freeze import NOTHING, Freeze
from hmnet.sharing.plan import SharingPlan
from relevance.tasks.task import Task


class Count(TypedDict):
    """Numbers of parameters.

    Attributes:
        overall: Number of parameters of all tasks, shared ones counted once.
        active: Number of parameters of the path of each task, head included.
        backbone: Number of parameters of one pretrained encoder, without a pooler.
        inserted: Number of parameters of the modules that the method has put into the layers.
        heads: Number of parameters of the heads of all tasks, poolers of their own included.
        trained: Number of parameters of all tasks, without frozen ones.
        trained_active: Number of parameters of the path of each task, without frozen ones.
    """

    overall: int
    active: dict[str, int]
    backbone: int
    inserted: int
    heads: int
    trained: int
    trained_active: dict[str, int]


def count_parameters(
    backbone: str,
    tasks: Sequence[Task],
    plan: SharingPlan,
    pooling: Pooling = "native",
    head: HeadChoice | str = DEFAULT,
    frozen: Freeze | str = NOTHING,
    concat: Concat = "none",
) -> Count:
    """Count a model's parameters from its backbone's configuration alone.

    The model is built on the `meta` device, whose tensors have shapes but no memory.

    Args:
        backbone: A folder with a `config.json`, `minilm`, or a name on the hub.
        tasks: Tasks that the model would be trained for.
        plan: A row for each of the tasks; that of separate models gives the sum over them.
        pooling: `native` for the family's own head; `cls` or `mean` for a linear one.
        head: Head of each task, or text that says it; `auto` is what the pooling implies.
        frozen: Layers that are frozen, or text that says it: the number of the lowest or their
            share in percent, a range such as `5-8`, `embeddings`, or `all`.
        concat: Joined to the vectors of tokens, where the backbone has levels.

    Returns:
        The numbers.

    Raises:
        RelevanceError: If there is no configuration, or it does not fit the plan.
    """
    with torch.device("meta"):
        pretrained = Backbone.from_config(load_config(backbone)).up_to(plan.depth)
        choice = HeadChoice.parse(head)
        blueprint = Blueprint(
            pooling=pooling, head=choice, tasks=tuple(tasks), plan=plan, concat=concat
        )
        model = from_blueprint(pretrained, blueprint)
    freeze(model, Freeze.parse(frozen).layers(pretrained.depth), pretrained.layer_list)
    paths = {task: list(model.path_parameters(task)) for task in model.tasks}
    pooler = pretrained.copy_pooler().parameters() if pretrained.has_pooler else ()
    return Count(
        overall=_size(model.parameters()),
        active={task: _size(path) for task, path in paths.items()},
        backbone=_size(pretrained.base.parameters()) - _size(pooler),
        inserted=_size(model.insert.parameters()) if model.insert else 0,
        heads=_size(model.head_parameters()),
        trained=_size(filter(_is_trained, model.parameters())),
        trained_active={task: _size(filter(_is_trained, path)) for task, path in paths.items()},
    )


def total(counts: Sequence[Count]) -> Count:
    """The numbers of several models together.

    Args:
        counts: Counts of several models, on one backbone and of different tasks; at least one.

    Returns:
        Sums; `backbone` is that of one.
    """
    joined = counts[0].copy()
    for count in counts[1:]:
        joined["overall"] += count["overall"]
        joined["inserted"] += count["inserted"]
        joined["heads"] += count["heads"]
        joined["trained"] += count["trained"]
        joined["active"] = joined["active"] | count["active"]
        joined["trained_active"] = joined["trained_active"] | count["trained_active"]
    return joined


def _size(parameters: Iterable[nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def _is_trained(parameter: nn.Parameter) -> bool:
    return parameter.requires_grad

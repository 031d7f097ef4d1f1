"""How many parameters a model has, and how many of them one task uses, without making any."""

from collections.abc import Sequence
from typing import TypedDict

import torch

from hmnet.heads.head import Pooling
from hmnet.models.backbone import Backbone, load_config
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.plan import SharingPlan
from relevance.tasks.task import Task


class Count(TypedDict):
    """Numbers of parameters.

    Attributes:
        overall: Of all tasks, shared ones counted once.
        active: Of the path of each task, head included.
    """

    overall: int
    active: dict[str, int]


def count_parameters(
    backbone: str,
    tasks: Sequence[Task],
    plan: SharingPlan,
    pooling: Pooling = "native",
    head: str = "auto",
) -> Count:
    """Count a model's parameters from its backbone's configuration alone.

    The model is built on the `meta` device, whose tensors have shapes but no memory.

    Args:
        backbone: A folder with a `config.json`, `minilm`, or a name on the hub.
        tasks: What the model would be trained for.
        plan: A row for each of the tasks; that of separate models gives the sum over them.
        pooling: `native` for the family's own head; `cls` or `mean` for a linear one.
        head: Name of the head, or names by task; `auto` for what the pooling implies.

    Returns:
        The numbers.

    Raises:
        RelevanceError: If there is no configuration, or it does not fit the plan.
    """
    config = load_config(backbone)
    with torch.device("meta"):
        model = MultiTaskModel(
            Backbone.from_config(config), tasks, plan, pooling=pooling, head=head
        )
    return Count(
        overall=sum(parameter.numel() for parameter in model.parameters()),
        active={
            task: sum(parameter.numel() for parameter in model.path_parameters(task))
            for task in model.tasks
        },
    )

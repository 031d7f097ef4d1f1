"""Layers that tasks read of an encoder: the top, or the levels that it was pre-trained with."""

from collections.abc import Sequence
from typing import NamedTuple

from transformers import PreTrainedConfig

from hmnet.backbones.levels import Concat, levels_of
from hmnet.kinds.kind import TokenLevelKind, kind_of
from hmnet.sharing.plan import SharingPlan
from relevance.errors import RelevanceError
from relevance.tasks.task import Task


class Reading(NamedTuple):
    """Layers that one task reads, from 1, the lowest.

    Attributes:
        own: Layer whose vectors its head reads.
        joined: Layer whose [CLS] vector is joined to that of every token; None for nothing.
        is_inner: Whether pre-training read layers above those that the task runs, so that what the
            family puts on its top layer is not for them.
    """

    own: int
    joined: int | None = None
    is_inner: bool = False

    @property
    def depth(self) -> int:
        """Number of layers that the task runs through."""
        return max(self.own, self.joined or 0)


def reading(config: PreTrainedConfig, task: Task, concat: Concat = "none") -> Reading:
    """The layers that a task reads.

    Tasks that label parts of a text read the level of masked tokens. All others read that of next
    sentence prediction, or where that was off the level of masked tokens too.

    Args:
        config: The encoder's configuration, which holds the levels if there are any.
        task: The definition.
        concat: Joined to the tokens of tasks that label parts of a text.

    Returns:
        The layers; the top where there are no levels.

    Raises:
        RelevanceError: If the encoder does not have so many layers, or nothing to be joined.

    Source:
        Aksoy et al., "Hierarchical Multitask Learning Approach for BERT".
    """
    depth, levels = int(config.num_hidden_layers), levels_of(config)
    if levels is None:
        return Reading(depth)
    of_tokens = isinstance(kind_of(task), TokenLevelKind)
    own = levels.mlm if of_tokens or levels.nsp is None else levels.nsp
    found = Reading(own, levels.nsp if of_tokens and concat != "none" else None)
    if found.depth > depth:
        raise RelevanceError(
            f"Task '{task.name}' reads layer {found.depth} of its backbone, and the tasks that the"
            f" model was made for read no more than {depth}. Train it together with them."
        )
    return found._replace(is_inner=found.depth < levels.highest)


def read_depth(config: PreTrainedConfig, tasks: Sequence[Task], concat: Concat = "none") -> int:
    """Number of layers that a model of some tasks has: none above the highest that is read.

    Args:
        config: The encoder's configuration.
        tasks: All tasks of the model.
        concat: Joined to the tokens of tasks that label parts of a text.

    Returns:
        The number; all layers where the configuration holds no levels.

    Raises:
        RelevanceError: If it has fewer layers than its levels say.
    """
    return max(reading(config, task, concat).depth for task in tasks)


def note_on_unreached(
    config: PreTrainedConfig, tasks: Sequence[Task], concat: Concat, plan: SharingPlan
) -> str | None:
    """Say which tasks read a layer below those that a plan would give them or their cluster.

    Args:
        config: The encoder's configuration.
        tasks: Definitions of the plan's tasks, others among them.
        concat: Joined to the tokens of tasks that label parts of a text.
        plan: The sharing plan.

    Returns:
        A sentence or two; None where every task reaches layers of each level that it has.
    """
    found: dict[tuple[int, str], list[str]] = {}
    for task in tasks:
        if task.name not in plan.tasks:
            continue
        depth = reading(config, task, concat).depth
        owners = [name.rpartition(".")[0] for name in plan.layers[task.name]]
        levels = ["task" if own == task.name else "cluster" for own in owners if own != "shared"]
        run = [owner for owner in owners[:depth] if owner != "shared"]
        reached = {"task" if own == task.name else "cluster" for own in run}
        if lacking := [level for level in dict.fromkeys(levels) if level not in reached]:
            found.setdefault((depth, " and ".join(lacking)), []).append(task.name)
    if not found:
        return None
    told = (
        f"{', '.join(names)} read layer {depth} and have no {levels} layers, which lie above it"
        for (depth, levels), names in found.items()
    )
    return f"{'; '.join(told)}. `layers` with fewer shared ones gives them some."


def check_concat(config: PreTrainedConfig, tasks: Sequence[Task], concat: Concat) -> None:
    """Refuse to join what there is not, or where nothing takes it.

    Args:
        config: The encoder's configuration.
        tasks: All tasks of a run or study.
        concat: What is to be joined.

    Raises:
        RelevanceError: If no level of next sentence prediction is known, or no task labels parts of
            a text.
    """
    if concat == "none":
        return
    levels = levels_of(config)
    if levels is None or levels.nsp is None:
        raise RelevanceError(
            f"`concat={concat}` joins what next sentence prediction reads, and the backbone has no"
            " layer for that. Give one that `hmnet pretrain` wrote with it, or leave `concat` out."
        )
    if not any(isinstance(kind_of(task), TokenLevelKind) for task in tasks):
        raise RelevanceError(
            f"`concat={concat}` joins vectors to those of tokens, and none of these tasks labels"
            " parts of a text. Leave it out."
        )

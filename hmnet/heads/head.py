"""What a head is: the part of a path that belongs to one task alone, whatever the plan."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Literal

from torch import nn
from transformers import PreTrainedModel

import hmnet.heads
from hmnet.backbones.backbone import Backbone
from relevance.errors import RelevanceError
from relevance.registry import Registry
from relevance.tasks.task import Task

Pooling = Literal["native", "cls", "mean"]
OTHERS = ""  # stands for the tasks that a choice of heads does not name


class Head(nn.Module):
    """Turns what a task's layers say into its logits; every task has one of its own.

    Args:
        backbone: Whose sizes and initialisation are used.
        task: Says how many outputs there are.
        pooling: One of `poolings`.

    Attributes:
        poolings: How the head can pool hidden states; the first is what it does unless told.
        apart: Whether the encoder reads the texts of a row one by one, and not as one input.
        bounded: Whether a regression's outputs lie in [0, 1] by the head's very form.
    """

    poolings: tuple[Pooling, ...] = ("cls", "mean")
    apart: bool = False
    bounded: bool = False

    @abstractmethod
    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling) -> None:
        super().__init__()

    @abstractmethod
    def path(self, encoder: PreTrainedModel) -> nn.Module:
        """Put the head on an encoder.

        Args:
            encoder: A view of the backbone with the task's layers, without a pooler.

        Returns:
            A module that is called with the inputs and returns logits `[batch, outputs]`; its
            weights are the encoder's and the head's own.
        """

    @classmethod
    def check(cls, task: Task) -> None:
        """Refuse a task that the head is not made for; most take any.

        Args:
            task: The definition.

        Raises:
            RelevanceError: If the head cannot answer it.
        """


@cache
def heads() -> Registry[Head]:
    """All heads, by name."""
    return Registry("head", hmnet.heads, Head)


def find_head(name: str, pooling: Pooling) -> type[Head]:
    """The head that a name and a pooling stand for.

    Args:
        name: Name of a head; `auto` for the family's own with `native` pooling, else a linear one.
        pooling: How hidden states become one vector.

    Returns:
        Its class.

    Raises:
        RelevanceError: If there is no such head, or it cannot pool in this way.

    >>> find_head("auto", "mean").__name__
    'LinearHead'
    """
    name = _settled(name, pooling)
    head = heads().find(name)
    if pooling not in head.poolings:
        known = " or ".join(head.poolings)
        raise RelevanceError(f"Head '{name}' takes --pooling {known}, not {pooling}.")
    return head


def chosen_heads(choice: str) -> dict[str, str]:
    """Names of heads by task, as a user writes them.

    Args:
        choice: One name for all tasks, `TASK=NAME` for some, or both, with commas between.

    Returns:
        Names of heads by the task's name in lower case; `OTHERS` for the tasks not named.

    Raises:
        RelevanceError: If it says two things about a task.

    >>> chosen_heads("siamese, STS-B=cosine")
    {'': 'siamese', 'sts-b': 'cosine'}
    """
    chosen: dict[str, str] = {}
    for part in choice.split(","):
        task, _, name = part.rpartition("=")
        task = task.strip().lower()
        if task in chosen:
            what = f"task '{task}'" if task else "the tasks not named"
            raise RelevanceError(f"--head {choice} gives {what} two heads. Give one.")
        chosen[task] = name.strip()
    return {OTHERS: "auto"} | chosen


def head_name(choice: str, pooling: Pooling, task: str) -> str:
    """Name of the head that a task gets.

    Args:
        choice: As `chosen_heads` reads it.
        pooling: What `auto` goes by.
        task: Name of the task, in any case.

    Returns:
        The name; never `auto`.
    """
    chosen = chosen_heads(choice)
    return _settled(chosen.get(task.lower(), chosen[OTHERS]), pooling)


def head_of(choice: str, pooling: Pooling, task: str) -> type[Head]:
    """The head that a task gets.

    Args:
        choice: As `chosen_heads` reads it.
        pooling: How hidden states become one vector.
        task: Name of the task, in any case.

    Returns:
        Its class.

    Raises:
        RelevanceError: If there is no such head, or it cannot pool in this way.
    """
    return find_head(head_name(choice, pooling, task), pooling)


def default_pooling(choice: str) -> Pooling:
    """How heads pool unless told: as the first that is named does by itself.

    Args:
        choice: As `chosen_heads` reads it.

    Returns:
        The pooling; `native` where no head is named.

    Raises:
        RelevanceError: If there is no such head.

    >>> default_pooling("auto"), default_pooling("STS-B=cosine")
    ('native', 'mean')
    """
    names = [name for name in chosen_heads(choice).values() if name != "auto"]
    return heads().find(names[0]).poolings[0] if names else "native"


def check_heads(choice: str, pooling: Pooling, tasks: Sequence[Task]) -> None:
    """Refuse heads that don't fit the tasks of a run.

    Args:
        choice: As `chosen_heads` reads it.
        pooling: Pooling of all heads.
        tasks: All tasks of the run.

    Raises:
        RelevanceError: If the choice names a task that is none of these, or a head cannot answer
            its task.
    """
    known = {task.name.lower() for task in tasks}
    for name in chosen_heads(choice):
        if name not in known | {OTHERS}:
            names = ", ".join(task.name for task in tasks)
            raise RelevanceError(
                f"--head {choice} names '{name}', which is not trained here. Tasks: {names}."
            )
    for task in tasks:
        head_of(choice, pooling, task.name).check(task)


def _settled(name: str, pooling: Pooling) -> str:
    if name == "auto":
        return "native" if pooling == "native" else "linear"
    return name

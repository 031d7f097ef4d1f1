"""What a head is: the part of a path that belongs to one task alone, whatever the plan."""

from abc import abstractmethod
from functools import cache
from typing import Literal

from torch import nn
from transformers import PreTrainedModel

import hmnet.heads
from hmnet.models.backbone import Backbone
from relevance.errors import RelevanceError
from relevance.registry import Registry
from relevance.tasks.task import Task

Pooling = Literal["native", "cls", "mean"]


class Head(nn.Module):
    """Turns what a task's layers say into its logits; every task has one of its own.

    Args:
        backbone: Whose sizes and initialisation are used.
        task: Says how many outputs there are.
        pooling: One of `poolings`.

    Attributes:
        poolings: How the head can pool hidden states; the first is what it does unless told.
    """

    poolings: tuple[Pooling, ...] = ("cls", "mean")

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


@cache
def heads() -> Registry[Head]:
    """All heads, by name."""
    return Registry("head", hmnet.heads, Head)


def find_head(name: str, pooling: Pooling) -> type[Head]:
    """The head that a name and a pooling stand for.

    Args:
        name: Of a head; `auto` for the family's own with `native` pooling, else a linear one.
        pooling: How hidden states become one vector.

    Returns:
        Its class.

    Raises:
        RelevanceError: If there is no such head, or it cannot pool in this way.

    >>> find_head("auto", "mean").__name__
    'LinearHead'
    """
    if name == "auto":
        name = "native" if pooling == "native" else "linear"
    head = heads().find(name)
    if pooling not in head.poolings:
        known = " or ".join(head.poolings)
        raise RelevanceError(f"Head '{name}' takes --pooling {known}, not {pooling}.")
    return head

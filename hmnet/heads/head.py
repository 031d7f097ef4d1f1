"""The base of heads: the part of a path that belongs to one task alone, whatever the plan."""

from abc import abstractmethod

from torch import nn
from transformers import PreTrainedModel

from hmnet.backbones.backbone import Backbone
from hmnet.heads._choice import AUTO, Pooling
from relevance.errors import RelevanceError
from relevance.registry import Registry
from relevance.tasks.task import Task


class Head(nn.Module):
    """Turns what a task's layers say into its logits; every task has one of its own.

    Args:
        backbone: Backbone whose sizes and initialisation are used.
        task: Task, which sets the number of outputs.
        pooling: Name in `poolings`.

    Attributes:
        poolings: Ways in which the head can pool hidden states; the first is the default.
        apart: Whether the encoder reads the texts of a row one by one, and not as one input.
        bounded: Whether a regression's outputs lie in [0, 1] by the head's very form.
    """

    poolings: tuple[Pooling, ...] = ("cls", "mean")
    apart: bool = False
    bounded: bool = False

    @abstractmethod
    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling) -> None:
        super().__init__()
        self.pooling = pooling

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


heads = Registry("head", Head)
"""All heads, by name."""


def find_head(name: str, pooling: Pooling) -> type[Head]:
    """The head that a name and a pooling stand for.

    Args:
        name: Name of a head; `auto` for the family's own with `native` pooling, else a linear one.
        pooling: Way in which hidden states become one vector.

    Returns:
        Class of the head.

    Raises:
        RelevanceError: If there is no such head, or it cannot pool in this way.

    >>> find_head("auto", "mean").__name__
    'LinearHead'
    """
    name = settled(name, pooling)
    head = heads.find(name)
    if pooling not in head.poolings:
        known = " or ".join(head.poolings)
        raise RelevanceError(f"Head '{name}' takes `pooling` {known}, not {pooling}.")
    return head


def settled(name: str, pooling: Pooling) -> str:
    """The name that `auto` stands for.

    Args:
        name: Name of a head, or `auto`.
        pooling: Way in which hidden states become one vector.

    Returns:
        The name of a head.
    """
    if name == AUTO:
        return "native" if pooling == "native" else "linear"
    return name

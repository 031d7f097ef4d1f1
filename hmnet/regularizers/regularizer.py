"""The base of regularizers: terms that are added to the loss of every batch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from jaxtyping import Float
from torch import Tensor

from hmnet.models.multitask import MultiTaskModel
from relevance.choice import Choice
from relevance.registry import Registry
from relevance.tasks.task import Task

Inputs: TypeAlias = Mapping[str, Tensor]  # of a model, by name
Outputs: TypeAlias = Float[Tensor, "batch outputs"]  # its logits


@dataclass
class Regularizer(ABC):
    """A term beside the tasks' own losses; every model that is trained has one of its own.

    Attributes:
        version: Raised whenever the same arguments would give another term.
        state: Tensors kept from earlier steps, by name. Checkpoints hold it, and put it back.
    """

    version: ClassVar[int] = 1

    state: dict[str, Tensor] = field(default_factory=dict, init=False)

    @property
    def is_idle(self) -> bool:
        """Whether the term is 0 whatever the model says."""
        return False

    @abstractmethod
    def __call__(
        self, model: MultiTaskModel, task: str, inputs: Inputs, logits: Outputs
    ) -> Float[Tensor, ""]:
        """The term for the loss of a batch.

        Args:
            model: The model in training mode. It is called in fp32 and with the step's own kind of
                dropout.
            task: Name of the batch's task.
            inputs: Inputs of the model.
            logits: Logits of the model for them, in fp32 and with its graph.

        Returns:
            The term, its weight included, with its graph.
        """

    def check(self, tasks: Sequence[Task]) -> None:  # noqa: B027  most take any
        """Refuse tasks that the term is not made for.

        Args:
            tasks: All that are trained.

        Raises:
            RelevanceError: If there is one.
        """

    def after_update(self, model: MultiTaskModel) -> None:  # noqa: B027  not every one needs it
        """Take notice of a step.

        Args:
            model: The model with the weights after the step, and still with the gradients that led
                to them.
        """


regularizers = Registry("regularizer", Regularizer)
"""All regularizers, by name."""


def make_regularizer(choice: Choice[Regularizer] | None) -> Regularizer | None:
    """The regularizer of a training.

    Args:
        choice: Choice that settings hold.

    Returns:
        A new one; None where none is asked for or it is idle, which is plain training.
    """
    if choice is None:
        return None
    made = choice.build()
    return None if made.is_idle else made

"""What a regularizer is: a term that is added to the loss of every batch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

import hmnet.regularizers
from hmnet.models.multitask import MultiTaskModel
from relevance.registry import Registry

if TYPE_CHECKING:
    from hmnet.config import TrainingSettings


class Regularizer(ABC):
    """A term beside the tasks' own losses; every model that is trained has one of its own.

    Attributes:
        state: What it has kept from earlier steps, by name. Checkpoints hold it, and put it back.
    """

    def __init__(self) -> None:
        self.state: dict[str, Tensor] = {}

    @classmethod
    @abstractmethod
    def of(cls, settings: "TrainingSettings") -> "Regularizer | None":
        """The regularizer that settings ask for.

        Args:
            settings: Its own ones among them begin with its name.

        Returns:
            The regularizer; None where the settings leave nothing to add.
        """

    @abstractmethod
    def __call__(
        self,
        model: MultiTaskModel,
        task: str,
        inputs: Mapping[str, Tensor],
        logits: Float[Tensor, "batch outputs"],
    ) -> Float[Tensor, ""]:
        """What is added to the loss of a batch.

        Args:
            model: In training mode. It is called in fp32 and with the step's own kind of dropout.
            task: Name of the batch's task.
            inputs: What the model reads.
            logits: What it said to them, in fp32 and with its graph.

        Returns:
            The term, its weight included, with its graph.
        """

    def after_update(self, model: MultiTaskModel) -> None:  # noqa: B027  not every one needs it
        """Take notice of a step.

        Args:
            model: With the weights after the step, and still with the gradients that led to them.
        """


@cache
def regularizers() -> Registry[Regularizer]:
    """All regularizers, by name."""
    return Registry("regularizer", hmnet.regularizers, Regularizer)


def make_regularizer(settings: "TrainingSettings") -> Regularizer | None:
    """The regularizer of a training.

    Args:
        settings: Its name and its own settings.

    Returns:
        A new one; None where none is asked for or its weights are 0, which is plain training.
    """
    if settings.regularizer is None:
        return None
    return regularizers().find(settings.regularizer).of(settings)

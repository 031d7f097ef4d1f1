"""The base of gradient surgery: how far each task's gradient counts where tasks conflict."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor

from relevance.registry import Registry


class Surgery(ABC):
    """Weights for the gradients of tasks that share parameters, from their inner products alone.

    That is all which projections onto each other's gradients need, and it spares a copy of the
    gradients: whatever is projected is a sum of the originals.

    Attributes:
        version: Raised whenever the same inner products would give other factors.
    """

    version: int = 1

    @abstractmethod
    def weights(self, gramian: Float[Tensor, "task task"]) -> Float[Tensor, " task"]:
        """Weight with which each task's gradient goes into the update; ones would be plain summing.

        Args:
            gramian: Inner products of the tasks' gradients on one level of the tree, in fp32.

        Returns:
            Factors, on any device. Random choices are drawn from torch's generator for the CPU,
            whose state a checkpoint holds.
        """


surgeries = Registry("surgery", Surgery)
"""All kinds of gradient surgery, by name."""

"""What a head is: the part of a path that belongs to one task alone, whatever the plan."""

from abc import abstractmethod

from torch import nn
from transformers import PreTrainedModel


class Head(nn.Module):
    """Turns what a task's layers say into its logits; every task has one of its own."""

    @abstractmethod
    def path(self, encoder: PreTrainedModel) -> nn.Module:
        """Put the head on an encoder.

        Args:
            encoder: A view of the backbone with the task's layers, without a pooler.

        Returns:
            A module that is called with the inputs and returns logits `[batch, outputs]`; its
            weights are the encoder's and the head's own.
        """

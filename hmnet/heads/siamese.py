"""A head on two texts that the encoder reads one by one: their vectors side by side."""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.backbones.backbone import Backbone
from hmnet.heads._choice import Pooling
from hmnet.heads.head import Head
from hmnet.heads.linear import dropout_of, linear_layer
from hmnet.kinds.kind import TokenLevelKind, kind_of
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

Vector: TypeAlias = Float[Tensor, "batch hidden"]  # of one text


class SiameseHead(Head):
    """Dropout, a hidden layer with ReLU, and an output layer on (u, v).

    A task with two labels has one logit, z: the other label's is 0, for which cross-entropy over
    the two is binary cross-entropy on z. Three texts are the first against the other two, joined. A
    task with one text has the same layers on its vector, one output per label.

    Args:
        backbone: Backbone whose hidden size, dropout and initialisation are used.
        task: Task, which sets the numbers of texts and outputs.
        pooling: `mean` or `cls`.

    Source:
        Li (2024), CS224N report: the paraphrase and sentiment heads.
    """

    poolings = ("mean", "cls")
    vectors: int = 2

    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling) -> None:
        super().__init__(backbone, task, pooling)
        self.apart = task.parts > 1
        self.one_logit = self.apart and task.outputs == 2
        width = int(backbone.config.hidden_size)
        self.dropout = dropout_of(backbone)
        self.hidden = linear_layer(backbone, self.vectors * width if self.apart else width, width)
        self.output = linear_layer(backbone, width, 1 if self.one_logit else task.outputs)

    @classmethod
    def check(cls, task: Task) -> None:
        """Refuse a task that labels parts of a text."""
        if isinstance(kind_of(task), TokenLevelKind):
            name = cls.__module__.rpartition(".")[2].replace("_", "-")
            raise RelevanceError(
                f"Head '{name}' answers a text as a whole, but task '{task.name}' is of kind"
                f" {task.kind}. Give it another, such as `head='{name},{task.name}=linear'`."
            )

    def join(self, u: Vector, v: Vector) -> Float[Tensor, "batch joined"]:
        """Inputs of the hidden layer, from the vectors of two texts.

        Args:
            u: Vectors of the first text.
            v: Vectors of the second.

        Returns:
            `vectors` vectors side by side.
        """
        return torch.cat([u, v], dim=-1)

    def forward(
        self, vectors: Float[Tensor, "batch *text hidden"]
    ) -> Float[Tensor, "batch outputs"]:
        """Logits of a batch.

        Args:
            vectors: One per row, or two where there are two texts.

        Returns:
            Logits; for regression one value, on the scale that the model has for the task.
        """
        joined = self.join(*vectors.unbind(dim=1)) if self.apart else vectors
        logits: Tensor = self.output(F.relu(self.hidden(self.dropout(joined))))
        if self.one_logit:
            return torch.cat([torch.zeros_like(logits), logits], dim=-1)
        return logits

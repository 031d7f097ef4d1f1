"""A linear head on pooled hidden states, the same for every family."""

from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from hmnet.heads.head import Head, Pooling
from hmnet.models.backbone import Backbone
from relevance.tasks.task import Task


class LinearHead(Head):
    """Dropout and one linear layer on the first token's hidden state or on the mean of all.

    Args:
        backbone: Whose hidden size, dropout and initialisation are used.
        task: Says how many outputs there are.
        pooling: `cls` for the first token, `mean` for the mean over tokens that are no padding.
    """

    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling) -> None:
        super().__init__(backbone, task, pooling)
        self.pooling = pooling
        self.dropout = nn.Dropout(getattr(backbone.config, "hidden_dropout_prob", 0.1))
        width = int(backbone.config.hidden_size)
        self.linear = nn.Linear(width, task.outputs, device=backbone.device)
        backbone.base._init_weights(self.linear)

    def path(self, encoder: PreTrainedModel) -> "LinearPath":
        """Put the head on an encoder.

        Args:
            encoder: A view of the backbone with the task's layers, without a pooler.

        Returns:
            The path.
        """
        return LinearPath(encoder, self)

    def forward(
        self, hidden: Float[Tensor, "batch length hidden"], mask: Int[Tensor, "batch length"]
    ) -> Float[Tensor, "batch outputs"]:
        """Logits of a batch.

        Args:
            hidden: Hidden states of the last layer.
            mask: One for tokens, zero for padding.

        Returns:
            Logits.
        """
        logits: Tensor = self.linear(self.dropout(pool(hidden, mask, self.pooling)))
        return logits


class LinearPath(nn.Module):
    """Runs an encoder by its own forward, then a linear head.

    Args:
        encoder: A view of the backbone with the task's layers.
        head: The task's head.
    """

    def __init__(self, encoder: PreTrainedModel, head: LinearHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(
        self, attention_mask: Int[Tensor, "batch length"], **inputs: Tensor
    ) -> Float[Tensor, "batch outputs"]:
        """Logits of a batch.

        Args:
            attention_mask: One for tokens, zero for padding.
            **inputs: Token ids `[batch, length]` and the like, as the tokenizer names them.

        Returns:
            Logits; for regression one value on the scale of [0, 1].
        """
        hidden = self.encoder(attention_mask=attention_mask, **inputs).last_hidden_state
        logits: Tensor = self.head(hidden, attention_mask)
        return logits


def pool(
    hidden: Float[Tensor, "batch length hidden"],
    mask: Int[Tensor, "batch length"],
    pooling: Pooling,
) -> Float[Tensor, "batch hidden"]:
    """One vector for each text.

    Args:
        hidden: Hidden states of every token.
        mask: One for tokens, zero for padding.
        pooling: `cls` for the first token, `mean` for the mean over tokens that are no padding.

    Returns:
        The vectors.

    >>> import torch
    >>> pool(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[1, 1, 0]]), "mean")
    tensor([[2.]])
    """
    if pooling == "cls":
        return hidden[:, 0]
    weights = mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)

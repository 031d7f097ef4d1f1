"""A linear head on pooled hidden states, the same for every family."""

from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from hmnet.backbones.backbone import Backbone
from hmnet.heads._choice import Pooling
from hmnet.heads.head import Head
from hmnet.kinds.kind import TokenLevelKind, kind_of
from relevance.tasks.task import Task


class LinearHead(Head):
    """Dropout and one linear layer on the first token's hidden state or on the mean of all.

    For kinds of tasks that label parts of a text it is on the hidden state of every token.

    Args:
        backbone: Backbone whose hidden size, dropout and initialisation are used.
        task: Task, which sets the number of outputs.
        pooling: `cls` for the first token, `mean` for the mean over tokens that are no padding.
    """

    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling) -> None:
        super().__init__(backbone, task, pooling)
        self.kind = kind_of(task)
        self.dropout = dropout_of(backbone)
        self.linear = linear_layer(backbone, backbone.config.hidden_size, task.outputs)

    def path(self, encoder: PreTrainedModel) -> "PooledPath | PlacedPath":
        """Put the head on an encoder."""
        if isinstance(self.kind, TokenLevelKind):
            return PlacedPath(encoder, self, self.kind)
        return PooledPath(encoder, self, self.pooling)

    def forward(
        self, vectors: Float[Tensor, "batch *token hidden"]
    ) -> Float[Tensor, "batch *token outputs"]:
        """Logits of a batch.

        Args:
            vectors: Hidden states of the last layer, pooled or of every token.

        Returns:
            Logits.
        """
        logits: Tensor = self.linear(self.dropout(vectors))
        return logits


class PooledPath(nn.Module):
    """Runs an encoder by its own forward, pools, and asks a head.

    Args:
        encoder: A view of the backbone with the task's layers.
        head: The task's head; it is called with one vector per row, or with one for each of the
            texts of a row.
        pooling: `cls` or `mean`.
    """

    def __init__(self, encoder: PreTrainedModel, head: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.pooling = pooling

    def forward(
        self, attention_mask: Int[Tensor, "batch *text length"], **inputs: Tensor
    ) -> Float[Tensor, "batch outputs"]:
        """Logits of a batch.

        Args:
            attention_mask: One for tokens, zero for padding.
            **inputs: Token ids `[batch, length]`, or `[batch, text, length]` where texts are read
                one by one, and the like, as the tokenizer names them.

        Returns:
            Logits; for regression one value, on the scale that the model has for the task.
        """
        *texts, _ = attention_mask.shape
        last = len(texts) - 1
        mask = attention_mask.flatten(0, last)
        flat = {name: values.flatten(0, last) for name, values in inputs.items()}
        hidden = self.encoder(attention_mask=mask, **flat).last_hidden_state
        logits: Tensor = self.head(pool(hidden, mask, self.pooling).reshape(*texts, -1))
        return logits


class PlacedPath(nn.Module):
    """Runs an encoder by its own forward, and asks a head about every token.

    Args:
        encoder: A view of the backbone with the task's layers.
        head: The task's head.
        kind: Kind, which makes logits of its outputs.
    """

    def __init__(self, encoder: PreTrainedModel, head: nn.Module, kind: TokenLevelKind) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.kind = kind

    def forward(
        self, attention_mask: Int[Tensor, "batch length"], **inputs: Tensor
    ) -> Float[Tensor, "batch class place"]:
        """Logits of a batch.

        Args:
            attention_mask: One for tokens, zero for padding.
            **inputs: Token ids and the like `[batch, length]`.

        Returns:
            Logits of classes at places.
        """
        hidden = self.encoder(attention_mask=attention_mask, **inputs).last_hidden_state
        return self.kind.logits(self.head(hidden), attention_mask)


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


def linear_layer(backbone: Backbone, inputs: int, outputs: int) -> nn.Linear:
    """A layer of a head, initialised as the backbone's family does it.

    Args:
        backbone: Backbone that says how, and on which device.
        inputs: Width of what comes in.
        outputs: Width of what goes out.

    Returns:
        The layer.
    """
    layer = nn.Linear(inputs, outputs, device=backbone.device)
    # The family's own way, as transformers begins a head of the same backbone.
    backbone.base._init_weights(layer)
    return layer


def dropout_of(backbone: Backbone) -> nn.Dropout:
    """Dropout as the backbone has it on hidden states, 0.1 where it does not say."""
    return nn.Dropout(getattr(backbone.config, "hidden_dropout_prob", 0.1))

"""A linear head on pooled hidden states, the same for every family."""

from jaxtyping import Float
from torch import Tensor, nn

from hmnet.backbones.backbone import Backbone
from hmnet.heads._choice import Pooling
from hmnet.heads.head import Head
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
        self.dropout = dropout_of(backbone)
        self.linear = linear_layer(backbone, backbone.config.hidden_size, task.outputs)

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

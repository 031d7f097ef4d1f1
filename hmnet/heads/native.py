"""The head of the backbone's own family for a kind of task."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from hmnet.backbones.auto import family_model
from hmnet.backbones.backbone import Backbone
from hmnet.backbones.graft import graft
from hmnet.heads._choice import Pooling
from hmnet.heads.head import Head
from hmnet.kinds.kind import TokenLevelKind, kind_of
from relevance.tasks.task import Task


class NativeHead(Head):
    """The head of the family's model for the task's kind, all that it has beside its encoder.

    Where that model reads the encoder's pooler, it is the task's own and starts from the pretrained
    weights; all else starts as the family initialises it.

    Args:
        backbone: Backbone whose family is meant.
        task: Task, which sets the number and the names of outputs.
        pooling: `native`.
    """

    poolings = ("native",)

    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling = "native") -> None:
        super().__init__(backbone, task, pooling)
        self.prefix = backbone.prefix
        self.shell = _shell(backbone, task)
        self.kind = kind_of(task)
        pooled = backbone.has_pooler and not isinstance(self.kind, TokenLevelKind)
        self.pooler = backbone.copy_pooler() if pooled else None

    def path(self, encoder: PreTrainedModel) -> "NativePath":
        """Put the head on an encoder: the path's `model` is a model of the family."""
        if self.pooler is not None:
            encoder = graft(encoder, {"pooler": self.pooler})
        model = graft(self.shell, {self.prefix: encoder})
        if isinstance(self.kind, TokenLevelKind):
            return PlacedNativePath(model, self.kind)
        return NativePath(model)


class NativePath(nn.Module):
    """Runs a model of the family by its own forward.

    Args:
        model: A view that the family's class takes for one of its own.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: Tensor) -> Float[Tensor, "batch outputs"]:
        """Logits of a batch.

        Args:
            **inputs: Token ids and masks `[batch, length]`, as the family's tokenizer names them.

        Returns:
            Logits; for regression one value, on the scale that the model has for the task.
        """
        logits: Tensor = self.model(**inputs).logits
        return logits


class PlacedNativePath(NativePath):
    """A path through a model of the family whose outputs are those of tokens.

    Args:
        model: A view that the family's class takes for one of its own.
        kind: Kind, which makes logits of the outputs.
    """

    def __init__(self, model: PreTrainedModel, kind: TokenLevelKind) -> None:
        super().__init__(model)
        self.kind = kind

    def forward(self, **inputs: Tensor) -> Float[Tensor, "batch class place"]:
        """Logits of classes at places."""
        outputs = self.kind.outputs(self.model(**inputs))
        return self.kind.logits(outputs, inputs["attention_mask"])


def _shell(backbone: Backbone, task: Task) -> PreTrainedModel:
    """A new model of the family for the task without its encoder, made without making one."""
    config, kind = copy.deepcopy(backbone.config), kind_of(task)
    kind.configure(config)
    with torch.device("meta"):
        shell = graft(family_model(config, kind.auto, kind.purpose), {backbone.prefix: None})
    if backbone.device.type != "meta":
        shell.to_empty(device=backbone.device)
        shell.initialize_weights()
    return shell

"""The head of the backbone's own family for a kind of task."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from hmnet.backbones.auto import family_model
from hmnet.backbones.backbone import Backbone
from hmnet.backbones.graft import graft
from hmnet.backbones.levels import STORED, cut
from hmnet.heads._choice import Pooling
from hmnet.heads.head import Head
from hmnet.kinds._reading import reading
from hmnet.kinds.kind import TokenLevelKind, kind_of
from relevance.tasks.task import Task


class NativeHead(Head):
    """The head of the family's model for the task's kind, all that it has beside its encoder.

    Where that model reads the encoder's pooler, it is the task's own and starts from the pretrained
    weights, if there are any; all else starts as the family initialises it. Where the family reads
    texts one by one, as a BiLSTM on word vectors does, so does the head.

    Args:
        backbone: Backbone whose family is meant.
        task: Task, which sets the number and the names of outputs.
        pooling: `native`.
    """

    poolings = ("native",)

    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling = "native") -> None:
        super().__init__(backbone, task, pooling)
        self.prefix = backbone.prefix
        several = self.kind is None and task.parts > 1
        self.apart = several and getattr(backbone.base, "reads_apart", False)
        self.shell, self.pooler = _shell(backbone, task, apart=self.apart)
        if backbone.has_pooler and self.kind is None:
            self.pooler = backbone.copy_pooler()

    def path(self, encoder: nn.Module) -> "NativePath":
        """Put the head on an encoder: the path's `model` is a model of the family."""
        if self.pooler is not None:
            encoder = graft(encoder, {"pooler": self.pooler})
            vars(encoder).pop("pooler", None)  # an encoder without one says so in its own way
        return NativePath(graft(self.shell, {self.prefix: encoder}), self.kind)


class NativePath(nn.Module):
    """Runs a model of the family by its own forward.

    Args:
        model: A view that the family's class takes for one of its own.
        kind: Kind that makes logits of the outputs of tokens; None where the model gives logits.
    """

    def __init__(self, model: PreTrainedModel, kind: TokenLevelKind | None) -> None:
        super().__init__()
        self.model = model
        self.kind = kind

    def forward(self, **inputs: Tensor) -> Float[Tensor, "batch *_"]:
        """Logits of a batch.

        Args:
            **inputs: Token ids and masks `[batch, length]`, as the family's tokenizer names them;
                `[batch, text, length]` where the family reads texts one by one.

        Returns:
            Logits `[batch, output]`; for regression one value, on the scale that the model has for
            the task. Where there is a kind, `[batch, class, place]`.
        """
        output = self.model(**inputs)
        if self.kind is not None:
            return self.kind.logits(self.kind.outputs(output), inputs["attention_mask"])
        logits: Tensor = output.logits
        return logits


def _shell(
    backbone: Backbone, task: Task, *, apart: bool
) -> tuple[PreTrainedModel, nn.Module | None]:
    """A new model of the family for the task without its encoder, made without making one.

    Its pooler comes beside it where the backbone has none: RoBERTa reads one for multiple choice
    alone.
    """
    config, kind = copy.deepcopy(backbone.config), kind_of(task)
    kind.configure(config)
    if apart:
        config.texts = 2
    if backbone.levels is not None:
        # a plain checkpoint of the task has the layers that it reads, and no levels
        cut(config, reading(config, task).depth)
        delattr(config, STORED)
    with torch.device("meta"):
        model = family_model(config, kind.auto, kind.purpose)
        pooler = model.get_submodule(backbone.prefix)._modules.get("pooler")
        shell = graft(model, {backbone.prefix: None})
    pooler = None if backbone.has_pooler else pooler
    if backbone.device.type != "meta":
        shell.to_empty(device=backbone.device)
        shell.initialize_weights()
        if pooler is not None:
            pooler.to_empty(device=backbone.device).apply(backbone.base._init_weights)
    return shell, pooler

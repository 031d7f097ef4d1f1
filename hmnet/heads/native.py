"""The classification head of the backbone's own family."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from hmnet.heads.head import Head, Pooling
from hmnet.models.auto import classification_model
from hmnet.models.backbone import Backbone
from hmnet.models.graft import graft
from relevance.tasks.task import Task


class NativeHead(Head):
    """What the family's classification model has beside its encoder, and the encoder's pooler.

    The pooler starts from the pretrained weights, all else as the family initialises it.

    Args:
        backbone: Whose family is meant.
        task: Says how many outputs there are and what they are called.
        pooling: `native`.
    """

    poolings = ("native",)

    def __init__(self, backbone: Backbone, task: Task, pooling: Pooling = "native") -> None:
        super().__init__(backbone, task, pooling)
        self.prefix = backbone.prefix
        self.shell = _shell(backbone, task)
        self.pooler = backbone.copy_pooler() if backbone.has_pooler else None

    def path(self, encoder: PreTrainedModel) -> "NativePath":
        """Put the head on an encoder, which gives a classification model of the family.

        Args:
            encoder: A view of the backbone with the task's layers, without a pooler.

        Returns:
            The path; its `model` is the classification model.
        """
        if self.pooler is not None:
            encoder = graft(encoder, {"pooler": self.pooler})
        return NativePath(graft(self.shell, {self.prefix: encoder}))


class NativePath(nn.Module):
    """Runs a classification model by its own forward.

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
            Logits; for regression one value on the scale of [0, 1].
        """
        logits: Tensor = self.model(**inputs).logits
        return logits


def _shell(backbone: Backbone, task: Task) -> PreTrainedModel:
    """A new classification model of the family without its encoder, made without making one."""
    config = copy.deepcopy(backbone.config)
    config.num_labels = task.outputs
    config.id2label = dict(enumerate(task.labels or [task.name]))
    config.label2id = {label: code for code, label in config.id2label.items()}
    config.problem_type = (
        "regression" if task.kind == "regression" else "single_label_classification"
    )
    with torch.device("meta"):
        shell = graft(classification_model(config), {backbone.prefix: None})
    if backbone.device.type != "meta":
        shell.to_empty(device=backbone.device)
        shell.initialize_weights()
    return shell

"""Rows of a task for an estimator to look at, drawn, and the parts of a model that tasks share."""

import numpy as np
from jaxtyping import Int64
from torch import nn

from hmnet.backbones.graft import graft
from hmnet.data.encoded import Encoded
from hmnet.models.multitask import MultiTaskModel
from hmnet.samplers.sampler import generator
from relevance.tasks.task import Task


def drawn(
    task: Task, encoded: Encoded, count: int, seed: int, number: int = 0
) -> Int64[np.ndarray, " row"]:
    """Some rows of a split, the longest first so that batches have little padding.

    Args:
        task: Task whose name has a part in the draw.
        encoded: The split.
        count: Number of rows; fewer where the split has fewer.
        seed: Seed of the draw.
        number: Number of the draw, where several are made.

    Returns:
        Row numbers, each once.
    """
    rows = generator(seed, "drawn", task.name, number).permutation(len(encoded))[:count]
    return rows[np.argsort(-encoded.lengths[rows], kind="stable")]


def shared_weights(model: MultiTaskModel) -> list[nn.Parameter]:
    """The weights of a model's only encoder but for frozen ones, in the order of the pool."""
    return [
        weight
        for name, module in model.pool.items()
        if not name.endswith("/head")
        for weight in module.parameters()
        if weight.requires_grad
    ]


def shared_layers(model: MultiTaskModel) -> dict[str, nn.Linear]:
    """The linear layers of a model's only encoder but for frozen ones, by name, as in the pool."""
    return {
        name: module
        for name, module in model.pool.named_modules()
        if isinstance(module, nn.Linear) and "/head." not in name and module.weight.requires_grad
    }


def shared_encoder(model: MultiTaskModel, layer_list: str) -> nn.Module:
    """The encoder that all tasks of a model share, without heads and pooler.

    Args:
        model: A model whose plan is `fully_shared`.
        layer_list: Dotted name of the backbone's list of layers.

    Returns:
        A view in evaluation mode; its weights are the model's.
    """
    layers = nn.ModuleList(model.pool[f"shared/{level}"] for level in range(model.plan.depth))
    return graft(model.pool["shared/outside"], {layer_list: layers}).eval()

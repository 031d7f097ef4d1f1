"""Rows of a task for an estimator to look at, and the parts of a model that tasks share."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64
from torch import nn

from hmnet.backbones.graft import graft
from hmnet.data.batching import InputForm
from hmnet.data.encoded import Encoded
from hmnet.kinds.kind import OutputKind
from hmnet.models.multitask import MultiTaskModel
from hmnet.samplers.sampler import generator
from hmnet.training.step import Batch, make_batch
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


def batches_of(
    kind: OutputKind,
    encoded: Encoded,
    rows: Int64[np.ndarray, " row"],
    form: InputForm,
    device: str,
    *,
    batch_size: int,
) -> Iterator[Batch]:
    """Rows batch by batch, in their order.

    Args:
        kind: Kind of the task.
        encoded: The split.
        rows: Numbers of its rows to take.
        form: Form of the inputs, which is a matter of the encoder and of the head on it.
        device: A name that torch takes.
        batch_size: Rows per batch.

    Yields:
        The batches, on the device.
    """
    for start in range(0, len(rows), batch_size):
        yield make_batch(kind, encoded, rows[start : start + batch_size], form, device)


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

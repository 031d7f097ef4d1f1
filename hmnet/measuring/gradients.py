"""Gradients of the weights that tasks share, and how they point with or against each other."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hmnet.measuring.per_row import Loss
from hmnet.models.multitask import MultiTaskModel
from hmnet.training.step import Batch

CHUNK = 2**20  # columns that are multiplied at a time, in fp32


def loss_of(model: MultiTaskModel, batch: Batch) -> Loss:
    """Mean loss of a batch, in fp32."""
    logits = model(batch.task, batch.inputs)
    return model.kinds[batch.task].losses(logits, batch.labels).mean()


def gradient(loss: Loss, weights: Sequence[nn.Parameter]) -> tuple[Float[Tensor, "..."], ...]:
    """Gradient of a loss for each of some weights, zeros where it does not depend on one."""
    return torch.autograd.grad(loss, list(weights), allow_unused=True, materialize_grads=True)


def gradient_products(
    model: MultiTaskModel, weights: Sequence[nn.Parameter], batches: Sequence[Batch]
) -> Float[Tensor, "task task"]:
    """Inner products of the gradients of several tasks, each of one batch.

    Gradients are held in bf16, half the memory of fp32: 0.6 GB for 13 tasks and 22 million weights.
    What rounding adds to millions of products has random signs and cancels.

    Args:
        model: The model in evaluation mode.
        weights: Weights that gradients are taken with respect to.
        batches: One batch of each task.

    Returns:
        The products, in fp64 on the CPU.
    """
    size = sum(weight.numel() for weight in weights)
    flat = torch.empty(len(batches), size, dtype=torch.bfloat16, device=weights[0].device)
    for row, batch in zip(flat, batches, strict=True):
        torch.cat(
            [part.flatten().bfloat16() for part in gradient(loss_of(model, batch), weights)],
            out=row,
        )
    products = torch.zeros(len(batches), len(batches), dtype=torch.float64)
    for columns in torch.split(flat, CHUNK, dim=1):
        # Column by column: all gradients in fp32 at once would take the memory that bf16 saves.
        exact = columns.float()
        products += (exact @ exact.T).double().cpu()
    return products

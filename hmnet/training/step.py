"""One step of training: the loss of its batches, their gradients, one update of AdamW."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import Precision, autocast
from hmnet.regularizers.regularizer import Regularizer
from hmnet.training.dropout import fast_dropout
from hmnet.training.task_gradients import TaskGradients


class Batch(NamedTuple):
    """Rows of one task as tensors on the model's device.

    Attributes:
        task: Its name.
        inputs: Token ids and masks `[batch, length]`, as the backbone's forward names them;
            `[batch, 2, length]` for texts apart.
        labels: Codes `[batch]` for classification, values on the scale of [0, 1] for regression.
    """

    task: str
    inputs: Mapping[str, Tensor]
    labels: Tensor


class Losses(NamedTuple):
    """What is minimised is the sum of the two.

    Attributes:
        loss: Of the tasks themselves.
        term: What the regularizer adds; 0 without one.
    """

    loss: Float[Tensor, ""]
    term: Float[Tensor, ""]


def batch_losses(
    model: MultiTaskModel, batch: Batch, precision: Precision, regularizer: Regularizer | None
) -> Losses:
    """What a batch adds to what a step minimises, with its graph.

    Args:
        model: In training mode.
        batch: The rows.
        precision: Of the forward pass. With a regularizer it is fp32 all the same: the term is
            made of small differences between passes, and rounding would be one of them.
        regularizer: None for plain training.

    Returns:
        The mean loss of the rows, and the term.
    """
    device = batch.labels.device
    with autocast("fp32" if regularizer else precision, device), fast_dropout(device):
        logits = model(batch.task, batch.inputs)
        if regularizer is None:
            term = torch.zeros((), device=device)
        else:
            term = regularizer(model, batch.task, batch.inputs, logits)
    return Losses(batch_loss(logits, batch.labels), term)


def batch_loss(
    logits: Float[Tensor, "batch outputs"], labels: Int[Tensor, " batch"] | Float[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Mean of the losses of a batch's rows.

    Args:
        logits: One column per label, or one for regression.
        labels: Codes for cross-entropy, or values in [0, 1] for the squared error.

    Returns:
        The loss.
    """
    return row_losses(logits, labels).mean()


def row_losses(
    logits: Float[Tensor, "batch outputs"], labels: Int[Tensor, " batch"] | Float[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Loss of each row, in fp32 whatever the logits are.

    Args:
        logits: One column per label, or one for regression.
        labels: Codes for cross-entropy, or values in [0, 1] for the squared error.

    Returns:
        Nats, or squared errors.
    """
    if labels.is_floating_point():
        return F.mse_loss(logits.float().squeeze(-1), labels.float(), reduction="none")
    return F.cross_entropy(logits.float(), labels, reduction="none")


def make_optimizer(model: nn.Module, lr: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over all weights, fused where the device has it.

    Args:
        model: On the device that it trains on.
        lr: Learning rate at the first step.
        weight_decay: Of matrices, embeddings included; biases and norms have none.

    Returns:
        The optimizer. It leaves a weight without gradient alone, its decay too, so that a step on
        one task changes its own path only.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in weights if w.ndim > 1], "weight_decay": weight_decay},
        {"params": [w for w in weights if w.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr, fused=True)


def train_step(
    model: MultiTaskModel,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Batch],
    lr: float,
    precision: Precision,
    task_gradients: TaskGradients | None = None,
    regularizer: Regularizer | None = None,
) -> Losses:
    """Update the weights once, by the sum of the losses of the batches.

    Args:
        model: In training mode.
        optimizer: Over the model's weights.
        batches: One batch, or several whose losses are summed.
        lr: Learning rate of this step.
        precision: Of forward and backward.
        task_gradients: Joins the tasks' gradients where they share weights; None sums them.
        regularizer: What is added to the loss of each batch; None for nothing.

    Returns:
        The losses before the update, on the model's device: reading them waits for the device.
    """
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad(set_to_none=True)
    sums = torch.zeros(2, device=batches[0].labels.device)
    for batch in batches:
        loss, term = batch_losses(model, batch, precision, regularizer)
        total = loss if regularizer is None else loss + term
        torch.autograd.backward(total)  # batch by batch: one graph is in memory at a time
        if task_gradients:
            task_gradients.keep(batch.task)
        sums += torch.stack([loss.detach(), term.detach()])
    if task_gradients:
        task_gradients.join()
    optimizer.step()
    if regularizer is not None:
        regularizer.after_update(model)
    return Losses(sums[0], sums[1])


def linear_decay(lr: float, step: int, total: int) -> float:
    """Learning rate that falls in a straight line to 0 at the end, without warm-up.

    Args:
        lr: At step 0.
        step: From 0 to `total` - 1.
        total: Steps of the run.

    Returns:
        The learning rate of the step.

    >>> [linear_decay(1.0, step, 4) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """
    return lr * (total - step) / total

"""Lookahead: what one step on one task does to the losses of the others, while all are trained."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hmnet.measuring.gradients import gradient, loss_of
from hmnet.models.multitask import MultiTaskModel
from hmnet.training.step import Batch

Losses = tuple[Float[Tensor, " target"], Float[Tensor, "source target"]]


def look_ahead(
    model: MultiTaskModel, weights: Sequence[nn.Parameter], batches: Sequence[Batch], lr: float
) -> Losses:
    """Losses before and after one step of plain gradient descent on each task's batch.

    The weights are those of before at the end, bit for bit.

    Args:
        model: The model in evaluation mode, so that dropout adds no noise to such small
            differences.
        weights: The shared ones, which alone are changed.
        batches: One batch of each task.
        lr: Learning rate of the steps.

    Returns:
        Losses before, and after a step on each source; a source's own stay as they were.
    """
    count = len(batches)
    before, after = torch.zeros(count), torch.zeros(count, count)
    with torch.no_grad():
        # Stepping back by adding the gradient would leave rounding behind.
        kept = [weight.clone() for weight in weights]
    for source, batch in enumerate(batches):
        loss = loss_of(model, batch)
        before[source] = loss.item()
        steps = gradient(loss, weights)
        with torch.no_grad():
            for weight, step in zip(weights, steps, strict=True):
                weight.add_(step, alpha=-lr)
            for target, other in enumerate(batches):
                if target != source:
                    after[source, target] = loss_of(model, other).item()
            for weight, old in zip(weights, kept, strict=True):
                weight.copy_(old)
    # A source's own loss after its step says nothing of other tasks; it counts as unchanged.
    return before, after + torch.diag(before)


@contextmanager
def evaluating(model: MultiTaskModel) -> Iterator[None]:
    """Switch a model's dropout off for a while in the middle of training."""
    model.eval()
    try:
        yield
    finally:
        model.train()


def spread(total: int, count: int) -> tuple[int, ...]:
    """The middles of equal parts of a training.

    Args:
        total: Number of steps of the training.
        count: Parts; fewer where there are fewer steps.

    Returns:
        Numbers of steps done, each once.

    >>> spread(320, 4)
    (40, 120, 200, 280)
    """
    count = min(count, total)
    return tuple(-(-total * (2 * part + 1) // (2 * count)) for part in range(count))

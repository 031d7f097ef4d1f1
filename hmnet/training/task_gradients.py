"""Gradients of a step, kept apart by task where tasks share parameters, until they are joined."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hmnet.models.multitask import MultiTaskModel
from hmnet.surgery.surgery import Surgery

Gradients = dict[nn.Parameter, Tensor]
Level = tuple[str, ...]


class TaskGradients:
    """Takes each batch's gradients out of the model's way and gives back one for the update.

    A level is all parameters that the same tasks run through: of a hierarchical model what all
    share, and each cluster's layers. Conflict is a matter of each level. What one task has to
    itself, such as its head, is left alone. Memory: one gradient per task of the step for shared
    parameters, all but one of which are freed as a level is joined.

    Args:
        model: Model whose tasks share parameters.
        surgery: Surgery that joins them.

    Attributes:
        levels: Parameters by the tasks that share them, in the order of the model's tasks.
    """

    def __init__(self, model: MultiTaskModel, surgery: Surgery) -> None:
        users: defaultdict[nn.Parameter, list[str]] = defaultdict(list)
        for task in model.tasks:
            for weight in model.path_parameters(task):
                if weight.requires_grad:
                    users[weight].append(task)
        self.levels: dict[Level, list[nn.Parameter]] = {}
        for weight, tasks in users.items():
            if len(tasks) > 1:
                self.levels.setdefault(tuple(tasks), []).append(weight)
        self._surgery = surgery
        self._kept: dict[Level, dict[str, Gradients]] = {level: {} for level in self.levels}

    def keep(self, task: str) -> None:
        """Take what a backward pass left in the shared parameters; batches of one task add up.

        Args:
            task: Task of the batch.
        """
        for level, weights in self.levels.items():
            if task in level:
                kept = self._kept[level].setdefault(task, {})
                for weight in weights:
                    if weight.grad is not None:
                        gradient, weight.grad = weight.grad, None
                        kept[weight] = kept[weight].add_(gradient) if weight in kept else gradient

    def held(self) -> Iterator[Tensor]:
        """What was taken since gradients were last joined.

        Yields:
            The gradients themselves; the order depends on the tasks of the batches alone.
        """
        for kept in self._kept.values():
            for gradients in kept.values():
                yield from gradients.values()

    def join(self) -> None:
        """Put one gradient back into every shared parameter that a task of the step has one for."""
        for level, weights in self.levels.items():
            kept = self._kept[level]
            gradients = [kept[task] for task in level if kept.get(task)]
            factors = [1.0] * len(gradients)
            if len(gradients) > 1:
                factors = self._surgery.weights(gramian(gradients)).tolist()
            for weight in weights:
                weight.grad = _weighted_sum(weight, gradients, factors)
            kept.clear()


def gramian(gradients: Sequence[Gradients]) -> Float[Tensor, "task task"]:
    """Inner products of tasks' gradients on one level.

    Args:
        gradients: Gradients by task, none of them empty; a parameter that one of them lacks counts
            as zero.

    Returns:
        A symmetric matrix, in fp32 on the parameters' device.
    """
    first = next(iter(gradients[0].values()))
    products = first.new_zeros(len(gradients), len(gradients))
    for row, one in enumerate(gradients):
        for column, other in enumerate(gradients[: row + 1]):
            for weight in one:
                if weight in other:
                    products[row, column] += torch.dot(
                        one[weight].flatten(), other[weight].flatten()
                    )
    return products.tril() + products.tril(-1).T


def _weighted_sum(
    weight: nn.Parameter, gradients: Sequence[Gradients], factors: Sequence[float]
) -> Tensor | None:
    """The tasks' gradients of one parameter joined in place; the others are freed."""
    total: Tensor | None = None
    for kept, factor in zip(gradients, factors, strict=True):
        if weight in kept:
            own = kept.pop(weight)
            total = own.mul_(factor) if total is None else total.add_(own, alpha=factor)
    return total

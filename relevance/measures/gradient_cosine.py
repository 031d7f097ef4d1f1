"""Gradient cosine: tasks are alike that pull the shared weights in one direction."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError
from relevance.interfaces.probe import Probe
from relevance.measures._estimator import Cells, Estimator, cosines
from relevance.tasks.task import Task

BATCHES = (
    8  # of each task; as many steps on top of the trained ones, a fifth more where those are 40
)


class GradientCosine(Estimator):
    """Cosine between two tasks' gradients of the shared weights, at one model trained on all."""

    name = "gradient-cosine"
    settings: ClassVar = {"batches": BATCHES}

    def estimate(self, probe: Probe, tasks: Sequence[Task], seed: int) -> Cells:
        """Cosines, symmetric, ones on the diagonal; one model is trained on all tasks.

        A task without a gradient is refused.
        """
        names = [task.name for task in tasks]
        products = probe.gradient_products(names, batches=BATCHES, seed=seed)
        return gradient_cosines(products, names)


def gradient_cosines(
    products: Float[np.ndarray, "batch task task"], tasks: Sequence[str]
) -> Float[np.ndarray, "task task"]:
    """Cosines from inner products averaged over batches.

    Products are averaged first: a batch on which gradients are long says more.

    Args:
        products: One matrix of inner products for each batch of all tasks.
        tasks: Names, for the message.

    Returns:
        Values in [-1, 1].

    Raises:
        RelevanceError: If a gradient is zero on all batches, or not finite.
    """
    mean = products.mean(axis=0)
    lengths = np.diag(mean)
    for name, length in zip(tasks, lengths, strict=True):
        if not 0 < length < np.inf:
            raise RelevanceError(
                f"task '{name}': its gradient has a squared length of {length:g}, so it has no"
                " direction. Train with a lower `lr` or for fewer steps."
            )
    return cosines(mean)

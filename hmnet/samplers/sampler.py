"""What a sampler is: it says which batches are trained in which order.

A sampler yields steps. A step is one update of the weights, made from the batches in it: one batch
for Algorithm 1, one of every task where losses are summed.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

import hmnet.samplers
from relevance.registry import Registry


class TaskBatch(NamedTuple):
    """Some rows of one task's training split, run through the model together."""

    task: str
    rows: Int[np.ndarray, " row"]


Step = list[TaskBatch]


class Sampler(ABC):
    """An order of batches that depends on the arguments only, so that any epoch can be asked for.

    Args:
        sizes: Training rows per task, in the order of the tasks.
        batch_size: Rows per batch; a task's last batch holds what is left.
        epochs: How many epochs the run has.
        seed: Of every random choice.

    Attributes:
        version: Raised whenever the same arguments would give other steps.
    """

    version: int = 1

    def __init__(
        self, sizes: Mapping[str, int], *, batch_size: int, epochs: int, seed: int
    ) -> None:
        self.sizes = dict(sizes)
        self.batch_size = batch_size
        self.epochs = epochs
        self.seed = seed

    @abstractmethod
    def epoch(self, number: int) -> list[Step]:
        """The steps of one epoch.

        Args:
            number: 0 for the first epoch; epochs can be asked for in any order.

        Returns:
            The steps in the order they are trained.
        """


def schedule(sampler: Sampler, max_steps_per_task: int | None = None) -> list[list[Step]]:
    """Every step of a run.

    Args:
        sampler: Where the steps come from.
        max_steps_per_task: Each task takes its first N batches, counted over all epochs in the
            order they come; the rest of its batches are left out and other tasks go on.

    Returns:
        Steps by epoch; a step whose batches are all left out is no step, an epoch may have none.
    """
    taken: Counter[str] = Counter()

    def within_limit(batch: TaskBatch) -> bool:
        taken[batch.task] += 1
        return max_steps_per_task is None or taken[batch.task] <= max_steps_per_task

    epochs = []
    for number in range(sampler.epochs):
        steps = [[b for b in step if within_limit(b)] for step in sampler.epoch(number)]
        epochs.append([step for step in steps if step])
    return epochs


def generator(seed: int, *scope: str | int) -> np.random.Generator:
    """Random numbers that depend on a seed and on what they are for, and on nothing else.

    Args:
        seed: The run's.
        *scope: What the numbers are for, such as a task's name and the number of an epoch.

    Returns:
        A generator; other scopes get independent ones.

    >>> int(generator(0, "RTE").integers(1000)) == int(generator(0, "RTE").integers(1000))
    True
    """
    purpose = sha256(repr(scope).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(purpose[:8], "little")])


@cache
def samplers() -> Registry[Sampler]:
    """All samplers, by name."""
    return Registry("sampler", hmnet.samplers, Sampler)

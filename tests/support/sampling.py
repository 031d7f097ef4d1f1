"""Samplers over batches packed for tasks of given sizes, and what their steps hold."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from hmnet.samplers._packing import pack
from hmnet.samplers.sampler import Sampler, Step, samplers
from relevance.choice import choose

SIZES = {"RTE": 70, "CB": 3, "WNLI": 32}


def make(
    text: str,
    sizes: Mapping[str, int] = SIZES,
    *,
    epochs: int = 3,
    seed: int = 0,
    batch_size: int = 8,
) -> Sampler:
    """A sampler by name; with the default sizes RTE has 9 batches, CB 1 and WNLI 4."""
    batches = {
        task: pack(task, np.ones(size, dtype=int), batch_size=batch_size, seed=seed)
        for task, size in sizes.items()
    }
    return choose(samplers, text).build(batches, epochs=epochs, seed=seed)


def content(steps: list[Step]) -> list[list[tuple[str, list[int]]]]:
    """Steps as plain values."""
    return [[(task, rows.tolist()) for task, rows in step] for step in steps]


def rows_of(task: str, steps: list[Step]) -> list[list[int]]:
    """The rows of a task's batches, in the order they are trained."""
    return [batch.rows.tolist() for step in steps for batch in step if batch.task == task]


def counts(steps: list[Step]) -> Counter[str]:
    """How many batches of each task there are."""
    return Counter(batch.task for step in steps for batch in step)

"""Training rows that hold a text of another task's evaluation split, left out of a joint run."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from hmnet.prepared import PreparedTask
from hmnet.samplers.sampler import Step, TaskBatch
from relevance.errors import RelevanceError
from relevance.tasks.overlap import rows_with, shared_texts


def overlapping_rows(tasks: Mapping[str, PreparedTask]) -> dict[str, Int[np.ndarray, " _"]]:
    """Training rows that hold a text of another task's evaluation split.

    Args:
        tasks: Tasks of a run.

    Returns:
        Row numbers by task.

    Raises:
        RelevanceError: If these are all rows of a task.
    """
    rows = {}
    for name, task in tasks.items():
        train = task.train.rows
        others = (target for other, target in tasks.items() if other != name)
        shared = (shared_texts(train, target.held_out.rows) for target in others)
        rows[name] = rows_with(train, set[str]().union(*shared))
        if len(rows[name]) == len(train):
            raise RelevanceError(
                f"task '{name}': all {len(train)} training rows hold a text of the evaluation split"
                f" of {' or '.join(set(tasks) - {name})}. Leave out `drop_overlap`."
            )
    return rows


def without_rows(
    epochs: Sequence[Sequence[Step]], rows: Mapping[str, Int[np.ndarray, " _"]]
) -> list[list[Step]]:
    """Leave rows out of batches; a batch that loses all of them is left out.

    Args:
        epochs: Steps by epoch.
        rows: Row numbers to leave out, by task.

    Returns:
        Steps by epoch.
    """

    def kept(step: Step) -> Step:
        batches = [
            TaskBatch(task, batch[np.isin(batch, rows[task], invert=True)]) for task, batch in step
        ]
        return [batch for batch in batches if len(batch.rows)]

    return [[step for step in map(kept, steps) if step] for steps in epochs]

"""What a model says to all rows at once."""

from typing import Any

import numpy as np

from hmnet.data.template import Sequences
from hmnet.evaluation.evaluate import batches_of_logits
from hmnet.models.multitask import MultiTaskModel
from relevance.tasks.task import Task


def all_logits(model: MultiTaskModel, task: Task, encoded: Sequences, **options: Any) -> np.ndarray:
    """Logits of every row of a task with one answer per row, in the order of the rows."""
    found = np.empty((len(encoded), task.outputs), dtype=np.float32)
    for rows, logits in batches_of_logits(model, task, encoded, **options):
        found[rows] = logits
    return found

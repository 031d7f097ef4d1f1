"""What a model says to all rows at once, and what a run says on the command line."""

import json
from pathlib import Path

import numpy as np

from commands import done
from hmnet.data.batching import collate
from hmnet.data.template import Sequences
from hmnet.evaluation.evaluate import batches_by_length, inference
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import Precision
from relevance.tasks.task import Task


def all_logits(
    model: MultiTaskModel,
    task: Task,
    encoded: Sequences,
    *,
    batch_size: int,
    precision: Precision = "fp32",
) -> np.ndarray:
    """Logits of every row of a task with one answer per row, in the order of the rows."""
    found = np.empty((len(encoded), task.outputs), dtype=np.float32)
    with inference(model, precision):
        for rows in batches_by_length(encoded, batch_size):
            inputs = collate(encoded, rows, **model.input_form(task.name), device=model.device)
            found[rows] = model(task.name, inputs).float().cpu().numpy()
    return found


def check_answers_for_all(run: Path, tasks: tuple[str, ...]) -> None:
    """Asked for all tasks, a run answers as for each alone."""
    lines = [{"text": ["good film"]}, {"text": ["is it the dog", "no cat in the city"]}]
    stdin = "\n".join(map(json.dumps, lines)).encode()

    def answers(task: str) -> list[str]:
        asked = done("hmnet", "predict", run, "--task", task, "--input", "-", stdin=stdin)
        return asked.out.splitlines()

    alone = [answers(task) for task in tasks]
    assert answers("all") == [line for both in zip(*alone, strict=True) for line in both]

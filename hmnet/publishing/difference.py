"""How far what came back from the hub answers otherwise than what was sent."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from hmnet.backbones.auto import quiet
from hmnet.backbones.pretrained import read_model, tokenizer_of
from hmnet.evaluation.lines import TextLine, read_lines
from hmnet.evaluation.predict import logits_of
from hmnet.kinds.kind import kind_of
from hmnet.trained_run import TrainedRun
from relevance.tasks.task import Task

TRIED = (("a short text", "another one", "x"), ("the film is not bad at all", "it is good", "no"))


def run_difference(run: TrainedRun, other: TrainedRun) -> float:
    """Compare two runs over all tasks of the first.

    Args:
        run: A finished run.
        other: What should be the same run.

    Returns:
        Largest difference of logits; NaN where they have other shapes or numbers are missing.
    """
    found = [
        _difference(one, same)
        for task in run.tasks
        for one, same in zip(_run_logits(run, task), _run_logits(other, task), strict=True)
    ]
    return float(np.max(found))


def _run_logits(run: TrainedRun, task: Task) -> list[Any]:
    model = {task.name: run.model_for(task.name)}
    if kind_of(task).further is None:
        rows = [{"text": list(texts[: len(task.text)])} for texts in TRIED]
        lines = list(read_lines([task], rows, "input"))
    else:  # `text` cannot say alternatives and marks; a plain text is one, or has one
        lines = [TextLine({task.name: (*texts, "x")[: task.parts]}, {}) for texts in TRIED]
    return logits_of(model, [task], lines, run.tokenizer, max_length=run.config.max_length)[
        task.name
    ]


def checkpoint_difference(task: Task, folder: Path, other: Path) -> float:
    """Compare two plain checkpoints of one task.

    Args:
        task: The task.
        folder: A folder that `hmnet.models.export.export` wrote.
        other: What should be the same checkpoint.

    Returns:
        Largest difference of outputs; NaN where they have other shapes or numbers are missing.
    """
    outputs = zip(_outputs(task, folder), _outputs(task, other), strict=True)
    return float(np.max([_difference(one, same) for one, same in outputs]))


def _outputs(task: Task, folder: Path) -> list[Any]:
    with quiet(), torch.inference_mode():
        model, _ = read_model(folder, kind_of(task).auto)
        texts = TRIED[1][: min(len(task.text), 2)]
        read = tokenizer_of(folder)(*texts, return_tensors="pt", truncation=True)
        if kind_of(task).further == "alternatives":
            read = {name: ids.unsqueeze(0) for name, ids in read.items()}
        answer = model.eval()(**read)
    return [value.float().numpy() for value in answer.to_tuple() if torch.is_tensor(value)]


def _difference(one: Any, other: Any) -> float:
    """Largest difference of two arrays; NaN where they have other shapes or numbers are missing."""
    if one.shape != other.shape:
        return float("nan")
    return float(np.abs(one - other).max(initial=0.0))

"""Scores of a trained run on its evaluation splits, the majority class beside them."""

from collections.abc import Sequence

import numpy as np

from hmnet.devices import resolve_device
from hmnet.evaluation.evaluate import evaluate
from hmnet.precision import Precision, PrecisionName, resolve_precision
from hmnet.prepared import PreparedSplit
from hmnet.runs.folder import Run
from hmnet.runs.rows import rows_digest
from hmnet.runs.scores import Score
from relevance.errors import RelevanceError, unknown_name
from relevance.interfaces.trainer import Result
from relevance.stages import counted
from relevance.tasks.data import Split, TaskData
from relevance.tasks.load import load_diagnosis, task_folder
from relevance.tasks.metrics import majority
from relevance.tasks.task import Task


def score_run(
    run: Run,
    *,
    tasks: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
    precision: PrecisionName = "fp32",
    device: str = "auto",
    diagnoses: bool = False,
) -> list[Score]:
    """Score the tasks of a run.

    Args:
        run: Its models, settings and data are used.
        tasks: Names; None for every task.
        splits: Names of splits; tasks that have none of them are left out. None for all splits of
            every task.
        precision: Precision of the forward pass.
        device: `auto`, `cpu` or `cuda:N`.
        diagnoses: Whether to score, behind the tasks, the diagnostic sets that they answer and that
            have labelled rows.

    Returns:
        One per task, split and metric, with what the majority class scores as its `majority`, and
        the digest of its `rows`.

    Raises:
        RelevanceError: If data or models are no longer there, or no task has such a split.
    """
    place = resolve_device(device)
    settled = resolve_precision(precision, place)
    scores = []
    known: dict[str, None] = {}
    wanted = list(run.tasks) if tasks is None else [run.task(name) for name in tasks]
    if diagnoses and tasks is None:
        wanted = [*wanted, *(answered for answered, _ in run.diagnoses.values())]
    for task in counted(wanted, "tasks scored"):
        if task.name in run.diagnoses:
            data = _diagnosis(run, task, needed=tasks is not None)
        else:
            data = run.data(task.name, also=splits or ())
        known |= dict.fromkeys(data.evaluation)
        for name, split in data.evaluation.items():
            if splits is None or name in splits:
                result = answer_split(run, task, split, settled, place)
                constant = majority(task, data.train, split)
                scores += _scores(run, task, name, rows_digest(task, split), result, constant)
    for name in splits or ():
        if name not in known:
            raise unknown_name("split", name, known)
    return scores


def _diagnosis(run: Run, task: Task, *, needed: bool) -> TaskData:
    """The rows of a diagnostic set, beside the training rows of the task that answers it."""
    found = load_diagnosis(task, run.config.data.data_dir)
    if found is None and needed:
        raise RelevanceError(
            f"task '{task.name}': there are no rows with labels. Put test.parquet (or .csv, .tsv,"
            f" .jsonl) into {task_folder(task, run.config.data.data_dir)}."
        )
    if found is None:
        return TaskData(task, Split((), np.empty(0)), {})
    return TaskData(task, run.data(run.diagnoses[task.name][1].name).train, dict([found]))


def answer_split(run: Run, task: Task, split: Split, precision: Precision, device: str) -> Result:
    """Let a run answer a split of one of its tasks.

    Args:
        run: Its model and settings are used.
        task: The task, as the run defines it.
        split: The rows.
        precision: Precision of the forward pass.
        device: A name that torch takes.

    Returns:
        Answers, scores and losses.
    """
    prepared = PreparedSplit(split, run.encode(task, split))
    model, rows = run.model_for(task.name).to(device), run.config.batch_size
    return evaluate(model, task, prepared, batch_size=rows, precision=precision)


def _scores(
    run: Run, task: Task, split: str, rows: str, result: Result, constant: Result
) -> list[Score]:
    """A split's scores, the primary metric first, with those of a constant answer."""
    config, method = run.config, str(run.config.method)
    return [
        Score(
            run=config.label,
            method=method,
            task=task.name,
            split=split,
            metric=metric,
            seed=config.seed,
            value=value,
            majority=constant.metrics[metric],
            rows=rows,
        )
        for metric, value in result.metrics.items()
    ]

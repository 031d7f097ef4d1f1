"""Errors of a trained run: confusion matrices, and residuals of regression tasks."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from hmnet.analysis.confusion import Confusion, confusion
from hmnet.analysis.regression import RegressionDiagnosis, regression
from hmnet.devices import resolve_device
from hmnet.precision import PrecisionName, resolve_precision
from hmnet.runs.folder import Run
from hmnet.runs.score import answer_split
from relevance.errors import RelevanceError, unknown_name
from relevance.report.tables import Row
from relevance.stages import counted
from relevance.tasks.task import Task

Diagnosis: TypeAlias = Confusion | RegressionDiagnosis
KINDS = ("classification", "marked-words", "multiple-choice", "regression")
KNOWN = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"


def diagnose(
    run: Run,
    *,
    tasks: Sequence[str] | None = None,
    split: str | None = None,
    precision: PrecisionName = "fp32",
    device: str = "auto",
) -> list[Diagnosis]:
    """Set a run's answers against the truth.

    Args:
        run: A finished run.
        tasks: Names; None for all of the run's that have labels or values.
        split: Name of a split; None for all that a task is scored on.
        precision: Precision of the forward pass.
        device: `auto`, `cpu` or `cuda:N`.

    Returns:
        One per task and split, in the order of the run.

    Raises:
        RelevanceError: If the run has no such task or split, a task has neither labels nor values,
            or data or models are no longer there.
    """
    place = resolve_device(device)
    found: list[Diagnosis] = []
    known: dict[str, None] = {}
    for task in counted(_chosen(run, tasks), "tasks diagnosed"):
        data = run.data(task.name).evaluation
        known |= dict.fromkeys(data)
        for name, rows in data.items():
            if split not in {None, name}:
                continue
            result = answer_split(run, task, rows, resolve_precision(precision, place), place)
            if task.kind == "regression":
                truth = rows.labels.astype(np.float64)
                values = np.array(result.predictions, dtype=np.float64)
                found.append(regression(task.name, name, truth, values))
            else:
                codes = np.array(result.predictions, dtype=np.int64)
                # places of alternatives have no names
                most = max(*codes.tolist(), *rows.labels.tolist())
                places = (str(place + (task.first or 0)) for place in range(most + 1))
                labels = task.labels or tuple(places)
                found.append(confusion(task.name, name, labels, rows.labels, codes))
    if not found and split is not None:
        raise unknown_name("split", split, known)
    return found


def _chosen(run: Run, names: Sequence[str] | None) -> list[Task]:
    """The tasks that were named, or all that can be diagnosed."""
    if names is None:
        tasks = [task for task in run.tasks if task.kind in KINDS]
    else:
        tasks = [run.task(name) for name in names]
    for task in tasks:
        if task.kind not in KINDS:
            raise RelevanceError(
                f"Task '{task.name}' is of kind '{task.kind}', which has no confusion matrix and no"
                f" residuals. Name tasks of kind {KNOWN}."
            )
    if not tasks:
        raise RelevanceError(f"The run has no task of kind {KNOWN}.")
    return tasks


def label_rows(found: Iterable[Diagnosis]) -> list[Row]:
    """Precision, recall and F1 of every label, and their means, in percent.

    Args:
        found: Diagnoses of tasks; regression tasks are left out.

    Returns:
        Rows of one table.
    """
    return [
        {
            "task": one.task,
            "split": one.split,
            "label": scores.label,
            "precision": round(100 * scores.precision, 10),
            "recall": round(100 * scores.recall, 10),
            "F1": round(100 * scores.f1, 10),
            "rows": scores.rows,
        }
        for one in found
        if isinstance(one, Confusion)
        for scores in (*one.scores, one.macro)
    ]


def confusion_rows(found: Iterable[Diagnosis]) -> list[Row]:
    """Numbers of rows of every label that got every prediction.

    Args:
        found: Diagnoses of tasks; regression tasks are left out.

    Returns:
        Rows of one table.
    """
    return [
        {"task": one.task, "split": one.split, "label": label, "predicted": other, "rows": rows}
        for one in found
        if isinstance(one, Confusion)
        for label, counts in zip(one.labels, one.counts.tolist(), strict=True)
        for other, rows in zip(one.labels, counts, strict=True)
    ]


def regression_rows(found: Iterable[Diagnosis]) -> list[Row]:
    """Errors and regression lines of regression tasks on their own scales; accuracy in percent.

    Args:
        found: Diagnoses of tasks; classification tasks are left out.

    Returns:
        Rows of one table; None where there is no line.
    """
    rows: list[Row] = []
    for one in found:
        if isinstance(one, RegressionDiagnosis):
            line, residuals = one.line, one.residual_line
            numbers: dict[str, Any] = {
                "RMSE": one.rmse,
                "MAE": one.mae,
                "R2": one.r2,
                "accuracy, rounded": round(100 * one.accuracy, 10),
                "slope": line and line.slope,
                "intercept": line and line.intercept,
                "residual slope": residuals and residuals.slope,
                "residual intercept": residuals and residuals.intercept,
                "rows": len(one.truth),
            }
            rows.append({"task": one.task, "split": one.split, **numbers})
    return rows

"""Scores of a run: one row per task, split and metric, in `scores.csv`, and how they are shown."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from relevance.disk.files import read_text
from relevance.disk.manifest import check_file
from relevance.errors import RelevanceError
from relevance.escaping import from_csv
from relevance.numerals import decimal_number, whole_number
from relevance.report.tables import table
from relevance.tasks.task import Task

MAJORITY = "majority"
MISMATCHED = "dev_mismatched"


@dataclass(frozen=True)
class Score:
    """One number of one run.

    Attributes:
        run: Name of the run; runs of one name are seeds of one column in comparisons.
        method: How the model shares its layers; `majority` in rows of a file that hold what answers
            without reading score.
        task: The task's name.
        split: What it was scored on, such as `dev`.
        metric: Name of the metric.
        seed: Seed of the run.
        value: A fraction in [0, 1], or a correlation in [-1, 1].
        majority: What the majority class scores on the same rows; None where it is not known, or
            stands in a row of its own.
        rows: Digest of the rows that it is of, as `hmnet.runs.rows.rows_digest` makes it;
            None where it is not known.
    """

    run: str
    method: str
    task: str
    split: str
    metric: str
    seed: int
    value: float
    majority: float | None = None
    rows: str | None = None


COLUMNS = ("run", "method", "task", "split", "metric", "seed", "value")


def as_rows(scores: Iterable[Score]) -> list[Score]:
    """Scores as a table has them: what the majority class scores in rows of its own.

    Args:
        scores: Any.

    Returns:
        The scores, each task's followed by rows of method and run `majority`.
    """
    rows: list[Score] = []
    for _, of_task in groupby(scores, key=lambda score: (score.run, score.seed, score.task)):
        several = list(of_task)
        rows += [replace(score, majority=None) for score in several]
        rows += [
            replace(score, run=MAJORITY, method=MAJORITY, value=score.majority, majority=None)
            for score in several
            if score.majority is not None
        ]
    return rows


def from_rows(rows: Iterable[Score]) -> list[Score]:
    """Scores with what the majority class scores beside each, as `as_rows` was given them.

    Args:
        rows: Rows of a table, those of the majority class among them.

    Returns:
        The scores of runs.
    """
    several = list(rows)
    majority = {
        (row.seed, row.task, row.split, row.metric): row.value
        for row in several
        if row.method == MAJORITY
    }
    return [
        replace(row, majority=majority.get((row.seed, row.task, row.split, row.metric)))
        for row in several
        if row.method != MAJORITY
    ]


def scores_text(scores: Iterable[Score]) -> str:
    """A table of scores as CSV.

    Args:
        scores: What stands in it; the majority class gets rows of its own.

    Returns:
        What `read_scores` reads.
    """
    rows = [{name: getattr(score, name) for name in COLUMNS} for score in as_rows(scores)]
    return table(rows, "csv")


def read_scores(path: Path) -> list[Score]:
    """Read a table of scores.

    Args:
        path: A table as `scores_text` makes it; further columns are ignored.

    Returns:
        The rows.

    Raises:
        RelevanceError: If it cannot be read, lacks a column, or has something else than a number
            where one belongs, or is not what was written.
    """
    check_file(path)
    reader = csv.DictReader(io.StringIO(read_text(path)))
    try:
        if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
            raise RelevanceError(
                f"{path}: column '{missing[0]}' is missing. Expected: {', '.join(COLUMNS)}."
            )
        return [_to_score(row, f"{path}, row {n}") for n, row in enumerate(reader, start=1)]
    except csv.Error as error:
        raise RelevanceError(f"{path}, line {reader.line_num}: {error}.") from None


def primary_on_dev(
    scores: Iterable[Score], tasks: Iterable[Task], folder: Path
) -> dict[str, float]:
    """What a run scored on dev.

    Args:
        scores: Scores of the run.
        tasks: Definitions of its tasks.
        folder: Folder of the run, for the message.

    Returns:
        Each task's primary metric, a fraction.

    Raises:
        RelevanceError: If a task has none.
    """
    known = {
        (score.task, score.metric): score.value
        for score in scores
        if score.method != MAJORITY and score.split == "dev"
    }
    try:
        return {task.name: known[task.name, task.metrics[0]] for task in tasks}
    except KeyError as error:
        raise RelevanceError(f"{folder} has no score on dev of {error.args[0][0]}.") from None


def _to_score(row: Mapping[str, str], where: str) -> Score:
    cells = [from_csv(row[column] or "") for column in COLUMNS]
    run, method, task, split, metric, seed, value = cells
    whole, number = whole_number(seed), decimal_number(value)
    if whole is None or number is None:
        raise RelevanceError(f"{where}: seed '{seed}' and value '{value}' must be numbers.")
    return Score(run, method, task, split, metric, whole, number)


def row_name(task: str, split: str, splits: Iterable[str]) -> str:
    """What a task's score on one of its splits is called where a person reads it.

    Args:
        task: The task's name.
        split: The split that was scored.
        splits: All splits of the task that were scored.

    Returns:
        The task's name; with its split where that is not `dev`.

    >>> row_name("RTE", "dev", ["dev"]), row_name("RTE", "holdout", ["holdout"])
    ('RTE', 'RTE (holdout)')
    >>> row_name("MNLI", "dev", ["dev", "dev_mismatched_1k"])
    'MNLI-m'
    >>> row_name("MNLI", "dev_mismatched_1k", ["dev", "dev_mismatched_1k"])
    'MNLI-mm'
    """
    if split.startswith(MISMATCHED):
        return f"{task}-mm"
    if split != "dev":
        return f"{task} ({split})"
    return f"{task}-m" if any(other.startswith(MISMATCHED) for other in splits) else task


def counts(split: str, splits: Sequence[str]) -> bool:
    """Whether a split has a part in averages: a task's first, and the second one of MNLI.

    Args:
        split: A split that was scored.
        splits: All splits of the task that were scored, in their order.

    Returns:
        Whether it counts.

    >>> [counts(split, ["dev", "test"]) for split in ("dev", "test")]
    [True, False]
    >>> counts("dev_mismatched", ["dev", "dev_mismatched"])
    True
    """
    return split == splits[0] or split.startswith(MISMATCHED)


def splits_of(scores: Sequence[Score]) -> dict[str, list[str]]:
    """The splits that each task was scored on, both in the order of the rows."""
    found: dict[str, dict[str, None]] = {}
    for score in scores:
        found.setdefault(score.task, {})[score.split] = None
    return {task: list(splits) for task, splits in found.items()}

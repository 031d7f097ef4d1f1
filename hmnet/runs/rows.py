"""Which rows a run was scored on, kept beside its scores: only what is alike is compared."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from hmnet.runs.checked import has_old_loss
from hmnet.runs.folder import ADDED, CLUSTERS, CONFIG, LOG, RECORDS, SCORES, Run
from hmnet.runs.scores import Score, read_scores, scores_text
from relevance.disk.files import digest, read_json, validated, write_json, write_text
from relevance.disk.manifest import check_file, write_manifest
from relevance.names import some
from relevance.tasks.data import Split
from relevance.tasks.task import Task

ROWS, SCHEMA = "rows.json", "hmnet.rows/1"

MEANING = {"kind", "labels", "range", "group", "positive", "unanswerable"}
"""What of a task's definition says what a label stands for and how answers are scored."""


class _Rows(BaseModel):
    """The file's content: digests by task and split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: dict[str, dict[str, str]] = Field(default_factory=dict)


def rows_digest(task: Task, split: Split) -> str:
    """What a score depends on beside the model's answers.

    Args:
        task: The definition by which the rows are read.
        split: The rows that are scored.

    Returns:
        Hexadecimal sha256 of texts, labels, groups and what the definition says about labels. Equal
        for two runs exactly if their scores can be compared.
    """
    meaning = task.model_dump(mode="json", include=MEANING)
    return digest({"meaning": meaning, "rows": split.fingerprint})


def write_rows(path: Path, scores: Iterable[Score]) -> None:
    """Write which rows scores are of.

    Args:
        path: Such as `run/rows.json`; an older one is replaced.
        scores: Scores; those that know their rows are written.

    Raises:
        RelevanceError: If it cannot be written.
    """
    rows: dict[str, dict[str, str]] = {}
    for score in scores:
        if score.rows is not None:
            rows.setdefault(score.task, {})[score.split] = score.rows
    write_json(path, SCHEMA, {"rows": rows})


def write_results(run: Run, scores: Sequence[Score]) -> None:
    """Write which rows a run was scored on, digests of what is beside its models, and its scores.

    The scores come last, as they make the folder a finished run.

    Args:
        run: Its models are there; its settings may be written later.
        scores: Scores of all its tasks.

    Raises:
        RelevanceError: If it cannot be written.
    """
    write_rows(run.folder / ROWS, scores)
    text = scores_text(scores)
    coming = {CONFIG: run.config.toml_text(), SCORES: text}
    write_manifest(run.folder, (ADDED, CLUSTERS, LOG, RECORDS, ROWS), coming)
    write_text(run.folder / SCORES, text)


def read_run_scores(folder: Path) -> list[Score]:
    """Read the scores of a run, each with the digest of its rows.

    Args:
        folder: A finished run.

    Returns:
        The scores; those of a run of an older version don't know their rows.

    Raises:
        RelevanceError: If a file is missing or damaged.
    """
    scores = read_scores(folder / SCORES)
    if not (folder / ROWS).is_file():
        return scores
    check_file(folder / ROWS)
    known = validated(_Rows, read_json(folder / ROWS, SCHEMA), str(folder / ROWS)).rows
    return [replace(s, rows=known.get(s.task, {}).get(s.split)) for s in scores]


def unrecorded(scores: Iterable[Score]) -> list[str]:
    """Tasks whose scores don't know the rows that they are of.

    Args:
        scores: Scores of a run, as `read_run_scores` gives them.

    Returns:
        Names, each once: tasks that were scored by an older version.
    """
    return list(dict.fromkeys(score.task for score in scores if score.rows is None))


def warn_of_changed(folder: Path, task: Task, splits: Mapping[str, Split]) -> None:
    """Warn where rows are others than those that a run was scored on when it was trained.

    Args:
        folder: The run's.
        task: The definition by which it reads them.
        splits: Rows by split as they are now; splits that it was not scored on may be among them.

    Raises:
        RelevanceError: If a file of the run is missing or damaged.
    """
    scores = read_run_scores(folder)
    known = {score.split: score.rows for score in scores if score.task == task.name and score.rows}
    changed = [
        name
        for name, rows in splits.items()
        if name in known and known[name] != rows_digest(task, rows)
    ]
    if changed:
        warnings.warn(
            f"The data has changed since {folder} was trained: '{task.name}' has other rows in"
            f" {some(changed)}. Where dev is a share of the training rows, some of them may have"
            " been trained on.",
            stacklevel=3,
        )


def notes_on(runs: Sequence[Run]) -> list[str]:
    """What sets runs apart that stand side by side, beside what they are compared for.

    Args:
        runs: Finished runs.

    Returns:
        Sentences: on numbers of epochs that differ, runs that don't know their rows, and runs under
        the regression loss of older versions.
    """
    notes = []
    epochs: dict[str, set[int]] = {}
    for run in runs:
        epochs.setdefault(run.config.label, set()).add(run.config.epochs)
    if len(set.union(*epochs.values())) > 1:
        counts = (f"{name} {', '.join(map(str, sorted(of)))}" for name, of in epochs.items())
        notes.append(f"Numbers of epochs differ: {'; '.join(counts)}.")
    old = [str(run.folder) for run in runs if unrecorded(read_run_scores(run.folder))]
    if old and len(runs) > 1:
        notes.append(
            "Scored by older versions, which kept no record of the rows, so that they could be told"
            f" apart by the majority class only: {', '.join(old)}."
        )
    other_loss = [str(run.folder) for run in runs if has_old_loss(run.folder, run.tasks)]
    if other_loss:
        notes.append(
            "Trained by older versions, whose loss of regression tasks lay on [0, 1] and not on a"
            f" task's own scale: {', '.join(other_loss)}."
        )
    return notes

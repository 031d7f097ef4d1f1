"""Rows of a task's files as they stand, one after another: for what reads texts and no labels."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from relevance.errors import RelevanceError, shown
from relevance.names import some
from relevance.tasks.kinds.classification import label_text
from relevance.tasks.load import load_split, own_files, split_file, split_names
from relevance.tasks.read import AS_NAMED, ReadOptions, read_rows
from relevance.tasks.subset import dev_rows
from relevance.tasks.task import Task

Row = Mapping[str, Any]
"""Cells by column."""


def file_rows(task: Task, path: Path) -> Iterator[Row]:
    """The rows of a file that belongs to a task, one after another.

    Args:
        task: The definition; where its `source` names files, that says what the file calls its
            columns and what form it has.
        path: The file.

    Yields:
        An object for each row, under the task's names for its columns and the file's for others.

    Raises:
        RelevanceError: If the file cannot be read, or a row is no object.
    """
    source = task.source if own_files(task) else None
    options = AS_NAMED if source is None else ReadOptions.of(source, task.columns)
    unnamed = () if source is None or source.header else task.inputs
    # with a header all columns are read, and those that the task has other names for are renamed
    asked = options if unnamed else ReadOptions(form=options.form)
    for number, row in enumerate(read_rows(path, unnamed, asked), start=1):
        if not isinstance(row, dict):
            raise RelevanceError(f"{path}, row {number}: expected a JSON object, got {shown(row)}.")
        yield row | {own: row[name] for own, name in options.names.items() if name in row}


def split_rows(
    task: Task, split: str, data_dir: Path | None
) -> tuple[Path, Iterator[tuple[int, Row]]]:
    """The rows of a split, labelled or not: no label is looked at but to draw a share of rows.

    Args:
        task: The definition.
        split: Name, such as `test`; of a folder's files any.
        data_dir: Folder with one folder per task; None for `tasks/` in the cache.

    Returns:
        The file, and its rows with their numbers in it, from 1. Rows that the task's `source` drops
        for their label, or that belong to another split of the same file, are left out.

    Raises:
        RelevanceError: If there is no such split, or, with the row, where the file cannot be read.
    """
    known = split_names(task, data_dir)
    path = split_file(task, split, data_dir) if split in known else None
    if path is None:
        listed = f"It has {some(known)}." if known else "There is no file of it."
        raise RelevanceError(f"task '{task.name}' has no split {shown(split)}. {listed}")
    return path, _rows_of(task, split, path, data_dir)


def _rows_of(
    task: Task, split: str, path: Path, data_dir: Path | None
) -> Iterator[tuple[int, Row]]:
    source = task.source if own_files(task) else None
    drop = frozenset(() if source is None else source.drop)
    rows = (
        (number, row)
        for number, row in enumerate(file_rows(task, path), start=1)
        if not drop or label_text(row.get(task.label)) not in drop
    )
    if source is None or source.share is None or split not in {"train", "dev"}:
        yield from rows
        return
    undivided = source.model_copy(update={"dev": source.train, "seed": None})
    whole = load_split(task.model_copy(update={"source": undivided}), "train", data_dir)
    left, held = dev_rows(whole, source.share, source.seed or 0)
    chosen = set((left if split == "train" else held).tolist())
    yield from (found for place, found in enumerate(rows) if place in chosen)

"""From the hub to files in uniform columns, through `datasets`."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relevance.errors import RelevanceError
from relevance.files import replacing
from relevance.tasks.check import to_split
from relevance.tasks.kinds.classification import label_text
from relevance.tasks.kinds.kind import kind_of
from relevance.tasks.task import Source, Task

if TYPE_CHECKING:
    from datasets import Dataset


def prepare(task: Task, out_dir: Path) -> list[Path]:
    """Fetch a task from the hub and write its splits to `<out_dir>/<slug>/<split>.parquet`.

    Columns and label codes are the task's own; rows that the dataset leaves without a label (null,
    or -1 where labels are classes) are left out. Nothing is written unless every split is in order.

    Args:
        task: One whose source is a hub dataset.
        out_dir: Folder with one folder per task, such as `data_cache/tasks`.

    Returns:
        The files, `train.parquet` first.

    Raises:
        RelevanceError: If the task has no hub source, the hub is out of reach and the dataset in no
            local cache, it lacks a split or column, a label is none of the task's, or the
            folder cannot be written.
    """
    import pyarrow.parquet as pq
    from pyarrow import table

    source = task.source
    if source is None or source.hub is None:
        raise RelevanceError(
            f"task '{task.name}' names no hub dataset to fetch. Put its files into"
            f" {out_dir / task.slug}, or name them in its `source`."
        )
    fetched = _fetch(task, source, source.hub, out_dir)
    names = {"train": "train", "dev": "validation"} | source.splits | source.extra
    splits = {}
    for split, name in names.items():
        where = f"task '{task.name}': {source.hub}, split '{name}'"
        if name not in fetched:
            raise RelevanceError(f"{where}: no such split. It has {', '.join(fetched)}.")
        splits[split] = _columns(task, source, fetched[name], where)
    written = [out_dir / task.slug / f"{split}.parquet" for split in splits]
    for path, columns in zip(written, splits.values(), strict=True):
        with replacing(path) as temporary:
            pq.write_table(table(columns), temporary)
    return written


def _fetch(task: Task, source: Source, hub: str, out_dir: Path) -> "Mapping[str, Dataset]":
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    try:
        with _quiet("huggingface_hub"):
            fetched: Mapping[str, Dataset] = load_dataset(
                hub, source.config, revision=source.revision
            )
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:  # the last for scripts
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        raise RelevanceError(
            f"task '{task.name}' cannot be fetched from {hub}: {reason}. Where there is no network,"
            f" put train.parquet and dev.parquet into {out_dir / task.slug} yourself."
        ) from None
    return fetched


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a library's warnings about each of its retries off the terminal."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _columns(task: Task, source: Source, dataset: "Dataset", where: str) -> dict[str, Any]:
    """The task's columns, and further ones that its source renames, in plain types."""
    flat = dataset.flatten()
    held = dict.fromkeys((*flat.column_names, *dataset.column_names))
    renamed = {source.columns.get(name, name): name for name in held}
    wanted = dict.fromkeys((*task.text, *task.group, *source.columns.values(), task.label))
    for column in wanted:
        if column not in renamed:
            raise RelevanceError(
                f"{where}: no column is '{column}'. Columns: {', '.join(flat.column_names)}."
            )
    whole, parts = (each.with_format("arrow")[:] for each in (dataset, flat))
    columns = {
        column: (whole if name in dataset.column_names else parts)[name].to_pylist()
        for column, name in ((column, renamed[column]) for column in wanted)
    }
    if task.labels:
        names = _label_names({**flat.features, **dataset.features}[renamed[task.label]])
        columns[task.label] = [_label(source, names, label) for label in columns[task.label]]
    kept = [row for row, label in enumerate(columns[task.label]) if label is not None]
    columns = {column: [values[row] for row in kept] for column, values in columns.items()}
    labels = to_split(task, columns, where).labels
    return columns | ({task.label: labels} if kind_of(task).per_row else {})


def _label_names(feature: Any) -> list[str] | None:
    """Names of classes, where the column holds classes or lists of them."""
    return getattr(getattr(feature, "feature", feature), "names", None)


def _label(source: Source, names: list[str] | None, value: Any) -> Any:
    """A label's name in the task's own words, as the hub's codes need not be in its order."""
    if value is None or value == -1:
        return None
    if isinstance(value, list):
        return [_label(source, names, each) for each in value]
    name = names[value] if names else label_text(value)
    return source.labels.get(name, name)

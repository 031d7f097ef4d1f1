"""Fetching tasks from the hub into files of uniform columns, through `datasets`."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from relevance.disk.files import replacing
from relevance.disk.folders import alone
from relevance.errors import MOST_LISTED, RelevanceError, shown
from relevance.names import below
from relevance.tasks.benchmark_files import hub_mrqa_answers
from relevance.tasks.check import to_split
from relevance.tasks.hub_labels import HubLabels, class_names
from relevance.tasks.kinds.kind import kind_of
from relevance.tasks.labels import LabelNames
from relevance.tasks.source import Source, source_columns
from relevance.tasks.subset import dev_rows
from relevance.tasks.task import Task

if TYPE_CHECKING:
    from datasets import Dataset


MRQA_COLUMNS = ("context", "detected_answers", "answers")


class WrittenSplit(NamedTuple):
    """One split as it was written.

    Attributes:
        task: Name of the task.
        path: The file.
        rows: Number of rows in it.
        left_out: Number of rows that the dataset leaves without a label, by what stands in place
            of one: `null`, `nan` or `-1`.
        labelled: Whether the rows have labels; the test splits of some benchmarks have none.
    """

    task: str
    path: Path
    rows: int
    left_out: Mapping[str, int]
    labelled: bool = True

    def __str__(self) -> str:
        before = f"task '{self.task}', {self.path.stem}: {self.rows:,} rows"
        if not self.labelled:
            return f"{before}, all without a label; they can be predicted and not scored"
        if not self.left_out:
            return f"{before}, none left out"
        why = " and ".join(f"{count:,} with {label}" for label, count in self.left_out.items())
        number = f"{sum(self.left_out.values()):,}"
        return f"{before}, {number} left out because they have no label ({why})"


class _Columns(NamedTuple):
    """A split before it is written: cells by the task's names for the columns."""

    cells: dict[str, list[Any]]
    left_out: Mapping[str, int]
    labelled: bool = True

    def take(self, rows: Iterable[int]) -> "_Columns":
        rows = list(rows)
        cells = {name: [values[row] for row in rows] for name, values in self.cells.items()}
        return self._replace(cells=cells)


def prepare_task(task: Task, out_dir: Path) -> list[WrittenSplit]:
    """Fetch a task from the hub and write its splits to `<out_dir>/<slug>/<split>.parquet`.

    Columns and label codes are the task's own. Rows that the dataset leaves without a label (null,
    NaN, or -1 where labels are classes and none of the task's is called -1) are left out; a `test`
    split that has no label at all is kept without. Nothing is written unless every split is in
    order.

    Args:
        task: A task whose source is a hub dataset.
        out_dir: Folder with one folder per task, such as `data_cache/tasks`.

    Returns:
        The splits that were written, `train` first, with the numbers of rows left out.

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
    # Everything is fetched and checked before the first file is written.
    splits = _splits(task, source, _fetch(task, source, source.hub, out_dir))
    written = {split: below(out_dir, task.slug, f"{split}.parquet") for split in splits}
    with alone(out_dir / task.slug):
        for split, path in written.items():
            with replacing(path) as temporary:
                pq.write_table(table(splits[split].cells), temporary)
    return [
        WrittenSplit(task.name, path, len(each.cells[task.text[0]]), each.left_out, each.labelled)
        for path, each in zip(written.values(), splits.values(), strict=True)
    ]


def _splits(task: Task, source: Source, fetched: "Mapping[str, Dataset]") -> dict[str, _Columns]:
    """All splits that the source names, by the task's names for them."""
    names = {"train": "train", "dev": "validation"} | source.splits | source.extra
    if task.diagnoses:
        names = {}
    if source.test is not None:
        names["test"] = source.test
    if source.share is not None:
        del names["dev"]
    splits = {}
    for split, name in names.items():
        where = f"task '{task.name}': {source.hub}, split '{name}'"
        if name not in fetched:
            raise RelevanceError(f"{where}: no such split. It has {', '.join(fetched)}.")
        optional = split.startswith("test_") or (split == "test" and source.test is not None)
        splits[split] = _columns(task, source, fetched[name], where, label_optional=optional)
    if source.share is not None:
        where = f"task '{task.name}': {source.hub}, split '{names['train']}'"
        whole = to_split(task, splits["train"].cells, where)
        left, held = dev_rows(whole, source.share, source.seed or 0)
        splits = {
            "train": splits["train"].take(left.tolist()),
            "dev": splits["train"].take(held.tolist()),
            **{split: columns for split, columns in splits.items() if split != "train"},
        }
    return splits


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


def _columns(
    task: Task, source: Source, dataset: "Dataset", where: str, *, label_optional: bool = False
) -> _Columns:
    """The task's columns, and further ones that its source renames, in plain types."""
    if source.where:
        dataset = _chosen(dataset, source, where)
    is_mrqa = source.format == "mrqa"
    flat = dataset.flatten()
    held = dict.fromkeys((*flat.column_names, *dataset.column_names))
    names = source_columns(source, task.columns)
    for column, name in names.items():
        if name not in held:
            called = "" if name == column else f", which the task calls '{column}'"
            raise RelevanceError(
                f"{where}: no column is '{name}'{called}. Columns: {', '.join(flat.column_names)}."
            )
    read = {*names.values(), *(MRQA_COLUMNS if is_mrqa else ())}
    whole, parts = (
        each.select_columns([name for name in each.column_names if name in read]).with_format(
            "arrow"
        )[:]
        for each in (dataset, flat)
    )
    cells = {
        column: (whole if name in dataset.column_names else parts)[name].to_pylist()
        for column, name in names.items()
    }
    if is_mrqa:
        cells[task.label] = _mrqa_labels(whole, where)
    feature = {**flat.features, **dataset.features}[names[task.label]]
    labels = HubLabels(task, source, class_names(feature), where)
    missing = [labels.missing(label) for label in cells[task.label]]
    if label_optional and missing and (all(missing) or labels.kept_back(cells[task.label])):
        cells[task.label] = [None] * len(missing)
        to_split(task, cells, where, text_only=True)
        return _Columns(cells, {}, labelled=False)
    columns = _Columns(cells, Counter(each for each in missing if each))
    columns = columns.take(row for row, each in enumerate(missing) if not each)
    columns.cells[task.label] = [labels.name(label) for label in columns.cells[task.label]]
    checked = to_split(task, columns.cells, where).labels
    known = LabelNames(task.labels)
    if kind_of(task).per_row and all(known.code(c) == c for c in range(len(task.labels))):
        # codes, as files hold them; names stay where one is a number and would be taken for a code
        columns.cells[task.label] = checked.tolist()
    return columns


def _chosen(dataset: "Dataset", source: Source, where: str) -> "Dataset":
    """The rows that have every value which the source names."""
    import numpy as np

    chosen = np.ones(len(dataset), dtype=bool)
    for column, value in source.where.items():
        if column not in dataset.column_names:
            raise RelevanceError(
                f"{where}: no column is '{column}', by which `where` chooses rows. Columns:"
                f" {', '.join(dataset.column_names)}."
            )
        values = np.array([str(each) for each in dataset[column]])
        if value not in values:
            there = ", ".join(map(shown, np.unique(values)[:MOST_LISTED].tolist()))
            raise RelevanceError(
                f"{where}: no row has '{value}' as its '{column}', as `where` wants it. There are:"
                f" {there}."
            )
        chosen &= values == value
    return dataset.select(np.flatnonzero(chosen))


def _mrqa_labels(table: Any, where: str) -> list[dict[str, Any]]:
    """Answers in SQuAD's form from MRQA's columns."""
    if lacks := [name for name in MRQA_COLUMNS if name not in table.column_names]:
        raise RelevanceError(
            f"{where}: no column is '{lacks[0]}', which MRQA's form has. Columns:"
            f" {', '.join(table.column_names)}."
        )
    contexts, detected, accepted = (table[name].to_pylist() for name in MRQA_COLUMNS)
    return [
        hub_mrqa_answers(context, found, others, f"{where}, row {number}")
        for number, (context, found, others) in enumerate(
            zip(contexts, detected, accepted, strict=True), start=1
        )
    ]

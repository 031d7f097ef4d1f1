"""Tables for `relevance tasks`: the tasks themselves, and the sizes of their splits."""

from collections.abc import Iterable, Sequence

from relevance.tasks.data import DataOptions
from relevance.tasks.find import catalogue
from relevance.tasks.kinds.classification import BINARY_METRICS
from relevance.tasks.load import load_split, own_files, split_file
from relevance.tasks.task import Source, Task

SHORT_REVISION = 7


def overview(tasks: Sequence[Task]) -> list[dict[str, str]]:
    """A row per task by column title: family, kind, metrics, licence and source of the data."""
    return [
        {
            "task": task.name,
            "family": task.family,
            "kind": task.kind,
            "metrics": ", ".join(_metric(task, name) for name in task.metrics),
            "licence": task.licence,
            "source": _source(task.source),
        }
        for task in tasks
    ]


def f1_labels(tasks: Iterable[Task], *, primary: bool = False) -> list[str]:
    """Notes on the label that F1 scores, for tasks that leave doubt about it.

    Args:
        tasks: Tasks such as those of a run.
        primary: Whether to keep to tasks whose primary metric it is.

    Returns:
        A statement for each task of the user's own that has `f1` or `f1a`; none for those of the
        catalogue, whose F1 is that of the literature.
    """
    known = catalogue()
    found = dict.fromkeys(
        f"{metric} of {task.name} is that of the label '{task.labels[task.positive_code]}'"
        for task in tasks
        for metric in dict.fromkeys(task.metrics[:1] if primary else (*task.metrics, *task.gain))
        if metric in BINARY_METRICS
        and (task.name not in known or known[task.name].labels != task.labels or task.positive)
    )
    return list(found)


def _metric(task: Task, name: str) -> str:
    """A metric's name, with the label that it scores for F1."""
    if name not in BINARY_METRICS:
        return name
    return f"{name} ({task.labels[task.positive_code]})"


def _source(source: Source | None) -> str:
    if source is None:
        return "`data_dir`"
    if source.hub is None:
        dev = source.dev if source.share is None else f"{source.share:.0%} of it as dev"
        return f"{source.train}, {dev}"
    config = f" {source.config}" if source.config else ""
    revision = f" @{source.revision[:SHORT_REVISION]}" if source.revision else ""
    return f"{source.hub}{config}{revision}"


def sizes(tasks: Sequence[Task], options: DataOptions) -> list[dict[str, str]]:
    """One row per task: family, rows of its training, dev and test split, labels, metrics.

    Args:
        tasks: The tasks to list.
        options: Folder of the files and limits of rows.

    Returns:
        Rows by column title, in the order of the tasks; a dash for a split that is not there.
        Regression counts as one label, as in the paper.

    Raises:
        RelevanceError: If a file that is there cannot be read.

    Source:
        Fei et al. (2022), Table 4.
    """
    return [
        {
            "task": task.name,
            "family": task.family,
            **{split: _rows(task, split, options) for split in ("train", "dev", "test")},
            "labels": str(len(task.labels) or 1),
            "metrics": "/".join(task.metrics),
        }
        for task in tasks
    ]


def _rows(task: Task, split: str, options: DataOptions) -> str:
    known = own_files(task)
    if (known and split not in known) or split_file(task, split, options.data_dir) is None:
        return "-"
    limit = options.max_train if split == "train" else options.max_dev
    rows = len(load_split(task, split, options.data_dir, text_only=True))
    return f"{rows if limit is None else min(rows, limit):,}"

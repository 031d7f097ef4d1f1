"""Loading a task's splits, with every check that can be made before training starts."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Literal

from relevance.disk.files import cache_dir
from relevance.errors import RelevanceError, told_of, unknown_name
from relevance.tasks.check import to_split
from relevance.tasks.data import DataOptions, Split, TaskData
from relevance.tasks.kinds.kind import kind_of
from relevance.tasks.packed import Packed
from relevance.tasks.read import AS_NAMED, FORMATS, SPLIT_SUFFIXES, ReadOptions, read_columns
from relevance.tasks.source import Source, renamed_labels, without
from relevance.tasks.subset import dev_share, hold_out, subset
from relevance.tasks.task import Task, slug_of


def load_task(
    task: Task,
    options: DataOptions,
    *,
    gain_split: Literal["dev", "holdout"] | None = None,
    also: Sequence[str] = (),
) -> TaskData:
    """A task with its training split and what it is scored on, cut to the sizes asked for.

    Args:
        task: The definition.
        options: Folder of the files and limits of rows.
        gain_split: Split to score: None for every evaluation split there is; `dev` for that one
            alone; `holdout` for 20 % of the training rows, taken away before `max_train` applies
            to the rest.
        also: Names of splits that are loaded beside those that are always scored, such as `test`;
            one that the task has no file for is left out.

    Returns:
        The task's data.

    Raises:
        RelevanceError: If a file is missing or wrong, a limit is below 1, the share is none, or the
            hold-out would have fewer than 2 rows.
    """
    for option, limit in (("max_train", options.max_train), ("max_dev", options.max_dev)):
        if limit is not None and limit < 1:
            raise RelevanceError(f"`{option}` must be at least 1, got {limit}.")
    if not 0 < options.share <= 1:
        raise RelevanceError(f"`share` must be above 0 and at most 1, got {options.share:g}.")
    train = load_split(task, "train", options.data_dir)
    if gain_split == "holdout":
        with told_of(f"task '{task.name}'"):
            train, held = hold_out(train, options.max_dev)
        return TaskData(task, _limited(train, options), {"holdout": held})
    names = ("dev",) if gain_split == "dev" else evaluation_splits(task, options)
    names = (*names, *(each for each in also if each not in names and _has(task, each, options)))
    evaluation = {
        name: subset(load_split(task, name, options.data_dir), options.max_dev) for name in names
    }
    return TaskData(task, _limited(train, options), evaluation)


def _limited(train: Split, options: DataOptions) -> Split:
    """The training rows within the limits: a smaller share is part of every larger one."""
    kept = subset(train, options.max_train)
    return kept if options.share == 1 else subset(kept, ceil(options.share * len(kept)))


def _has(task: Task, split: str, options: DataOptions) -> bool:
    """Whether there is a file for the test split; others are known without looking."""
    if split != "test":
        return False
    own = own_files(task)
    return split in own if own else split_file(task, split, options.data_dir) is not None


def evaluation_splits(task: Task, options: DataOptions) -> tuple[str, ...]:
    """Names of the splits a task can be scored on.

    Args:
        task: The definition.
        options: Folder of the files.

    Returns:
        Names, `dev` first, then the task's further ones: those of its own files, or file names in
        its folder that begin with the name of a further split (`dev_mismatched_1k` for
        `dev_mismatched`).
    """
    further = () if task.source is None else tuple(task.source.extra)
    if further and not own_files(task):
        files = [
            path.name
            for name in further
            for path in task_folder(task, options.data_dir).glob(f"{name}*")
        ]
        stems = {name.removesuffix(end) for name in files if (end := _split_suffix(name))}
        further = tuple(sorted(stems - {"train", "dev"}))
    return ("dev", *further)


def _split_suffix(name: str) -> str:
    """The suffix of a split's file name, empty where it is no such file."""
    return max((end for end in SPLIT_SUFFIXES if name.endswith(end)), key=len, default="")


def task_folder(task: Task, data_dir: Path | None) -> Path:
    """Folder of a task's prepared files.

    Args:
        task: The definition; one that names another task of the same data set in `rows_of` has its
            folder where it has none of its own.
        data_dir: Folder with one folder per task; None for `tasks/` in the cache.

    Returns:
        The folder, which need not be there.
    """
    root = cache_dir() / "tasks" if data_dir is None else data_dir
    own, shared = root / task.slug, root / slug_of(task.rows_of or task.name)
    return shared if shared.is_dir() and not own.is_dir() else own


def split_file(task: Task, split: str, data_dir: Path | None) -> Path | None:
    """The file of a split.

    Args:
        task: The definition; its own files win over the folder.
        split: Name: `train`, `dev` or a further one.
        data_dir: Folder with one folder per task; None for `tasks/` in the cache.

    Returns:
        Path of the file, or None where there is none.

    Raises:
        RelevanceError: If there are two, or the task's own files don't include such a split.
    """
    if own := own_files(task):
        if split not in own:
            raise unknown_name("split", split, own)
        return Path(own[split]) if Path(own[split]).is_file() else None
    folder = task_folder(task, data_dir)
    found = [path for suffix in SPLIT_SUFFIXES if (path := folder / f"{split}{suffix}").is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise RelevanceError(f"{folder} has both {names}. Keep one of them.")
    return found[0] if found else None


def split_names(task: Task, data_dir: Path | None) -> tuple[str, ...]:
    """Names of all splits that a task has files of, scored or not.

    Args:
        task: The definition; its own files win over the folder.
        data_dir: Folder with one folder per task; None for `tasks/` in the cache.

    Returns:
        Names, `train`, `dev` and `test` first.
    """
    found = set(own_files(task))
    if not found and (folder := task_folder(task, data_dir)).is_dir():
        names = [path.name for path in folder.iterdir() if path.is_file()]
        found = {name.removesuffix(end) for name in names if (end := _split_suffix(name))}
    first = [name for name in ("train", "dev", "test") if name in found]
    return (*first, *sorted(found - set(first)))


def with_files(task: Task, data_dir: Path) -> Task:
    """A task that names the files of a folder as its own, so that it is found without the folder.

    Args:
        task: The definition; one that names its own files stays as it is.
        data_dir: Folder with one folder per task.

    Returns:
        The definition with absolute paths.

    Raises:
        RelevanceError: If the folder has no training or dev split of the task.
    """
    if own_files(task):
        return task
    folder, files = data_dir.absolute(), {}
    for split in ("train", *evaluation_splits(task, DataOptions(folder))):
        with told_of(f"task '{task.name}'"):
            path = split_file(task, split, folder)
            if path is None:
                raise _missing(task, split, folder)
        files[split] = str(path)
    test = None if "test" in files else split_file(task, "test", folder)
    source = Source(
        train=files.pop("train"),
        dev=files.pop("dev"),
        test=None if test is None else str(test),
        extra=files,
    )
    return task.model_copy(update={"source": source})


def load_split(task: Task, split: str, data_dir: Path | None, *, text_only: bool = False) -> Split:
    """Load one split and check it.

    Args:
        task: The definition.
        split: Name: `train`, `dev` or a further one.
        data_dir: Folder with one folder per task; None for `tasks/` in the cache.
        text_only: Whether to leave the label column unread; all labels are then 0.

    Returns:
        All rows in the order of the file.

    Raises:
        RelevanceError: If the file is missing or unreadable, has no rows or lacks a column, a text
            is null, or a label is none of the task's.
    """
    with told_of(f"task '{task.name}'"):
        share = None if task.source is None else task.source.share
        if share is None or split not in {"train", "dev"} or not own_files(task):
            return _read(task, split, data_dir, text_only=text_only)
        # which rows are whose is drawn by label, so labels are read whether or not they are wanted
        whole = _read(task, "train", data_dir)
        left, held = dev_share(whole, share, (task.source and task.source.seed) or 0)
        chosen = left if split == "train" else held
        return chosen.without_labels() if text_only else chosen


def _read(task: Task, split: str, data_dir: Path | None, *, text_only: bool = False) -> Split:
    """All rows of the file of a split."""
    path = split_file(task, split, data_dir)
    if path is None:
        raise _missing(task, split, data_dir)
    source = task.source if own_files(task) else None
    options = AS_NAMED if source is None else ReadOptions.of(source, task.columns)
    drop = () if source is None else source.drop
    wanted = [each for each in task.columns if each != task.label or drop or not text_only]
    cells = read_columns(path, wanted, options)
    if drop:
        cells = without(cells, task.label, drop)
    if source is not None and source.labels and not text_only:
        several = not kind_of(task).per_row
        cells[task.label] = renamed_labels(source, cells[task.label], several=several)
    return to_split(task, cells, str(path), text_only=text_only)


def load_diagnosis(task: Task, data_dir: Path | None) -> tuple[str, Split] | None:
    """The labelled rows of a diagnostic set.

    Args:
        task: A definition with `diagnoses`.
        data_dir: Folder with one folder per task; None for `tasks/` in the cache.

    Returns:
        Name of the split, `test` or else `dev`, and all of its rows; None where there is no file,
        or one without labels, as the hub has of AX.

    Raises:
        RelevanceError: If the file cannot be read, or a label is none of the task's.
    """
    names = ("test", "dev")
    name = next((each for each in names if split_file(task, each, data_dir) is not None), None)
    if name is None:
        return None
    load_split(task, name, data_dir, text_only=True)
    path = split_file(task, name, data_dir)
    try:
        labels = read_columns(path, [task.label])[task.label] if path else []
    except RelevanceError:  # texts could be read, so the column is not there
        return None
    if all(str(label).strip() in {"None", "", "-1"} for label in labels):
        return None
    return name, load_split(task, name, data_dir)


def load_training_texts(task: Task, options: DataOptions) -> Split:
    """The training rows for a measure that reads texts alone.

    Args:
        task: The definition.
        options: Folder of the files and limits of rows.

    Returns:
        The rows that training would draw, their texts as a reader sees them; all labels are 0 where
        drawing does not need them.

    Raises:
        RelevanceError: If the split cannot be loaded; see `load_split`.
    """
    # a subset keeps rows of one group together, so drawing what training draws takes the groups
    text_only = options.max_train is None
    split = load_split(task, "train", options.data_dir, text_only=text_only)
    kind, split = kind_of(task), subset(split, options.max_train)
    if not kind.further:
        return split
    return replace(split, texts=tuple(Packed(map(kind.plain, column)) for column in split.texts))


def own_files(task: Task) -> dict[str, str]:
    """Files by split of a task that names its files; empty for one that is looked up."""
    return {} if task.source is None else task.source.files


def _missing(task: Task, split: str, data_dir: Path | None) -> RelevanceError:
    if own := own_files(task):
        return RelevanceError(f"{own[split]}: no such file. `source` names it as '{split}'.")
    if task.diagnoses:
        return RelevanceError(
            f"it is a diagnostic set and has no {split} rows. Train {' or '.join(task.diagnoses)};"
            f" `hmnet evaluate` then scores {task.name} too, where its rows are at hand."
        )
    folder = task_folder(task, data_dir)
    fetch = task.source is not None and task.source.hub is not None
    prepare = (
        f"Fetch it with `relevance prepare --tasks {task.name}`, or"
        if fetch
        else "Put it there, or"
    )
    return RelevanceError(
        f"{folder} has no {split}.parquet (nor {', '.join(FORMATS[1:])}, packed or not)."
        f" {prepare} name the folder that has {task.slug}/ with `data_dir`."
    )

"""Files of probing tasks: SentEval's form, and two columns with the split in the file's name."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from relevance.errors import RelevanceError, shown, unknown_name
from relevance.tasks.read import COMPRESSED, open_lines, reading

SPLITS = ("tr", "va", "te")
"""Training, dev and test, as SentEval calls them."""

SUFFIXES = (".txt", ".tsv")
ABOUT = ("readme", "licence", "license")  # beginnings of the names of files that are no tasks
FORMS = (
    "`tr|va|te TAB label TAB sentence` in TASK.txt, or `sentence TAB label` in TASK.tr.tsv,"
    " TASK.va.tsv and TASK.te.tsv"
)


class Line(NamedTuple):
    """A sentence and what is to be told from it.

    Attributes:
        sentence: The text.
        label: Its label.
        place: File and line, for messages.
    """

    sentence: str
    label: str
    place: str


Parts = dict[str, list[Line]]
"""Lines by split."""


class TaskFile(NamedTuple):
    """A file of a task.

    Attributes:
        path: The file.
        task: Name of the task.
        split: The split that all its lines belong to; None where each line says its own.
    """

    path: Path
    task: str
    split: str | None


def read_tasks(folder: Path, names: tuple[str, ...] = ()) -> dict[str, Parts]:
    """Read probing tasks.

    Args:
        folder: Holds their files, which may be packed with gzip; others than .txt and .tsv files
            are not looked at, nor is a README or licence.
        names: Names of the tasks that are wanted; none for all.

    Returns:
        Lines by task and split, tasks in the order wanted, else by name.

    Raises:
        RelevanceError: If there is no such folder or task, a file cannot be read, or a line is not
            of the form, has an unknown split, or lacks its sentence or its label.
    """
    found: dict[str, list[TaskFile]] = {}
    for file in _files(folder):
        found.setdefault(file.task, []).append(file)
    if not found:
        raise RelevanceError(f"{folder} holds no probing task. Expected {FORMS}.")
    for name in names:
        if name not in found:
            raise unknown_name("probing task", name, sorted(found))
    return {name: _parts(found[name]) for name in (dict.fromkeys(names) or sorted(found))}


def _files(folder: Path) -> Iterator[TaskFile]:
    """The files of tasks in a folder, by name."""
    if not folder.is_dir():
        raise RelevanceError(f"{folder} is no folder. Give one that holds {FORMS}.")
    for path in sorted(folder.iterdir()):
        plain = path.with_suffix("") if path.suffix.lower() == COMPRESSED else path
        if plain.suffix.lower() not in SUFFIXES or path.is_dir():
            continue
        if path.name.lower().startswith((".", *ABOUT)):
            continue
        task, dot, split = plain.stem.rpartition(".")
        if dot and split not in SPLITS:
            raise RelevanceError(
                f"{path}: '{split}' is no split. Call it {task}.tr{plain.suffix},"
                f" {task}.va{plain.suffix} or {task}.te{plain.suffix}."
            )
        yield TaskFile(path, task if dot else plain.stem, split if dot else None)


def _parts(files: list[TaskFile]) -> Parts:
    """The lines of one task's files."""
    splits = [file.split for file in files]
    if len(set(splits)) < len(splits) or (None in splits and len(splits) > 1):
        paths = ", ".join(str(file.path) for file in files)
        raise RelevanceError(f"{paths} give the same task's rows twice. Leave one form of them.")
    parts: Parts = {}
    for file in files:
        lines = list(_lines(file))
        if not lines:
            raise RelevanceError(f"{file.path} has no rows. Leave it out, or put rows into it.")
        for split, line in lines:
            parts.setdefault(split, []).append(line)
    return parts


def _lines(file: TaskFile) -> Iterator[tuple[str, Line]]:
    """Lines with their splits; blank ones are skipped."""
    with reading(file.path, ".tsv"), open_lines(file.path) as lines:
        for number, text in enumerate(lines, start=1):
            if text.strip():
                cells = text.rstrip("\r\n").split("\t")
                yield _line(cells, file.split, f"{file.path}, line {number}")


def _line(cells: list[str], split: str | None, place: str) -> tuple[str, Line]:
    wanted = ("split", "label", "sentence") if split is None else ("sentence", "label")
    if len(cells) != len(wanted):
        raise RelevanceError(
            f"{place}: {len(cells)} columns between tabs, expected {len(wanted)}. Files are"
            f" {FORMS}. Take a file that is no task out of the folder, or name `tasks`."
        )
    row = dict(zip(wanted, map(str.strip, cells), strict=True))
    own = row.get("split", split)
    if own not in SPLITS:
        raise RelevanceError(f"{place}: split {shown(own)} is none of {', '.join(SPLITS)}.")
    for part in ("label", "sentence"):
        if not row[part]:
            raise RelevanceError(
                f"{place}: there is no {part}. Give it one, or leave the line out."
            )
    return own, Line(row["sentence"], row["label"], place)

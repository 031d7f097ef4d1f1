"""Corpora as a user names them."""

from pathlib import Path
from typing import get_args

from hmnet.pretraining.corpus import Corpus, Documents
from relevance.errors import RelevanceError
from relevance.tasks.find import find_tasks
from relevance.tasks.load import split_file
from relevance.tasks.read import file_format


def named_corpus(text: str, data_dir: Path | None = None) -> Corpus:
    """The corpus that a text stands for.

    Args:
        text: `FILE`, `FILE:COLUMN`, `TASK` or `TASK:COLUMN`, and `@blank`, `@heading` or `@row`
            behind it. Names of files may hold these signs.
        data_dir: Folder of the tasks' files; None for the cache.

    Returns:
        The corpus. Of a task with one text column no column need be named.

    Raises:
        RelevanceError: If there is no such file or task, or the column is missing.
    """
    name, documents = _split(text, "@")
    if documents is not None and documents not in get_args(Documents):
        raise RelevanceError(
            f"Corpus '{text}': '{documents}' does not say where documents end; expected blank,"
            " heading or row."
        )
    name, column = _split(name, ":")
    path = Path(name)
    if not path.is_file():
        if "/" in name or path.suffix:
            raise RelevanceError(f"Corpus '{text}': there is no file {name}.")
        path, column = _of_task(name, column, data_dir)
    plain = column is None and file_format(path) == ".txt"
    where: Documents = "blank" if plain else "row"
    for known in get_args(Documents):
        where = known if documents == known else where
    return Corpus(path.absolute(), column, where)


def settled(text: str) -> str:
    """A corpus with the path of its file made absolute, so that it means the same everywhere.

    Args:
        text: As `named_corpus` takes it.

    Returns:
        The text; that of a task stays as it is.
    """
    name, _ = _split(text, "@")
    name, _ = _split(name, ":")
    return f"{Path(name).absolute()}{text[len(name) :]}" if Path(name).is_file() else text


def _split(text: str, sign: str) -> tuple[str, str | None]:
    """What stands before and behind the last sign of a text that is no file."""
    if Path(text).is_file() or sign not in text:
        return text, None
    before, _, behind = text.rpartition(sign)
    return before, behind


def _of_task(name: str, column: str | None, data_dir: Path | None) -> tuple[Path, str]:
    (task,) = find_tasks([name])
    if column is None and len(task.text) > 1:
        raise RelevanceError(
            f"Task '{name}' has several texts. Name a column, such as {name}:{task.text[0]}; it has"
            f" {', '.join(task.text)}."
        )
    path = split_file(task, "train", data_dir)
    if path is None:
        raise RelevanceError(
            f"Corpus '{name}' has no training file. Fetch it with `relevance prepare --tasks"
            f" {name}`, or say with `data_dir` where the tasks' files are."
        )
    return path, column or task.text[0]

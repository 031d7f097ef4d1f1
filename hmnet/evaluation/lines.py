"""Reading the texts of tasks from lines of JSON or rows of a file; errors name the line."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from hmnet.data.encoder import check_unicode
from hmnet.kinds.kind import Texts, kind_of
from relevance.disk.parsing import parse_json
from relevance.errors import RelevanceError, shown, told_of
from relevance.tasks.check import cell_reader
from relevance.tasks.kinds.kind import kind_of as label_kind_of
from relevance.tasks.read import ReadOptions, file_format, read_rows, rows_of_values
from relevance.tasks.source import source_columns
from relevance.tasks.task import Task

MOST_TEXTS = 3
ID = re.compile(r"(?i)id|idx|idx_\w+|guid|index")
"""Columns that tell rows apart and are given back with the answers."""


class TextLine(NamedTuple):
    """The texts of a line.

    Attributes:
        texts: One to three per task.
        ids: Entries that tell the line from others, to be given back with its answers.
    """

    texts: dict[str, Texts]
    ids: dict[str, Any]


def read_lines(
    tasks: Sequence[Task], lines: Iterable[str | bytes | Mapping[str, Any]], where: str = "input"
) -> Iterator[TextLine]:
    """Read the texts of the tasks in each line.

    A line is a JSON object with the text columns of the tasks, or with `{"text": [a]}`,
    `{"text": [a, b]}` or three texts, which every task reads as they are, one after another,
    however many columns it has itself. Blank lines are skipped. A passage with several queries, as
    SuperGLUE publishes ReCoRD, and a context of MRQA after its header are a row for each query.

    Args:
        tasks: Tasks that each read every line.
        lines: Lines of text, of UTF-8 bytes, or rows of a table, which are as the objects are.
        where: Name of their place in messages.

    Yields:
        One for every row.

    Raises:
        RelevanceError: If a line is no JSON object, lacks a column, or has something else than text
            where text is wanted; it gives the number of the line, from 1.
    """
    for place, content in rows_of_values(_objects(lines, where)):
        with told_of(place):
            found = _read(tasks, content)
        yield found


def _objects(
    lines: Iterable[str | bytes | Mapping[str, Any]], where: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The object of every line that is not blank, after the words that name its place."""
    for number, line in enumerate(lines, start=1):
        if not isinstance(line, str | bytes):
            yield f"{where}, row {number}", line
        elif line.strip():
            place = f"{where}, line {number}"
            with told_of(place):
                content = _parse(line)
            yield place, content


def read_numbered(
    task: Task, rows: Iterable[tuple[int, Mapping[str, Any]]], where: str
) -> Iterator[TextLine]:
    """Read the texts of a task in rows of its own file.

    Args:
        task: The task.
        rows: Rows with their numbers in the file.
        where: Name of the file in messages.

    Yields:
        One for each row, whose number is the first of its ids, as `row`.

    Raises:
        RelevanceError: If a row lacks a column, or has something else than text where text is
            wanted; it gives the number of the row.
    """
    for number, row in rows:
        with told_of(f"{where}, row {number}"):
            found = _read([task], row)
        yield found._replace(ids={"row": number} | found.ids)


def input_rows(tasks: Sequence[Task], path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a file of any format that training takes, and of `.txt`.

    Args:
        tasks: Tasks whose texts are in it; where their own files have no header, this has none.
        path: The file.

    Yields:
        One object per row.

    Raises:
        RelevanceError: If the file cannot be read.
    """
    columns: tuple[str, ...] = ()
    options = ReadOptions()
    headless = [(task, task.source) for task in tasks if task.source and not task.source.header]
    if headless and file_format(path) in {".csv", ".tsv"}:
        task, source = headless[0]
        columns = task.inputs
        options = ReadOptions.of(source, task.columns)
    for number, row in enumerate(read_rows(path, columns, options), start=1):
        if not isinstance(row, dict):
            raise RelevanceError(f"{path}, row {number}: expected a JSON object, got {shown(row)}.")
        yield row


def read_texts(task: Task, content: Mapping[str, Any]) -> Texts:
    """The texts that a task reads in an object.

    Args:
        task: The task.
        content: Values by column, with the task's columns, by its own names or those that its
            source has for them, or else with a list of texts under `text`.

    Returns:
        One to three texts.

    Raises:
        RelevanceError: If a column is missing, something is no text, or there are more texts than
            the task reads.
    """
    texts = _texts(task, content)
    for text in texts:
        check_unicode(text)
    return texts


def _texts(task: Task, content: Mapping[str, Any]) -> Texts:
    renamed = {} if task.source is None else source_columns(task.source, task.columns)
    names = [name if name in content else renamed.get(name, name) for name in task.inputs]
    cells = dict(zip(task.inputs, names, strict=True))
    missing = [column for column, name in cells.items() if name not in content]
    if missing and "text" not in content:
        found = ", ".join(content) or "nothing"
        raise RelevanceError(
            f"column '{missing[0]}' of task '{task.name}' is missing; found: {found}."
            ' Every task can also read {"text": [...]}.'
        )
    if missing:
        return _listed(task, content["text"])
    try:
        texts = tuple(cell_reader(task, column)(content[cells[column]]) for column in task.text)
        further = {column: content[name] for column, name in cells.items()}
        return label_kind_of(task).completed(texts, further)
    except RelevanceError:
        # a task whose one column is called `text` reads both forms, its own first
        if names == ["text"] and isinstance(content["text"], list):
            with suppress(RelevanceError):
                return _listed(task, content["text"])
        raise


def _listed(task: Task, listed: Any) -> Texts:
    """The texts of the form that every task reads."""
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_TEXTS:
        raise RelevanceError(f"'text' must be a list of 1 to 3 strings, got {listed!r:.50}.")
    for place, text in enumerate(listed, start=1):
        if not isinstance(text, str):
            raise RelevanceError(f"text {place} of the list must be a string, got {text!r:.50}.")
    return kind_of(task).reading(tuple(listed))


def _read(tasks: Sequence[Task], content: Mapping[str, Any]) -> TextLine:
    read = {column for task in tasks for column in task.inputs}
    ids = {name: content[name] for name in content if ID.fullmatch(name) and name not in read}
    return TextLine({task.name: read_texts(task, content) for task in tasks}, ids)


def _parse(line: str | bytes) -> dict[str, Any]:
    try:
        content = parse_json(line, row=True)
    except RelevanceError as error:
        hint = " Each line is one JSON object." if "JSON" in str(error) else ""
        raise RelevanceError(f"{error}{hint}") from None
    if not isinstance(content, dict):
        raise RelevanceError(
            f"expected a JSON object, got {content!r:.50}. Each line is one JSON object."
        )
    return content

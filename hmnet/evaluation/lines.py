"""What tasks read in lines of JSON, and which line is wrong in what way."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hmnet.data.encoder import check_unicode
from hmnet.kinds.kind import Texts, kind_of
from relevance.errors import RelevanceError
from relevance.parsing import parse_json
from relevance.tasks.check import cell_reader
from relevance.tasks.task import Task

MOST_TEXTS = 3


def read_lines(
    tasks: Sequence[Task], lines: Iterable[str | bytes], where: str
) -> Iterator[dict[str, Texts]]:
    """What the tasks read in each line.

    Args:
        tasks: The tasks.
        lines: As text, or as UTF-8 bytes.
        where: How to name their place in messages.

    Yields:
        One to three texts per task, for every line that is not blank.

    Raises:
        RelevanceError: With the number of the line, from 1, and what is wrong with it.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            with _line(where, number):
                content = _parse(line)
                texts = {task.name: read_texts(task, content) for task in tasks}
            yield texts


def read_texts(task: Task, content: Mapping[str, Any]) -> Texts:
    """The texts that a task reads in an object.

    Args:
        task: The task.
        content: With the task's columns, or a list of texts under `text`.

    Returns:
        One to three texts.

    Raises:
        RelevanceError: If a column is missing, something is no text, or there are more texts than
            the task reads.
    """
    listed = content.get("text")
    if isinstance(listed, list) or ("text" in content and "text" not in task.text):
        if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_TEXTS:
            raise RelevanceError(f"'text' must be a list of 1 to 3 strings, got {listed!r:.50}.")
        for place, text in enumerate(listed, start=1):
            if not isinstance(text, str):
                raise RelevanceError(
                    f"text {place} of the list must be a string, got {text!r:.50}."
                )
        texts = kind_of(task).reading(tuple(listed))
    else:
        if missing := [column for column in task.text if column not in content]:
            found = ", ".join(content) or "nothing"
            raise RelevanceError(
                f"column '{missing[0]}' of task '{task.name}' is missing; found: {found}."
                ' Every task can also read {"text": [...]}.'
            )
        texts = tuple(cell_reader(task, column)(content[column]) for column in task.text)
    for text in texts:
        check_unicode(text)
    return texts


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


@contextmanager
def _line(where: str, number: int) -> Iterator[None]:
    """Say which line an error is about."""
    try:
        yield
    except RelevanceError as error:
        raise RelevanceError(f"{where}, line {number}: {error}") from None

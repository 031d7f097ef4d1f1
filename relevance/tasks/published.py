"""Rows as GLUE and SuperGLUE publish them, under the names that the catalogue has for columns."""

from collections.abc import Iterator, Mapping
from typing import Any

from relevance.errors import RelevanceError, shown
from relevance.tasks.task import Task

ALIKE = (
    ("sentence1", "premise", "question", "question1", "#1 String"),
    ("sentence2", "hypothesis", "sentence", "question2", "#2 String"),
)
"""Names of the first and of the second text of a pair, which differ between files."""


def published_rows(task: Task, row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The rows that a row of a benchmark's own file holds.

    A passage of MultiRC holds questions, and these answers: it becomes a row for each answer, with
    the columns `idx_paragraph`, `idx_question` and `idx_answer`. What is nested under `idx`, as on
    the hub, or under `target`, as in WSC, becomes columns.

    Args:
        task: Task that reads them.
        row: Row as it stands in the file; one that has the task's columns stays as it is.

    Yields:
        Rows with the columns of the task, where the file has them under another name too.

    Raises:
        RelevanceError: If a passage is nested in another way.
    """
    passage, idx = row.get("passage"), row.get("idx")
    if isinstance(passage, Mapping) and "questions" in passage:
        yield from _answers(passage, idx)
        return
    if isinstance(idx, Mapping):  # as the hub has it
        row = {**row, **{f"idx_{part}": number for part, number in idx.items()}}
        del row["idx"]
    if isinstance(places := row.get("target"), Mapping):
        row = {**places, **row}
    names = {
        column: name
        for column in (task.text if len(task.text) == 2 else ())
        if column not in row
        for group in ALIKE
        if column in group
        for name in group
        if name in row
    }
    yield {**row, **{column: row[name] for column, name in names.items()}}


def _answers(passage: Mapping[str, Any], idx: Any) -> Iterator[dict[str, Any]]:
    """Rows of a passage of MultiRC."""
    for question in _listed(passage, "questions"):
        for answer in _listed(question, "answers"):
            yield {
                "paragraph": passage.get("text"),
                "question": question.get("question"),
                "answer": answer.get("text"),
                "idx_paragraph": idx,
                "idx_question": question.get("idx"),
                "idx_answer": answer.get("idx"),
                "label": answer.get("label"),
            }


def _listed(value: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = value.get(key)
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise RelevanceError(f"expected a list of objects under '{key}', got {shown(found)}.")
    return found

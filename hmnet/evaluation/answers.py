"""Answers as lines of text: JSON, or a table in csv."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from relevance.escaping import csv_line, for_csv


def json_answer(answer: Mapping[str, Any]) -> list[str]:
    """An answer of `hmnet.evaluation.predict` as a line of JSON."""
    return [json.dumps(answer, ensure_ascii=False)]


class CsvAnswers:
    """Lays out answers as rows of one table, a row for each line that was asked.

    Probabilities of labels are columns of their own (`probability: positive`); lists, such as tags,
    are JSON. Of several tasks each has its own columns (`RTE: label`). The first row says what the
    columns are.

    Args:
        tasks: Number of tasks that each line was asked for; its answers come one after another.
    """

    def __init__(self, tasks: int = 1) -> None:
        self._tasks = tasks
        self._answers: list[Mapping[str, Any]] = []
        self._columns: list[str] | None = None

    def __call__(self, answer: Mapping[str, Any]) -> list[str]:
        """Take an answer of `hmnet.evaluation.predict`.

        Args:
            answer: The next one.

        Returns:
            The row of a line whose answers are all there, before the first one a header.
        """
        self._answers.append(answer)
        if len(self._answers) < self._tasks:
            return []
        cells: dict[str, Any] = {}
        for each in self._answers:
            cells |= _cells(each) if self._tasks == 1 else _cells_of_task(each)
        self._answers = []
        header = [] if self._columns else [_row(cells)]
        self._columns = self._columns or list(cells)
        # rows that lack an id, or bring another one, keep to the columns of the first
        return [*header, _row([cells.get(column) for column in self._columns])]


def _cells(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Values by column."""
    cells: dict[str, Any] = {}
    for name, value in answer.items():
        if isinstance(value, Mapping):
            cells |= {f"probability: {label}": each for label, each in value.items()}
        else:
            cells[name] = value
    return cells


def _cells_of_task(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Values by column where several tasks share a row: ids, and what is the task's own."""
    names = list(answer)
    ids = names[: names.index("task")]  # which come before it
    own = _cells({name: answer[name] for name in names[len(ids) + 1 :]})
    return {name: answer[name] for name in ids} | {
        f"{answer['task']}: {column}": value for column, value in own.items()
    }


def _row(cells: Iterable[Any]) -> str:
    return csv_line(map(_cell, cells))


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    return for_csv(value) if isinstance(value, str) else value

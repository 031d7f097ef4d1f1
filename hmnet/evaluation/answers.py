"""Answers as lines of text: JSON, or a table in csv."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from relevance.escaping import for_csv


def json_answer(answer: Mapping[str, Any]) -> list[str]:
    """An answer of `hmnet.evaluation.predict` as a line of JSON."""
    return [json.dumps(answer, ensure_ascii=False)]


class CsvAnswers:
    """Lays out the answers of one task as rows of one table.

    Probabilities of labels are columns of their own (`probability: positive`); lists, such as tags,
    are JSON. The first answer says what the columns are.
    """

    def __init__(self) -> None:
        self._columns: list[str] | None = None

    def __call__(self, answer: Mapping[str, Any]) -> list[str]:
        """An answer of `hmnet.evaluation.predict` as a row, before the first one a header."""
        cells: dict[str, Any] = {}
        for name, value in answer.items():
            if isinstance(value, Mapping):
                cells |= {f"probability: {label}": each for label, each in value.items()}
            else:
                cells[name] = value
        header = [] if self._columns else [_row(cells)]
        self._columns = self._columns or list(cells)
        # rows that lack an id, or bring another one, keep to the columns of the first
        return [*header, _row([cells.get(column) for column in self._columns])]


def _row(cells: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    return for_csv(value) if isinstance(value, str) else value

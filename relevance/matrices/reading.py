"""Reading matrix files, checked cell by cell: CSV in its dialects, and the fields of JSON."""

import csv
import io
import math
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from relevance.disk.files import validated
from relevance.errors import RelevanceError, shown
from relevance.escaping import from_csv
from relevance.names import some
from relevance.numerals import DECIMAL

DELIMITERS = ",;\t"
INFINITE = re.compile(r"[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)
HINT = (
    "Write fractions with a decimal point, such as 0.125, without percent signs and separators of"
    " thousands. Decimal commas can be read where ; or tabs stand between the cells."
)
LARGEST = 1e100
"""Largest magnitude of a value; squares of values and values in percent have to be finite."""

ARRAYS = {
    "values": ("source", "target"),
    "standard_errors": ("source", "target"),
    "per_seed": ("seed", "source", "target"),
}
SCORES = {
    "single": ("seed", "target"),
    "joint": ("seed", "source", "target"),
    "majority": ("target",),
}
"""Axes of the nested lists of each field, the outermost first; scores are by metric."""

OTHER_LAYOUTS = {
    "|": "a Markdown table",
    "\\": "a LaTeX table",
    "%": "a LaTeX table",
    "{": "JSON, whose name should end in .json",
}


class CsvLine(NamedTuple):
    """A line of a CSV file, its cells without the blanks around them."""

    number: int
    cells: tuple[str, ...]


def csv_matrix(
    text: str, where: str
) -> tuple[tuple[str, ...], Float[np.ndarray, "source target"], tuple[str, ...]]:
    """Read the tasks and values of a matrix in CSV.

    Args:
        text: The file. Commas, semicolons or tabs stand between its cells; with the latter two,
            decimal commas are read as points.
        where: The file's name, for messages.

    Returns:
        Task names; values with NaN for empty cells; and the tasks of the header. Rows may name more
        than those: they are a source alone, and values with them as target are NaN.

    Raises:
        RelevanceError: If it is a table of another kind, in percent, lacks a row for a column, or
            has something else than finite numbers in its cells.
    """
    text = text.removeprefix("\ufeff")
    if kind := OTHER_LAYOUTS.get(text.lstrip()[:1]):
        raise RelevanceError(f"{where} holds {kind}. Expected CSV: a header row and one per task.")
    delimiter = _delimiter(text)
    header, *rows = _lines(text, delimiter, where) or [CsvLine(1, ())]
    _check_header(header, where)
    targets = header.cells[1:]
    if not rows:
        raise RelevanceError(f"{where}: expected a header row and one row per task.")
    decimal = _decimal_mark(rows, delimiter)
    tasks = tuple(line.cells[0] for line in rows)
    both = tuple(task for task in tasks if task in targets)
    for line, task in zip_longest(rows, targets):
        if line is None or (both != targets and line.cells[0] != task):
            break
        if len(line.cells) != len(header.cells):
            raise RelevanceError(f"{_place(where, line)} {_ragged(line, len(targets))}")
    if both != targets:
        raise RelevanceError(
            f"{where}: the first column must name the tasks of the header row in its order, which"
            f" are {some(targets, 5)}. It names {some(tasks, 5)}."
        )
    values = np.full((len(tasks), len(tasks)), np.nan)
    values[:, [tasks.index(task) for task in targets]] = [
        [
            _number(cell, decimal, f"{_place(where, line)}, column '{task}'")
            for task, cell in zip(targets, line.cells[1:], strict=True)
        ]
        for line in rows
    ]
    return tasks, values, targets


def check_fields(content: dict[str, Any], where: str) -> None:
    """Refuse fields of a matrix in JSON that are not what they should be.

    Args:
        content: The file's top-level object with `tasks`, `values` and `measure`.
        where: The file's name, for messages.

    Raises:
        RelevanceError: If something is wrong; the message has the first thing and its place.
    """
    file = validated(_File, content, where)
    if not file.tasks:
        raise RelevanceError(f"{where}: tasks: a matrix needs one task at least.")
    for field, axes in ARRAYS.items():
        if content.get(field) is not None:
            _check_nested(content[field], axes, file, f"{where}: {field}")
    for field, axes in SCORES.items():
        for metric, scores in (getattr(file, field) or {}).items():
            _check_nested(scores, axes, file, f"{where}: {field}: {metric}")
    for row in content.get("standard_errors") or ():
        if any(value is not None and value < 0 for value in row):
            raise RelevanceError(f"{where}: standard_errors: none can be below 0.")


class _Part(BaseModel):
    """Reliability of one part of the gains."""

    model_config = ConfigDict(strict=True)

    between_seeds: float | None
    of_mean: float | None


class _Provenance(BaseModel):
    """Entries of a matrix's provenance that are read; all others are only kept."""

    model_config = ConfigDict(strict=True, extra="allow")

    metric: str | None = None
    normalise: Literal["relative", "absolute", "error"] | None = None
    noise: str | None = None
    data: dict[str, str] = Field(default_factory=dict)
    families: dict[str, list[str]] | None = None
    single_seeds: list[int] | None = None
    warnings: list[str] | None = None
    predicted: dict[str, list[str]] | None = None
    failed: dict[str, str] | None = None
    shared_texts: dict[str, dict[str, int]] = Field(default_factory=dict)
    baseline_noise: dict[str, dict[str, FiniteFloat]] = Field(default_factory=dict)
    devices: list[str] = Field(default_factory=list)
    trainers: list[str] = Field(default_factory=list)


class _File(BaseModel):
    """The fields of a matrix in JSON, nested lists aside."""

    model_config = ConfigDict(strict=True, extra="forbid")

    measure: str
    unit: str = "ratio"
    tasks: list[str]
    values: Any
    standard_errors: Any = None
    seeds: list[int] | None = None
    per_seed: Any = None
    single: dict[str, Any] | None = None
    joint: dict[str, Any] | None = None
    majority: dict[str, Any] | None = None
    reliability: dict[str, dict[str, _Part]] | None = None
    cost: dict[str, FiniteFloat] | None = None
    provenance: _Provenance | None = None


def _delimiter(text: str) -> str:
    """The delimiter of the cells of the header."""
    # The header decides: it has one cell per task, while decimal commas stand only below it.
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=lambda mark: _count(first, mark))


def _lines(text: str, delimiter: str, where: str) -> list[CsvLine]:
    """The lines that are not blank."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        lines = [
            CsvLine(reader.line_num, tuple(from_csv(cell.strip()) for cell in row))
            for row in reader
        ]
    except csv.Error as error:
        raise RelevanceError(
            f"{where}, line {reader.line_num}: {error}. Is a quote left open?"
        ) from None
    return [line for line in lines if any(line.cells)]


def _count(line: str, delimiter: str) -> int:
    """Number of cells that a delimiter gives a line; 0 where it cannot be read."""
    try:
        return len(next(csv.reader([line], delimiter=delimiter, strict=True), []))
    except csv.Error:
        return 0


def _check_header(header: CsvLine, where: str) -> None:
    corner = header.cells[0].lower() if header.cells else ""
    if corner.startswith("source"):
        raise RelevanceError(
            f"{where} begins with 'source', as the tables of `relevance table --format csv` do,"
            " whose values are in percent. Give the matrix that it was made of; if these are"
            " fractions, write 'task' into the first cell."
        )
    if len(header.cells) < 2:
        raise RelevanceError(f"{where}: expected a header row and one row per task.")
    for number, name in enumerate(header.cells[1:], start=2):
        if not name:
            raise RelevanceError(f"{where}, line {header.number}: column {number} has no name.")


def _place(where: str, line: CsvLine) -> str:
    return f"{where}, line {line.number}: row '{line.cells[0]}'"


def _ragged(line: CsvLine, expected: int) -> str:
    found = f"has {len(line.cells) - 1} values, the header {expected}."
    if len(line.cells) - 1 > expected:
        found += " Decimal commas need ; between the cells, or quotes; write decimals with a point."
    return found


def _decimal_mark(lines: Sequence[CsvLine], delimiter: str) -> str:
    """The decimal mark: a comma where cells hold one, it delimits none and no cell has a point."""
    text = "".join(cell for line in lines for cell in line.cells[1:])
    return "," if delimiter != "," and "," in text and "." not in text else "."


def _number(cell: str, decimal: str, where: str) -> int | float:
    """The number of a cell, NaN if it is empty."""
    if not cell or cell.lower() == "nan":
        return math.nan
    text = cell.replace(",", ".") if decimal == "," else cell
    if DECIMAL.fullmatch(text):
        return _finite(float(text), cell, where)
    if INFINITE.fullmatch(text):
        return _finite(math.inf, cell, where)
    hint = f" {HINT}" if any(character.isdigit() for character in cell) else ""
    raise RelevanceError(f"{where}: '{cell}' is no number.{hint}")


def _finite(value: int | float, text: str, where: str) -> int | float:
    if abs(value) > LARGEST:
        why = "is not finite" if value in {math.inf, -math.inf} else "is too large to be meant"
        raise RelevanceError(
            f"{where}: {text} {why}. Leave the cell empty (null in JSON) where a value is unknown."
        )
    return value


def _check_nested(value: Any, axes: Sequence[str], file: _File, where: str) -> None:
    """Refuse nested lists that do not run over the axes, or hold something else than numbers."""
    if not axes:
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RelevanceError(f"{where}: {shown(value)} is no number.")
        _finite(value, shown(value), where)
        return
    axis, *inner = axes
    if not isinstance(value, list):
        raise RelevanceError(f"{where}: expected a list, one {axis} each, got {shown(value)}.")
    names: Sequence[Any] = file.tasks
    if axis == "seed":
        names = (file.seeds or ()) if "source" in inner else range(len(value))
    if len(value) != len(names):
        size = " x ".join([str(len(file.tasks))] * 2)
        rule = f" A matrix of {len(file.tasks)} tasks must be {size}." if axis != "seed" else ""
        raise RelevanceError(f"{where}: {len(value)} for {len(names)} {axis}s.{rule}")
    for name, part in zip(names, value, strict=True):
        _check_nested(part, inner, file, f"{where}, {axis} '{name}'")

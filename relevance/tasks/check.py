"""Checking columns as they stand in a file, and making a split of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from relevance.disk.files import canonical_json
from relevance.errors import RelevanceError, told_of
from relevance.tasks.data import Split
from relevance.tasks.kinds.kind import LabelColumn, LabelKind, kind_of
from relevance.tasks.packed import Packed
from relevance.tasks.task import Task


def to_split(
    task: Task, columns: Mapping[str, Sequence[Any]], where: str, *, text_only: bool = False
) -> Split:
    """Check columns as they stand in a file and make a split of them.

    Args:
        task: The definition.
        columns: Values of its input and group columns, and of its label column unless `text_only`.
        where: Name of the place in messages, such as the path of a file.
        text_only: Whether to leave labels out; all of them are then 0.

    Returns:
        The split.

    Raises:
        RelevanceError: If there are no rows, a text or group is null, or a label is none of the
            task's.
    """
    texts = tuple(_texts(task, name, columns[name], where) for name in task.text)
    rows = len(texts[0])
    if rows == 0:
        raise RelevanceError(f"{where} has no rows; a split needs at least one.")
    if kind_of(task).further:
        texts = _completed(task, texts, columns, where)
    groups = _groups([columns[name] for name in task.group], where) if task.group else None
    if text_only:
        return Split(texts, np.zeros(rows, dtype=np.int64), groups)
    labels = kind_of(task).labels(LabelColumn(columns[task.label], texts), where)
    return Split(texts, labels, groups)


def _texts(task: Task, name: str, values: Sequence[Any], where: str) -> Sequence[str]:
    # of most kinds any text will do: one look at a column, and no call for each of its cells
    any_text = type(kind_of(task)).text is LabelKind.text
    if any_text and set(map(type, values)) == {str}:
        return values if isinstance(values, Packed) else Packed(values)
    read = cell_reader(task, name)
    texts: Packed[str] = Packed()
    for row, value in enumerate(values, start=1):
        try:
            texts.append(read(value))
        except RelevanceError as error:
            raise RelevanceError(f"{where}, row {row}: {error}") from None
    return texts


def _completed(
    task: Task,
    texts: Sequence[Sequence[str]],
    columns: Mapping[str, Sequence[Any]],
    where: str,
) -> tuple[Sequence[str], ...]:
    """The texts of all rows with what the kind's further columns say, column by column."""
    kind = kind_of(task)
    names = kind.further
    further = zip(*(columns[name] for name in names), strict=True)
    found: list[Packed[str]] = []
    for row, (of_row, cells) in enumerate(zip(zip(*texts, strict=True), further, strict=True), 1):
        with told_of(f"{where}, row {row}"):
            read = kind.completed(of_row, dict(zip(names, cells, strict=True)))
        found = found or [Packed() for _ in read]
        for column, text in zip(found, read, strict=True):
            column.append(text)
    return tuple(found)


def cell_reader(task: Task, name: str) -> Callable[[Any], str]:
    """Make a function from a cell of a text column to its text.

    Args:
        task: The definition.
        name: Name of the column, for messages.

    Returns:
        A function that takes a cell as it stands in a file, and raises a `RelevanceError` if that
        is no text.
    """
    text = kind_of(task).text

    def read(value: Any) -> str:
        try:
            return text(value)
        except RelevanceError as error:
            raise RelevanceError(f"column '{name}' {error}") from None

    return read


def _groups(columns: Sequence[Sequence[Any]], where: str) -> Int[np.ndarray, " row"]:
    keyed = [_keys(column) for column in columns]
    if any(_missing(key) for column in keyed for key in set(column)):
        row = [any(map(_missing, key)) for key in zip(*keyed, strict=True)].index(True)
        raise RelevanceError(f"{where}, row {row + 1}: a `group` column is null.")
    numbers: dict[tuple[Any, ...], int] = {}
    found = [numbers.setdefault(key, len(numbers)) for key in zip(*keyed, strict=True)]
    return np.array(found, dtype=np.int64)


def _missing(value: Any) -> bool:
    """Whether a group is none: null, not a number, or an empty cell, which would all be one."""
    # NaN is the one value that differs from itself.
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _keys(column: Sequence[Any]) -> Sequence[Any]:
    """Cells as keys of a dictionary: lists and objects become their canonical JSON."""
    if not {list, dict} & set(map(type, column)):
        return column
    return [canonical_json(each) if isinstance(each, list | dict) else each for each in column]

"""Checking columns as they stand in a file, and making a split of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from relevance.errors import RelevanceError
from relevance.tasks.data import Split
from relevance.tasks.task import Task


def to_split(
    task: Task, columns: Mapping[str, Sequence[Any]], where: str, *, text_only: bool = False
) -> Split:
    """Check columns as they stand in a file and make a split of them.

    Args:
        task: The definition.
        columns: Values of its text and group columns, and of its label column unless `text_only`.
        where: How to name the place in messages, such as the path of a file.
        text_only: Leave labels out; all of them are then 0.

    Returns:
        The split.

    Raises:
        RelevanceError: If there are no rows, a text or group is null, or a label is none of the
            task's.
    """
    texts = tuple(_texts(name, columns[name], where) for name in task.text)
    rows = len(texts[0])
    if rows == 0:
        raise RelevanceError(f"{where} has no rows; a split needs at least one.")
    groups = _groups([columns[name] for name in task.group], where) if task.group else None
    if text_only:
        return Split(texts, np.zeros(rows, dtype=np.int64), groups)
    check = _codes if task.kind == "classification" else _values
    return Split(texts, check(task, columns[task.label], where), groups)


def _texts(name: str, values: Sequence[Any], where: str) -> Sequence[str]:
    for row, value in enumerate(values, start=1):
        if not isinstance(value, str):
            got = "null" if value is None else f"{value!r:.50}, which is no text"
            raise RelevanceError(
                f"{where}, row {row}: column '{name}' is {got}. An empty string is valid text."
            )
    return values


def label_codes(task: Task) -> dict[str, int]:
    """What may stand in a label column, as text, and the code that it means.

    Names and codes both, but names alone where one of them is a number itself: a "1" of the labels
    "1" to "5" is the first of them and not the second.

    >>> from relevance.tasks.find import catalogue
    >>> label_codes(catalogue()["RTE"])
    {'0': 0, '1': 1, 'entailment': 0, 'not_entailment': 1}
    """
    names = {name: code for code, name in enumerate(task.labels)}
    if any(name.lstrip("-").isdecimal() for name in names):
        return names
    return {str(code): code for code in names.values()} | names


def label_text(value: Any) -> str:
    """A label as `label_codes` has it: `true` for a Boolean, `1` for 1 and 1.0."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _codes(task: Task, values: Sequence[Any], where: str) -> Int[np.ndarray, " row"]:
    known = label_codes(task)
    codes = [known.get(label_text(value), -1) for value in values]
    if -1 in codes:
        row = codes.index(-1)
        allowed = ", ".join(known)
        raise RelevanceError(
            f"{where}, row {row + 1}: label {values[row]!r} is not one of: {allowed}."
        )
    return np.array(codes, dtype=np.int64)


def _values(task: Task, values: Sequence[Any], where: str) -> Float[np.ndarray, " row"]:
    low, high = task.range or (-np.inf, np.inf)
    numbers = [_number(value) for value in values]
    for row, number in enumerate(numbers):
        if not low <= number <= high:
            raise RelevanceError(
                f"{where}, row {row + 1}: label {values[row]!r} is no number from {low:g} to"
                f" {high:g}, the task's `range`."
            )
    return np.array(numbers, dtype=np.float64)


def _number(value: Any) -> float:
    """NaN for what is no number."""
    try:
        return float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return float("nan")


def _groups(columns: Sequence[Sequence[Any]], where: str) -> Int[np.ndarray, " row"]:
    numbers: dict[tuple[Any, ...], int] = {}
    keys = list(zip(*columns, strict=True))
    for row, key in enumerate(keys, start=1):
        if None in key:
            raise RelevanceError(f"{where}, row {row}: a `group` column is null.")
        numbers.setdefault(key, len(numbers))
    return np.array([numbers[key] for key in keys], dtype=np.int64)

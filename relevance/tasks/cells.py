"""Cells that hold more than one value: nested in parquet and JSON Lines, JSON in csv and tsv."""

import re
from typing import Any

from relevance.disk.parsing import parse_json
from relevance.errors import RelevanceError


def nested(value: Any) -> Any:
    """A cell's value; text that is JSON as what it says.

    >>> nested('["a"]'), nested(["a"]), nested("a b")
    (['a'], ['a'], 'a b')
    """
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value, row=True)
    except RelevanceError:
        return value


def json_list(value: Any) -> list[Any] | None:
    """A cell that holds a list, or None if it holds something else."""
    found = nested(value)
    return found if isinstance(found, list) else None


def whole_number(value: Any) -> int | None:
    """A cell that holds a whole number, as a number or as text, or None for anything else.

    >>> whole_number("7"), whole_number("7.0"), whole_number(7.0), whole_number("7.5")
    (7, 7, 7, None)
    """
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(-?[0-9]{1,18})(?:\.0*)?\s*", value)
        return None if found is None else int(found[1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value and abs(value) < 1e18 and int(value) == value else None

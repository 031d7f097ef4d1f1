"""Cells that hold more than one value: nested in parquet and JSON Lines, JSON in csv and tsv."""

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

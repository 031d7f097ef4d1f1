"""Columns as a guess looks at them: plain names, number of values, numbers among them."""

import math
import re
from typing import Any

from relevance.errors import RelevanceError
from relevance.inspection.forms import Columns
from relevance.names import some
from relevance.numerals import decimal_number

NO_TEXT = re.compile(r"(.*_)?(id|idx|guid|index|url|uid|key|parse|date|split|set|source|genre)\d*")
MOST_CODES = 20
"""Different whole numbers beyond which they are values, and no codes of labels."""
FEW = 0.1
"""Distinct values by rows below which a column may hold labels."""


def key_of(name: str) -> str:
    """A column's name in lower case, with `_` for what is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def known_column(columns: Columns, asked: str) -> str:
    """A column that the user names; refused in one line where the file has none such."""
    if asked not in columns.cells:
        raise RelevanceError(
            f"column '{asked}' is not in {columns.path}. Columns: {some(list(columns.cells), 20)}."
        )
    return asked


def seen(columns: Columns) -> str:
    """All columns with their numbers of distinct values, for messages."""
    parts = [
        f"{name} ({len(set(map(str, cells))):,} values)" for name, cells in columns.cells.items()
    ]
    return f"Seen: {some(parts, 12)}."


def is_number(value: Any) -> bool:
    """Whether a cell is a finite number, or text that is one."""
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return decimal_number(value) is not None
    try:
        return isinstance(value, int | float) and math.isfinite(float(value))
    except OverflowError:  # an integer beyond what a float can hold
        return False

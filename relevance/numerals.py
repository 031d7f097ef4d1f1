"""Numbers as files and people write them: digits 0 to 9, one way for all files.

Python's own `float` and `int` read more than that: `1_0` as 10, digits of other scripts, `nan` and
`infinity`. In a file each of these is rather a slip, and a number nobody meant.
"""

import math
import re
from typing import Any

DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
INTEGER = re.compile(r"[+-]?\d{1,1000}", re.ASCII)
WHOLE = re.compile(r"(-?\d{1,18})(?:\.0*)?", re.ASCII)


def decimal_number(text: str) -> float | None:
    """The finite number that a text is, blanks around it aside; None for anything else.

    >>> decimal_number(" -1.5e2 "), decimal_number("1_0"), decimal_number("nan")
    (-150.0, None, None)
    """
    if not DECIMAL.fullmatch(text.strip()):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def ordinal(text: str) -> int | None:
    """The number that nothing but digits write, 18 at most, from 0; None for anything else.

    >>> ordinal("07"), ordinal("-1"), ordinal("1.0"), ordinal(" 1")
    (7, None, None, None)
    """
    return int(text) if len(text) <= 18 and text.isascii() and text.isdecimal() else None


def integer(text: str) -> int | None:
    """The number that digits write, with a sign or without; None for anything else.

    >>> integer("-12"), integer("3.0"), integer("1_0"), integer("1e1"), integer("True")
    (-12, None, None, None, None)
    """
    return int(text) if INTEGER.fullmatch(text.strip()) else None


def whole_number(value: Any) -> int | None:
    """A cell that holds a whole number, as a number or as text, or None for anything else.

    >>> whole_number("7"), whole_number("7.0"), whole_number(7.0), whole_number("7.5")
    (7, 7, 7, None)
    """
    if isinstance(value, str):
        found = WHOLE.fullmatch(value.strip())
        return None if found is None else int(found[1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value and abs(value) < 1e18 and int(value) == value else None

"""JSON and TOML as text, read strictly: whatever is wrong with it becomes one line."""

import json
import math
import tomllib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from relevance.errors import RelevanceError

# Python knows larger ones, arrays and TOML do not.
LARGEST_INTEGER = 2**63 - 1
# What a user may choose: numbers that follow from it, such as seeds of single runs, are larger.
LARGEST_CHOICE = LARGEST_INTEGER - 10**6
BYTE_ORDER_MARK = "\ufeff"


def parse_json(text: str | bytes, *, row: bool = False) -> Any:
    """The value that a JSON text stands for.

    Args:
        text: JSON, as text or as UTF-8 bytes; a byte order mark before it is skipped.
        row: Whether the text is a row of somebody's data, or several. Such rows may hold numbers of
            any size, and NaN and Infinity, in columns that nobody reads.

    Returns:
        Dictionaries, lists, strings, numbers, Booleans and None.

    Raises:
        RelevanceError: If it is not JSON, is nested too deeply, names a key twice, or holds half of
            a surrogate pair, an integer of thousands of digits or, unless it is a row, a number
            that no array can hold; in words that follow the name of the place.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
        value = (_ROWS if row else _OURS).decode(decoded.removeprefix(BYTE_ORDER_MARK))
        if "\\ud" in decoded.lower():  # only an escape can have brought in half of a pair
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise RelevanceError(f"not UTF-8 (byte {error.start}). Save it as UTF-8.") from None
    except UnicodeEncodeError:
        raise RelevanceError("not valid JSON: half of a surrogate pair is no character.") from None
    except json.JSONDecodeError as error:
        line = "" if row and error.lineno == 1 else f"line {error.lineno}, "
        raise RelevanceError(
            f"not valid JSON: {error.msg} at {line}column {error.colno}."
        ) from None
    except RecursionError:
        raise RelevanceError("not valid JSON: it is nested too deeply.") from None
    except ValueError as error:  # of Python's own, where an integer has too many digits
        raise RelevanceError(f"not valid JSON: {_first_words(error)}.") from None
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """The table that a TOML text stands for.

    Args:
        text: TOML; a byte order mark before it is skipped.

    Returns:
        Top-level table of the text.

    Raises:
        RelevanceError: If it is not TOML, is nested too deeply, or holds an integer of more than 64
            bits, which TOML does not have; in words that follow the name of the place.
    """
    try:
        table = tomllib.loads(text.removeprefix(BYTE_ORDER_MARK))
        _check_integers(table.values())
    except RecursionError:
        raise RelevanceError("not valid TOML: it is nested too deeply.") from None
    except ValueError as error:
        raise RelevanceError(f"not valid TOML: {_first_words(error)}.") from None
    return table


def _first_words(error: ValueError) -> str:
    """The text of an error, without advice on how to set up Python."""
    return str(error).partition("; use sys.")[0].rstrip(".")


def check_choice(name: str | None, value: object) -> None:
    """Refuse a number of a setting that could be written down, but not read again.

    Args:
        name: Name of the setting.
        value: What was chosen, of any type.

    Raises:
        RelevanceError: If it is a whole number that is too large.
    """
    if isinstance(value, int) and value > LARGEST_CHOICE:
        raise RelevanceError(f"`{name}` is too large a number. Take {LARGEST_CHOICE} at most.")


def _check_integers(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, dict):
            _check_integers(value.values())
        elif isinstance(value, list):
            _check_integers(value)
        elif isinstance(value, int):
            _check_size(value)


def _check_size(value: int) -> int:
    if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        raise ValueError(f"an integer of {len(str(abs(value)))} digits is too large")
    return value


def _integer(digits: str) -> int:
    return _check_size(int(digits))


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits:.20} is too large")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON, write null for what is not known")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary, unless a later value would quietly replace an earlier one."""
    # The usual decoder keeps the last of two values under one key and says nothing.
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{twice!r:.50} is there twice")
    return content


# decoders with hooks are made once: making one takes longer than reading a row
_ROWS = json.JSONDecoder(object_pairs_hook=_object)
_OURS = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_finite, parse_constant=_no_constant
)

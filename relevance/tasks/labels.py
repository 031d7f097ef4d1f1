"""Labels in files: names or codes, read alike in every format."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from relevance.errors import shown

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
TRUTH = {"true": True, "false": False}


class LabelNames:
    """Looks up labels as files hold them.

    A name stands for itself. Where no name is a number, codes are taken too: a whole number, as a
    number or as text. Where one is, numbers are names: 1 and "1.0" are the label "1" of "1" to "5",
    not the second of them. Booleans and their names in any case are `true` and `false`.

    Args:
        names: The labels, in the order of their codes.

    Attributes:
        names: The labels, in the order of their codes.

    >>> labels = LabelNames(["negative", "positive"])
    >>> labels.code("positive"), labels.code(1), labels.code(1.0), labels.code("1.0")
    (1, 1, 1, 1)
    >>> labels.code("Positive") is None
    True
    >>> LabelNames(["0.0", "0.5", "1.0"]).code(1)
    2
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._by_name = {name: code for code, name in enumerate(names)}
        values = {name: float(name) for name in names if NUMBER.fullmatch(name)}
        self._numbered = not values
        if self._numbered:
            values = {str(code): float(code) for code in range(len(names))}
        self._by_number = _unique(
            [
                (each, code)
                for name, value in values.items()
                for code in [int(name) if self._numbered else self._by_name[name]]
                for each in {value, _of_32_bits(value)}
            ]
        )
        self._by_truth = _unique(
            [
                (TRUTH[name.lower()], code)
                for code, name in enumerate(names)
                if name.lower() in TRUTH
            ]
        )

    def code(self, value: Any) -> int | None:
        """The code of a label.

        Args:
            value: Value as it stands in a file.

        Returns:
            Code from 0 to the number of labels less one; None if the value is none of the labels.
        """
        if isinstance(value, str):
            return self._code_of_text(value)
        if isinstance(value, bool):
            return self._by_truth.get(value)
        if isinstance(value, int | float):
            code = self._by_number.get(value)
            return self._by_name.get(_digits(value)) if code is None else code
        return None if value is None else self._code_of_text(str(value))

    def codes(self, values: Sequence[Any]) -> list[int | None]:
        """The codes of a column of labels, of which each different one is looked up once.

        Args:
            values: Values as they stand in a file.

        Returns:
            What `code` gives for each.

        >>> LabelNames(["false", "true"]).codes([True, 1, "true", 2, ["true"]])
        [1, 1, 1, None, None]
        """
        # `True`, 1 and 1.0 are one key of a dictionary, and not one label
        keys = list(zip(map(type, values), values, strict=True))
        try:
            found = {key: self.code(key[1]) for key in set(keys)}
        except TypeError:  # lists and objects are no keys
            return [self.code(value) for value in values]
        return [found[key] for key in keys]

    def refusal(self, value: Any) -> str:
        """Tell that a value is none of the labels.

        Args:
            value: Value as it stands in a file.

        Returns:
            A sentence with the value and the labels, and with the one that is meant where only case
            or blanks around it differ.
        """
        codes = map(str, range(len(self.names))) if self._numbered else ()
        allowed = ", ".join((*codes, *self.names))
        near = [name for name in self.names if _plain(name) == _plain(value)]
        hint = f" Did you mean '{near[0]}'? Case and blanks count." if len(near) == 1 else ""
        return f"{shown(value)} is not one of: {allowed}.{hint}"

    def _code_of_text(self, text: str) -> int | None:
        code = self._by_name.get(text)
        if code is None and NUMBER.fullmatch(text):
            code = self._by_number.get(float(text))
        if code is None and text.lower() in TRUTH:
            code = self._by_truth.get(TRUTH[text.lower()])
        return code


def _unique(pairs: Sequence[tuple[bool | float, int]]) -> dict[bool | float, int]:
    """The keys that mean one code alone, with their codes."""
    meant: dict[bool | float, set[int]] = {}
    for key, code in pairs:
        meant.setdefault(key, set()).add(code)
    return {key: codes.pop() for key, codes in meant.items() if len(codes) == 1}


def _of_32_bits(value: float) -> float:
    """A number as a column of 32 bits holds it, so that 0.1 is found there too."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _digits(number: int | float) -> str:
    """A number as text; no name is that of an integer of thousands of digits."""
    try:
        return str(number)
    except ValueError:
        return ""


def _plain(value: Any) -> str | None:
    return value.strip().casefold() if isinstance(value, str) else None

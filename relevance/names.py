"""Names of tasks, splits, runs, families, labels and columns, checked where they come in.

A name is shown on terminals, in tables and in figures; some are parts of paths as well. `fault`
says what is wrong with a name that is shown, `path_fault` with one that files are called by, and
`below` joins a folder with such names, so that nothing is written outside the folder.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from relevance.errors import RelevanceError, shown
from relevance.escaping import for_line

LONGEST_NAME = 200
LONGEST_PATH_NAME_BYTES = 120  # a file system takes 255, and temporary names add some
PATH_NAME = re.compile(r"[\w+-][\w.+@ -]*")
# Both reorder or hide what stands around them on a screen.
DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
INVISIBLE = frozenset("\u00ad\u200b\u2060\ufeff")


def fault(name: object) -> str | None:
    r"""Tell what is wrong with a name that people are shown.

    Args:
        name: Value of any type.

    Returns:
        Words that follow the name, such as `is empty`; None where it can stay.

    >>> fault("SST-2"), fault(" "), fault(2), fault("a\nb")
    (None, 'is empty', 'is no text', 'holds a line break')
    """
    if not isinstance(name, str):
        return "is no text"
    if not name.strip():
        return "is empty"
    if len(name) > LONGEST_NAME:
        return f"has {len(name):,} characters, {LONGEST_NAME} are the most"
    # Line breaks are told in words, which say more than the codes of these characters.
    for character in name:
        if character in "\n\r\u2028\u2029\x0b\x0c\x85":
            return "holds a line break"
        category = unicodedata.category(character)
        if category == "Cs":
            return "holds half of a surrogate pair, which is no text"
        if category == "Cc" or character in DIRECTIONS or character in INVISIBLE:
            return f"holds a control character (U+{ord(character):04X})"
    return None


def path_fault(name: object) -> str | None:
    """Tell what is wrong with a name that a file or folder gets.

    Args:
        name: Value of any type.

    Returns:
        Words that follow the name; None for letters, digits, `-`, `_`, `.`, `+`, `@` and spaces,
        neither beginning with a dot, `@` or space nor ending in a space.

    >>> path_fault("dev_mismatched"), path_fault("RTE@superglue"), path_fault("..")[:24]
    (None, None, 'may hold letters, digits')
    """
    if wrong := fault(name):
        return wrong
    text = str(name)
    if not PATH_NAME.fullmatch(text) or text.endswith(" "):
        return (
            "may hold letters, digits, '-', '_', '.', '+', '@' and spaces only, and no dot at its"
            " start"
        )
    if len(text.encode()) > LONGEST_PATH_NAME_BYTES:
        return f"is too long for a file: {LONGEST_PATH_NAME_BYTES} bytes are the most"
    return None


def check_name(name: object, what: str) -> str:
    """Refuse a name that cannot be shown.

    Args:
        name: Value of any type.
        what: Thing that is named, and where, such as `gains.json: task`.

    Returns:
        The name.

    Raises:
        RelevanceError: If it is no text, empty, too long, or holds line breaks or other control
            characters.
    """
    if wrong := fault(name):
        raise RelevanceError(f"{what} {shown(name)} {wrong}.")
    return str(name)


def check_names(names: object, what: str) -> tuple[str, ...]:
    """Refuse what is no list of names, or has a name twice or one that cannot be shown.

    Args:
        names: Value of any type, such as the `tasks` of a JSON file.
        what: Thing that each name is of, and where, such as `gains.json: task`.

    Returns:
        The names in their order.

    Raises:
        RelevanceError: If they are no list of different names.
    """
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise RelevanceError(f'{what}s must be a list such as ["RTE", "CB"], got {shown(names)}.')
    checked = tuple(check_name(name, what) for name in names)
    if repeated := twice(checked):
        raise RelevanceError(f"{what} {shown(repeated)} is named twice.")
    if alike := twice([unicodedata.normalize("NFC", name) for name in checked]):
        raise RelevanceError(
            f"{what} {shown(alike)} is named twice, its letters in two forms of Unicode. Write it"
            " in one of them."
        )
    return checked


def twice(names: Sequence[str]) -> str | None:
    """The first name that a list has a second time, None where there is none."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def some(names: Sequence[str], most: int = 4) -> str:
    """The first of several names on one line, and how many more there are.

    >>> some(["RTE", "CB"]), some(["a", "b", "c"], most=1)
    ('RTE, CB', 'a and 2 more')
    """
    shown = ", ".join(for_line(f"{name:.30}") for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def place(name: str) -> str:
    r"""A key that is equal for names that some file system takes for one.

    >>> place("Dev") == place("dev"), place("caf\u00e9") == place("cafe\u0301")
    (True, True)
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def below(folder: Path, *names: str) -> Path:
    """A path inside a folder.

    Args:
        folder: Any folder.
        *names: Names of folders, each in the one before, and last of the thing there.

    Returns:
        The path.

    Raises:
        RelevanceError: If a name would lead out of the folder, or is none for a file.
    """
    for name in names:
        if wrong := path_fault(name):
            raise RelevanceError(
                f"{folder}: nothing there can be called {shown(name)}: it {wrong}."
            )
    return folder.joinpath(*names)


def _faultless(fault_of: Callable[[object], str | None]) -> AfterValidator:
    def check(name: str) -> str:
        if wrong := fault_of(name):
            raise ValueError(f"{shown(name)} {wrong}")
        return name

    return AfterValidator(check)


Name = Annotated[str, _faultless(fault)]
"""A field of a definition or of settings that holds a name."""
PathName = Annotated[str, _faultless(path_fault)]
"""A field that holds a name which a file or folder gets."""

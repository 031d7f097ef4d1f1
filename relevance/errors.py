"""Errors a user can act on: what came, what was expected, what to do next."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

ENDLESS = re.compile(r"(\S{60})\S{440,}")
LONGEST_VALUE = 80
MOST_LISTED = 100


class RelevanceError(Exception):
    """Bad input, told in one line; the command line prints it and exits with status 2.

    Anything else that is raised keeps its traceback, because it is ours to fix. Of a word of
    hundreds of characters, as damaged files may have them, the message has the beginning.
    """

    def __str__(self) -> str:
        return ENDLESS.sub(r"\1...", super().__str__())


@contextmanager
def told_of(place: object, between: str = ": ") -> Iterator[None]:
    """Put a place before the message of bad input that the block finds.

    Args:
        place: Name of the place, such as a file.
        between: Text between the place and the message.

    Yields:
        Nothing.

    Raises:
        RelevanceError: That of the block, with the place.
    """
    try:
        yield
    except RelevanceError as error:
        raise RelevanceError(f"{place}{between}{error}") from None


def unknown_name(kind: str, name: str, known: Iterable[str]) -> RelevanceError:
    """The error for a name that nothing is registered under, with the nearest known one.

    Args:
        kind: Kind of thing that was named, in lower case, such as `measure`.
        name: The name that came.
        known: Names that there are.

    Returns:
        The error, to be raised by the caller.

    >>> print(unknown_name("measure", "vocab-overlp", ["taxonomy", "vocabulary"]))
    Unknown measure 'vocab-overlp'. Did you mean 'vocabulary'? Known: taxonomy, vocabulary.
    """
    names = sorted(known)
    by_lower = {known_name.lower(): known_name for known_name in names}
    called = f"'{name}'" if len(name) <= LONGEST_VALUE and name.isprintable() else shown(name)
    # A long name is cut first: comparing takes time with the product of both lengths.
    close = get_close_matches(name[:LONGEST_VALUE].lower(), by_lower, n=1, cutoff=0.5)
    hint = f" Did you mean '{by_lower[close[0]]}'?" if close else ""
    more = f" and {len(names) - MOST_LISTED:,} more" if len(names) > MOST_LISTED else ""
    listed = ", ".join(names[:MOST_LISTED])
    return RelevanceError(f"Unknown {kind} {called}.{hint} Known: {listed}{more}.")


def shown(value: Any) -> str:
    """A value as a message shows it, however large it is.

    >>> shown("abc"), len(shown("a" * 1000))
    ("'abc'", 80)
    """
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or an integer of too many digits
        return f"a value of type {type(value).__name__} that is too large to show"
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."

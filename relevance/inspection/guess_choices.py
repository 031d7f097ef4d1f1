"""Columns of alternatives and of candidates for a gap, guessed by names and cells."""

import re

from relevance.errors import RelevanceError
from relevance.inspection.forms import Columns
from relevance.inspection.guess import Guess
from relevance.inspection.guess_columns import key_of
from relevance.names import some
from relevance.tasks.cells import json_list
from relevance.tasks.kinds.cloze import PLACEHOLDER

CHOICE = re.compile(r"(choice|ending|option|alternative|sol)_?(\d{1,2})")
CANDIDATES = frozenset({"entities", "candidates", "options"})
"""Names of columns that list what may fill a gap."""


def numbered_choices(train: Columns, guess: Guess) -> list[str]:
    """Columns of alternatives by their numbers, which labels count by, wherever they stand.

    Numbers go up one by one; columns behind a number that is missing are none.
    """
    found = {name: CHOICE.fullmatch(key_of(name)) for name in train.cells}
    numbers = {name: int(each[2]) for name, each in found.items() if each}
    if len(set(numbers.values())) < len(numbers):
        raise RelevanceError(
            f"{train.path}: {some(list(numbers))} look like alternatives, and two have one number."
            " Name the columns of texts with `text`, or write the definition by hand."
        )
    named, first = sorted(numbers, key=lambda name: numbers[name]), min(numbers.values(), default=0)
    row = [name for place, name in enumerate(named, start=first) if numbers[name] == place]
    if len(row) > 1 and (beside := named[len(row) :]):
        guess.unsure.append(
            f"{some(row)} are taken for all alternatives, without {some(beside)}: numbers between"
            " are missing."
        )
    return row


def gap_columns(train: Columns, gold: str) -> tuple[str, str] | tuple[None, None]:
    """A column of queries with a gap each, and one of lists of what may fill it."""
    queries = [
        name
        for name, cells in train.cells.items()
        if all(isinstance(each, str) and PLACEHOLDER in each for each in cells)
    ]
    lists = [
        name
        for name, cells in train.cells.items()
        if name != gold and key_of(name) in CANDIDATES and all(map(json_list, cells))
    ]
    return (queries[0], lists[0]) if queries and lists else (None, None)

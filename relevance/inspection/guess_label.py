"""The label column of a file, guessed by its name or its few distinct values."""

from collections.abc import Sequence
from typing import Any

from relevance.errors import RelevanceError
from relevance.inspection.forms import Columns
from relevance.inspection.guess import Guess
from relevance.inspection.guess_columns import (
    FEW,
    MOST_CODES,
    NO_TEXT,
    is_number,
    key_of,
    known_column,
    seen,
)
from relevance.names import some
from relevance.tasks.cells import nested
from relevance.tasks.task import MOST_LABELS

LABELS = (
    *("gold_label", "label", "labels", "tags", "ner_tags", "tag", "answers", "target", "class"),
    *("score", "gold", "gold_score", "similarity", "similarity_score", "relatedness_score"),
    *(
        "entailment_judgment",
        "entailment_label",
        "is_duplicate",
        "quality",
        "sentiment",
        "polarity",
        "category",
    ),
    *("stars", "rating", "intent", "emotion", "stance", "y"),
)
"""Names of label columns, in lower case and with `_` for what is no letter or digit."""


def guess_label(train: Columns, guess: Guess, asked: str | None) -> str:
    """The column that a user asks for, or the one that looks like labels."""
    if asked is not None:
        return known_column(train, asked)
    named = {key_of(name): name for name in reversed(train.cells)}
    possible = [named[key] for key in LABELS if key in named and _fits(train.cells[named[key]])]
    if len(possible) > 1:
        guess.unsure.append(
            f"The label may be {some(possible[1:])} as well as {possible[0]}: choose with `label`."
        )
    if possible:
        return possible[0]
    few = [
        name
        for name, cells in train.cells.items()
        if not NO_TEXT.fullmatch(key_of(name)) and _few(cells)
    ]
    if not few:
        raise RelevanceError(
            f"{train.path}: no column looks like labels: none is called {', '.join(LABELS[:3])},"
            f" ... and none has few distinct values. {seen(train)} Choose one with `label`."
        )
    guess.unsure.append(
        f"'{few[-1]}' is taken for the label as it has few distinct values"
        + (f", which {some(few[:-1])} has too." if len(few) > 1 else ".")
    )
    return few[-1]


def _fits(cells: Sequence[Any]) -> bool:
    """Whether a column that is called a label can be one."""
    plain = isinstance(nested(cells[0]), str | int | float)
    return _few(cells) or all(map(is_number, cells)) or not plain


def _few(cells: Sequence[Any]) -> bool:
    """Whether a column has few distinct values, two at least."""
    distinct = len(set(map(str, cells)))
    return (
        1 < distinct <= max(2, min(MOST_LABELS, FEW * len(cells)), min(MOST_CODES, len(cells) // 2))
    )

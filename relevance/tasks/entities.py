"""Entities in BIO tags, and how many of them were found."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from relevance.tasks.data import Labels

OUTSIDE = "O"


class Entity(NamedTuple):
    """Some words in a row that name one thing.

    Attributes:
        type: Kind of thing, such as `person`.
        start: Number of the first word, from 0.
        end: Number of the word after the last.
    """

    type: str
    start: int
    end: int


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities that BIO tags mark.

    An I- that follows no tag of its own type begins an entity, as in CoNLL's script and in seqeval.

    Args:
        tags: `O`, `B-type` or `I-type` for each word.

    Returns:
        The entities from left to right.

    >>> entities(["O", "B-person", "I-person", "I-group", "O", "B-group", "B-group"])[:2]
    [Entity(type='person', start=1, end=3), Entity(type='group', start=3, end=4)]
    """
    found: list[Entity] = []
    start, inside = 0, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        mark, _, kind = tag.partition("-")
        if inside and (mark != "I" or kind != inside):
            found.append(Entity(inside, start, place))
            inside = ""
        if not inside and kind:
            start, inside = place, kind
    return found


def entity_counts(gold: Labels, predicted: Labels) -> Int[np.ndarray, "row 3"]:
    """Counts of entities per row: rightly found (both type and borders), found, and there."""
    rows = [
        (set(entities(of_row)), set(entities(said)))
        for of_row, said in zip(gold, predicted, strict=True)
    ]
    return np.array([(len(is_ & said), len(said), len(is_)) for is_, said in rows])

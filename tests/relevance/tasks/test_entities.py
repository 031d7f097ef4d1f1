"""Entities of BIO tags, against a slow reading of what the tags mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.tasks.data import Split, as_rows
from relevance.tasks.entities import Entity, entities, entity_counts
from relevance.tasks.metrics import FUNCTIONS

TAGS = st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b", "B-a-b"]), max_size=9)


def plain(tags: list[str]) -> set[tuple[str, int, int]]:
    """All stretches that begin where an entity may, go on with I- of their type and then end."""

    def begins(place: int) -> bool:
        mark, _, kind = tags[place].partition("-")
        before = tags[place - 1] if place else "O"
        return mark == "B" or (mark == "I" and before not in (f"B-{kind}", f"I-{kind}"))

    found = set()
    for start in range(len(tags)):
        for end in range(start + 1, len(tags) + 1):
            kind = tags[start].partition("-")[2]
            goes_on = all(tag == f"I-{kind}" for tag in tags[start + 1 : end])
            stops = end == len(tags) or tags[end] != f"I-{kind}"
            if tags[start] != "O" and begins(start) and goes_on and stops:
                found.add((kind, start, end))
    return found


@given(TAGS)
def test_entities_are_the_plain_ones(tags: list[str]) -> None:
    found = entities(tags)
    assert set(found) == plain(tags)
    assert [entity.start for entity in found] == sorted(entity.start for entity in found)


@given(st.lists(TAGS.flatmap(lambda tags: st.tuples(st.just(tags), st.permutations(tags)))))
def test_f1_is_that_of_the_plain_ones(rows: list[tuple[list[str], list[str]]]) -> None:
    gold, said = ([row[side] for row in rows] for side in (0, 1))
    is_, found = (
        {(row, *entity) for row, tags in enumerate(side) for entity in plain(tags)}
        for side in (gold, said)
    )
    expected = 2 * len(is_ & found) / (len(is_) + len(found)) if is_ or found else 0.0
    split = Split(([""] * max(len(rows), 1),), as_rows(gold or [()]))
    assert FUNCTIONS["entity_f1"](split, as_rows(said or [()])) == pytest.approx(expected)


def test_a_tag_that_continues_nothing_begins_an_entity() -> None:
    assert entities(["I-a", "I-b", "I-b", "B-b", "O", "I-a"]) == [
        Entity("a", 0, 1),
        Entity("b", 1, 3),
        Entity("b", 3, 4),
        Entity("a", 5, 6),
    ]


def test_right_is_what_has_type_and_borders() -> None:
    gold = as_rows([("B-a", "I-a", "O", "B-b"), ()])
    said = as_rows([["B-a", "O", "O", "B-b"], []])
    np.testing.assert_array_equal(entity_counts(gold, said), [[1, 2, 2], [0, 0, 0]])

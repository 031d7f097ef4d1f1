"""Sequences made of texts: what stands where, and what gives way when it is too long."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hmnet.data.template import Pieces, Template, assemble, kept_lengths

BERT = Template(prefix=(101,), middle=(102,), suffix=(102,))
ROBERTA = Template(prefix=(0,), middle=(2, 2), suffix=(2,))
LENGTHS = st.integers(1, 3).flatmap(
    lambda parts: st.lists(
        st.lists(st.integers(0, 30), min_size=parts, max_size=parts), min_size=1, max_size=5
    )
)


def pieces(column: list[list[int]]) -> Pieces:
    lengths = [len(text) for text in column]
    return Pieces(
        ids=np.array([token for text in column for token in text], dtype=np.int32),
        starts=np.cumsum([0, *lengths])[:-1],
        lengths=np.array(lengths, dtype=np.int64),
    )


def sequences(template: Template, columns: list[list[list[int]]], *limits: int) -> list[list[int]]:
    made = assemble(template, [pieces(column) for column in columns], *limits)
    return [made.ids[a:b].tolist() for a, b in zip(made.offsets, made.offsets[1:], strict=False)]


def drop_one_by_one(lengths: list[int], budget: int, truncate: int | None) -> list[int]:
    """The rule in words: the text that gives way, then the longest, token by token from its end."""
    left = list(lengths)
    order = np.argsort(lengths, kind="stable")  # of equally long ones, cut the one shorter before
    while sum(left) > budget:
        if truncate is not None and left[truncate]:
            left[truncate] -= 1
        else:
            left[next(part for part in order if left[part] == max(left))] -= 1
    return left


@given(LENGTHS, st.integers(0, 40), st.integers(0, 3))
def test_kept_lengths_are_those_of_dropping_tokens_one_by_one(
    lengths: list[list[int]], budget: int, choice: int
) -> None:
    truncate = choice if choice < len(lengths[0]) else None

    kept = kept_lengths(np.array(lengths), budget, truncate)

    assert kept.tolist() == [drop_one_by_one(row, budget, truncate) for row in lengths]


def test_the_passage_gives_way_and_the_question_and_the_answer_never() -> None:
    kept = kept_lengths(np.array([[10, 300, 5], [10, 20, 5]]), 50, 1)

    assert kept.tolist() == [[10, 35, 5], [10, 20, 5]]


def test_others_give_way_only_where_they_alone_are_too_long() -> None:
    assert kept_lengths(np.array([[60, 300, 5]]), 50, 1).tolist() == [[45, 0, 5]]


@given(
    st.lists(
        st.tuples(*[st.lists(st.integers(1000, 1100), max_size=12)] * 2), min_size=1, max_size=4
    ),
    st.sampled_from([BERT, ROBERTA]),
    st.integers(5, 30),
)
def test_texts_are_kept_in_order_from_their_beginning(
    rows: list[tuple[list[int], list[int]]], template: Template, max_length: int
) -> None:
    columns = [[row[0] for row in rows], [row[1] for row in rows]]
    special = template.special_count(2)

    made = sequences(template, columns, max_length)

    for (a, b), sequence in zip(rows, made, strict=True):
        left, right = drop_one_by_one([len(a), len(b)], max_length - special, None)
        assert len(sequence) <= max_length
        assert sequence == [
            *template.prefix,
            *a[:left],
            *template.middle,
            *b[:right],
            *template.suffix,
        ]


def test_one_two_and_three_texts() -> None:
    assert sequences(BERT, [[[7, 8]]], 9) == [[101, 7, 8, 102]]
    assert sequences(BERT, [[[7, 8]], [[9]]], 9) == [[101, 7, 8, 102, 9, 102]]
    assert sequences(BERT, [[[7]], [[8]], [[9]]], 9) == [[101, 7, 102, 8, 102, 9, 102]]
    assert sequences(ROBERTA, [[[7]], [[8]], [[9]]], 9) == [[0, 7, 2, 2, 8, 2, 2, 9, 2]]


def test_segment_0_ends_behind_the_first_separator() -> None:
    one = assemble(BERT, [pieces([[7, 8], []])], 9)
    three = assemble(BERT, [pieces([[7, 8], []]), pieces([[9], [9]]), pieces([[5], [5]])], 20)

    assert one.first.tolist() == [4, 2]
    assert three.first.tolist() == [4, 2]


def test_empty_texts_and_no_rows() -> None:
    assert sequences(BERT, [[[]], [[]]], 9) == [[101, 102, 102]]
    assert sequences(BERT, [[]], 9) == []

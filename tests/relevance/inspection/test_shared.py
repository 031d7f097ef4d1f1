import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relevance.inspection.shared import Shared, shared_rows, shared_training
from relevance.tasks.data import Split
from relevance.tasks.overlap import rows_with, shared_texts

columns = st.lists(st.tuples(st.sampled_from("abcd "), st.sampled_from(["", "a", "x"])), min_size=1)


def split_of(rows: list[tuple[str, ...]]) -> Split:
    texts = tuple(map(list, zip(*rows, strict=True)))
    return Split(texts, np.zeros(len(rows), dtype=np.int64))


def test_rows_with_a_text_and_rows_that_are_the_same() -> None:
    train = split_of([("a", "b"), ("c", ""), ("", "")])
    dev = split_of([("a", "b"), ("b", "a"), ("x", "c"), ("", ""), ("", "y")])
    found = shared_rows([("A", train)], [("A", "dev", dev), ("B", "dev", split_of([("z",)]))])
    assert found == (Shared("A", "A", "dev", rows=3, whole_rows=1, of=5),)


def test_tasks_of_one_data_set_train_on_the_same_rows() -> None:
    first = split_of([("a", "b"), ("c", "d"), ("c", "d")])
    second = split_of([("c", "d"), ("b", "a"), ("c", "d"), ("", "x")])
    other = split_of([("a",), ("b",)])
    found = shared_training([("A", first), ("O", other), ("A@b", second)])
    assert found == (Shared("A", "A@b", "train", rows=2, whole_rows=2, of=4),)
    few = split_of([("c", "d"), *((str(number), "") for number in range(100))])
    assert shared_training([("A", first), ("F", few)]) == ()


@given(st.lists(columns, min_size=1, max_size=3), st.lists(columns, min_size=1, max_size=3))
def test_as_looking_at_one_pair_after_another(
    trained: list[list[tuple[str, str]]], scored: list[list[tuple[str, str]]]
) -> None:
    sources = [(f"S{number}", split_of(rows)) for number, rows in enumerate(trained)]
    targets = [(f"T{number}", "dev", split_of(rows)) for number, rows in enumerate(scored)]
    expected = {
        (source, target): len(rows_with(dev, shared_texts(train, dev)))
        for source, train in sources
        for target, _, dev in targets
        if shared_texts(train, dev)
    }
    found = shared_rows(sources, targets)
    assert {(each.source, each.target): each.rows for each in found} == expected
    assert all(each.whole_rows <= each.rows <= each.of for each in found)

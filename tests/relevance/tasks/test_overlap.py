import numpy as np

from relevance.tasks.data import Split
from relevance.tasks.overlap import rows_with, shared_texts


def split_of(*columns: list[str]) -> Split:
    return Split(columns, np.arange(len(columns[0])))


def test_texts_count_in_any_column_and_the_empty_one_does_not() -> None:
    train = split_of(["a", "b", "", "d"], ["c", "", "e", "f"])
    evaluation = split_of(["c", "x", "", "b", "A", "d "])
    assert shared_texts(train, evaluation) == {"b", "c"}


def test_rows_with_a_shared_text_in_any_column() -> None:
    train = split_of(["a", "b", "", "d"], ["c", "", "e", "f"])
    assert rows_with(train, {"b", "c"}).tolist() == [0, 1]
    assert rows_with(train, frozenset()).tolist() == []

import numpy as np
import pytest

from relevance.errors import RelevanceError
from relevance.tasks.data import Split
from relevance.tasks.overlap import shared_texts, without


def split_of(*columns: list[str]) -> Split:
    return Split(columns, np.arange(len(columns[0])))


def test_texts_count_in_any_column_and_the_empty_one_does_not() -> None:
    train = split_of(["a", "b", "", "d"], ["c", "", "e", "f"])
    evaluation = split_of(["c", "x", "", "b", "A", "d "])
    assert shared_texts(train, evaluation) == {"b", "c"}


def test_rows_with_a_shared_text_are_dropped() -> None:
    train = split_of(["a", "b", "", "d"], ["c", "", "e", "f"])
    rest = without(train, {"b", "c"})
    assert [list(column) for column in rest.texts] == [["", "d"], ["e", "f"]]
    assert rest.labels.tolist() == [2, 3]
    assert without(train, frozenset()) is train


def test_nothing_left() -> None:
    with pytest.raises(RelevanceError, match=r"^all 2 training rows hold a text of the evaluation"):
        without(split_of(["a", "b"]), {"a", "b"})

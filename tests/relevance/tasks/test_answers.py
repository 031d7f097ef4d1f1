"""SQuAD's rules, on examples of its evaluation scripts and against a plain reading of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.tasks.answers import best, exact, normalised, overlap
from relevance.tasks.data import as_rows


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The Normans", "normans"),
        ("a  an\tthe", ""),
        ("U.S.A.", "usa"),
        ("$1,000.50", "100050"),
        ("anthem", "anthem"),
        ("rock-and-roll", "rockandroll"),
        ("Beyoncé «the»", "beyoncé « »"),
        ("\ufeffthe dog\u200b", "dog"),
        ("so\u00adft\u00a0hyphen", "soft hyphen"),
        ("saute\u0301", "saute\u0301"),
        ("", ""),
    ],
)
def test_what_is_compared(answer: str, expected: str) -> None:
    assert normalised(answer) == expected


@pytest.mark.parametrize(
    ("answer", "gold", "em", "f1"),
    [
        ("Denver Broncos", "The Denver Broncos!", 1.0, 1.0),
        ("the Broncos", "Denver Broncos", 0.0, 2 / 3),
        ("in the 10th century", "10th and 11th centuries", 0.0, 2 / 7),
        ("no no no", "no", 0.0, 0.5),
        ("", "", 1.0, 1.0),
        ("", "France", 0.0, 0.0),
        ("France", "", 0.0, 0.0),
        ("the", "", 1.0, 1.0),
    ],
)
def test_one_answer_beside_another(answer: str, gold: str, em: float, f1: float) -> None:
    assert exact(answer, gold) == em
    assert overlap(answer, gold) == pytest.approx(f1)


def test_the_nearest_of_several_counts_and_none_is_the_empty_one() -> None:
    golds = as_rows([(("France", 0), ("in France", 3)), (), (("the", 0),)])
    answers = as_rows(["in France", "", "no"])
    assert best(exact, golds, answers).tolist() == [1.0, 1.0, 0.0]
    np.testing.assert_allclose(
        best(overlap, golds, as_rows(["France now", "x", ""])), [2 / 3, 0, 1]
    )


WORDS = st.lists(
    st.sampled_from(["a", "the", "river", "city", "Dog", "dog.", "."]), max_size=5
).map(" ".join)


@given(WORDS, WORDS)
def test_f1_is_that_of_words_paired_off(answer: str, gold: str) -> None:
    left = normalised(gold).split()
    paired = 0
    for word in normalised(answer).split():
        if word in left:
            left.remove(word)
            paired += 1
    precision, recall = (paired / max(len(normalised(text).split()), 1) for text in (answer, gold))
    expected = 2 * precision * recall / (precision + recall) if paired else 0.0
    if not normalised(answer) and not normalised(gold):
        expected = 1.0
    assert overlap(answer, gold) == pytest.approx(expected)

"""Rows of GLUE and SuperGLUE as they are published, as the catalogue's tasks read them."""

from typing import Any

import pytest

from relevance.errors import RelevanceError
from relevance.tasks.find import catalogue
from relevance.tasks.published import published_rows

PASSAGE = {
    "idx": 7,
    "version": 1.1,
    "passage": {
        "text": "Ann left.",
        "questions": [
            {
                "question": "Who?",
                "idx": 3,
                "answers": [{"text": "Ann", "idx": 4}, {"text": "", "idx": 5}],
            },
            {"question": "Why?", "idx": 9, "answers": [{"text": "Ω", "idx": 11}]},
        ],
    },
}


@pytest.mark.parametrize(
    ("task", "row"),
    [
        ("RTE", {"premise": "a", "hypothesis": "b"}),
        ("CB", {"premise": "a", "hypothesis": "b"}),
        ("QNLI", {"question": "a", "sentence": "b"}),
        ("QQP", {"question1": "a", "question2": "b"}),
        ("MRPC", {"#1 String": "a", "#2 String": "b"}),
        ("STS-B", {"source1": "x", "sentence1": "a", "sentence2": "b"}),
    ],
)
def test_pairs_are_found_by_the_names_that_benchmarks_have(task: str, row: dict[str, Any]) -> None:
    (found,) = published_rows(catalogue()[task], row)
    assert (found["sentence1"], found["sentence2"]) == ("a", "b")


def test_a_passage_becomes_a_row_for_each_answer() -> None:
    rows = list(published_rows(catalogue()["MultiRC"], PASSAGE))
    columns = ("question", "answer", "idx_paragraph", "idx_question", "idx_answer")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("Who?", "Ann", 7, 3, 4),
        ("Who?", "", 7, 3, 5),
        ("Why?", "Ω", 7, 9, 11),
    ]
    assert {row["paragraph"] for row in rows} == {"Ann left."}


def test_what_is_nested_becomes_columns() -> None:
    spans = {"span1_index": 0, "span1_text": "Ann"}
    (found,) = published_rows(catalogue()["WSC"], {"text": "Ann left", "idx": 4, "target": spans})
    assert {**spans, "text": "Ann left", "idx": 4}.items() <= found.items()
    idx = {"paragraph": 0, "question": 1, "answer": 2}
    (found,) = published_rows(catalogue()["MultiRC"], {"paragraph": "p", "idx": idx})
    assert found == {"paragraph": "p", "idx_paragraph": 0, "idx_question": 1, "idx_answer": 2}


@pytest.mark.parametrize("questions", [None, "x", [1]])
def test_a_passage_that_is_nested_otherwise(questions: Any) -> None:
    row = {"idx": 0, "passage": {"text": "t", "questions": questions}}
    with pytest.raises(RelevanceError, match="expected a list of objects under 'questions'"):
        list(published_rows(catalogue()["MultiRC"], row))

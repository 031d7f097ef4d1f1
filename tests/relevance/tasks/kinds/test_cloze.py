"""Queries with a gap: candidates, right answers, EM, F1 and majority by hand, forms of files."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import RelevanceError
from relevance.tasks.check import to_split
from relevance.tasks.data import DataOptions, as_rows
from relevance.tasks.find import catalogue
from relevance.tasks.kinds.cloze import asked, right_places
from relevance.tasks.kinds.kind import kind_of
from relevance.tasks.load import load_split, load_task, load_training_texts
from relevance.tasks.metrics import majority, score
from relevance.tasks.task import Task
from small_tasks import write_rows

RECORD = catalogue()["ReCoRD"]
FIELDS: dict[str, Any] = {
    "name": "GAPS",
    "family": "question_answering",
    "kind": "cloze",
    "text": ("query",),
    "metrics": ("span_em",),
}
PASSAGE = "Ann Lee met Bob. The U.S. sent Ann."


def split_of(*rows: tuple[list[str], Any]) -> Any:
    candidates, answers = map(list, zip(*rows, strict=True))
    texts = {"passage": [PASSAGE] * len(rows), "query": ["@placeholder won."] * len(rows)}
    return to_split(RECORD, {**texts, "entities": candidates, "answers": answers}, "here")


def test_repeated_candidates_are_one_and_all_right_ones_are_found() -> None:
    split = split_of(
        (["Ann", "Bob", "Ann", "Ann Lee", "Bob"], ["Ann Lee", "Ann"]),
        (["US", "u.s.", "Bob"], ["The U.S."]),
        (["Bob", "bob "], "Bob"),
        (["Ann"], [{"text": "Eve"}]),
    )
    assert asked(split.texts[1][0]) == ("@placeholder won.", ["Ann", "Bob", "Ann Lee"])
    assert list(map(right_places, split.labels)) == [[2, 0], [0, 1], [0, 1], []]
    assert split.labels[3] == (("Eve", -1),)
    assert kind_of(RECORD).label_counts(split.labels) == {"one right": 0, "several": 3, "none": 1}
    assert kind_of(RECORD).inputs(split.texts[1][0])[2] == "Ann Lee won."


def test_em_and_f1_by_hand() -> None:
    split = split_of(
        (["Ann", "Bob"], ["Ann Lee", "Bob"]),  # EM 0; F1 with "Ann Lee": P 1, R 1/2, so 2/3
        (["US", "Bob"], ["the U.S."]),  # "us" is "us": articles and full stops don't count
        (["Ann Lee Smith", "Bob"], ["Lee Smith Jones", "Smith"]),  # 2 of 3 and 3: F1 2/3; or 1/2
        (["Bob", "Ann"], ["Ann"]),
    )
    said = as_rows(["Ann", "US", "Ann Lee Smith", "Bob"])
    assert score(RECORD, split, said) == {
        "span_f1": pytest.approx((2 / 3 + 1 + 2 / 3 + 0) / 4),
        "span_em": 0.25,
    }


def test_majority_by_hand() -> None:
    train = split_of((["a", "b"], "b"), (["c", "d"], ["d"]), (["e", "f"], ["e", "f"]))
    split = split_of((["x", "y", "z"], "z"), (["x"], "x"), (["x", "y"], ["x", "y"]), (["x"], "q"))
    found = majority(RECORD, train, split)
    # places 0, 1, 2 were right 1, 3, 0 times; with one added 2, 4, 1
    assert found.predictions == ["y", "x", "y", "x"]
    assert found.losses == pytest.approx([math.log(7 / 1), 0, 0, 0])
    assert found.metrics["span_em"] == 0.5


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=6))
def test_any_candidates_come_out_as_they_went_in(candidates: list[str]) -> None:
    kept = dict.fromkeys(
        each.replace("\u2029", "\n").replace("\ufff9", "") or "x" for each in candidates
    )
    cleaned = [each for each in kept if each.strip()] or ["x"]
    columns = {"passage": ["\ufff9 x"], "query": ["\ufff9@placeholder\u2029"]}
    split = to_split(RECORD, {**columns, "entities": [cleaned], "answers": [cleaned[:1]]}, "x")
    assert asked(split.texts[1][0]) == (columns["query"][0], cleaned)
    assert 0 in right_places(split.labels[0])


PUBLISHED = {
    "source": "x",
    "idx": 3,
    "passage": {
        "text": PASSAGE,
        "entities": [{"start": 0, "end": 6}, {"start": 12, "end": 14}, {"start": 31, "end": 33}],
    },
    "qas": [
        {
            "idx": 40,
            "query": "@placeholder was met.",
            "answers": [{"start": 12, "end": 14, "text": "Bob"}] * 2,
        },
        {
            "idx": 41,
            "query": "@placeholder met.",
            "answers": [{"text": "Ann Lee"}, {"text": "Ann"}],
        },
    ],
}


def test_superglues_own_lines_are_the_hubs_flat_rows(tmp_path: Path) -> None:
    entities = ["Ann", "Ann Lee", "Bob"]
    flat = [
        {"passage": PASSAGE, "query": q["query"], "entities": entities, "answers": answers}
        for q, answers in zip(PUBLISHED["qas"], (["Bob"], ["Ann", "Ann Lee"]), strict=True)
    ]
    for name, rows in (("own", [PUBLISHED]), ("flat", flat)):
        for split in ("train", "dev"):
            write_rows(tmp_path / name / "record" / f"{split}.jsonl", rows)
    nested = [{**row, "entities": json.dumps(entities)} for row in flat]
    for split in ("train", "dev"):
        rows = [{**row, "answers": json.dumps(row["answers"])} for row in nested]
        write_rows(tmp_path / "csv" / "record" / f"{split}.csv", rows)
    own, *others = (
        load_task(RECORD, DataOptions(tmp_path / name)) for name in ("own", "flat", "csv")
    )
    assert [each.fingerprint for each in others] == [own.fingerprint] * 2
    assert own.train.labels.tolist() == [(("Bob", 2),), (("Ann", 0), ("Ann Lee", 1))]
    seen = load_training_texts(RECORD, DataOptions(tmp_path / "own")).texts
    assert seen[1][0] == "Ann\nAnn Lee\nBob was met."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"passage": {"text": 7, "entities": []}}, "line 1: 'text' of the passage is 7, no text."),
        ({"passage": {"text": "Ann"}}, "expected a list of objects under 'entities'."),
        ({"passage": {"text": "Ann", "entities": [{"start": 0, "end": 3}]}}, "[0, 3] is no span"),
        ({"qas": [7]}, "expected a list of objects under 'qas'."),
        ({"qas": [{"query": "@placeholder"}]}, "column 'answers' is not in"),
        ({"qas": [{"query": None, "answers": []}]}, "row 1: column 'query' is null."),
    ],
)
def test_published_lines_that_cannot_be_read(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    for split in ("train", "dev"):
        write_rows(tmp_path / "record" / f"{split}.jsonl", [PUBLISHED | change])
    with pytest.raises(RelevanceError) as caught:
        load_task(RECORD, DataOptions(tmp_path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("query", "candidates", "answers", "message"),
    [
        ("won.", ["a"], "a", "column 'query' has no '@placeholder' in 'won.'. The last column"),
        ("", ["a"], "a", "column 'query' has no '@placeholder' in ''."),
        ("@placeholder", [], "a", "column 'entities' has no candidate. A row needs one."),
        ("@placeholder", ["a", " "], "a", "candidate 1 of '@placeholder' is blank."),
        ("@placeholder", ["a", 3], "a", "column 'entities' has 3 as candidate 1, no text."),
        ("@placeholder", "a", "a", "is 'a', expected a list of candidates; in csv and tsv"),
        ("@placeholder", ["a"], 0, "column 'answers' is 0, expected the right answer as text"),
        ("@placeholder", ["a"], None, "column 'answers' is None, expected the right answer"),
        ("@placeholder", ["a"], ["", " "], "column 'answers' has no answer."),
    ],
)
def test_a_row_that_cannot_be_read(query: str, candidates: Any, answers: Any, message: str) -> None:
    columns = {"passage": [""], "query": [query], "entities": [candidates], "answers": [answers]}
    with pytest.raises(RelevanceError, match=r"^here, row 1: ") as caught:
        to_split(RECORD, columns, "here")
    assert message in str(caught.value)


def test_a_gap_and_columns_of_a_users_own() -> None:
    task = Task(**FIELDS, choices=("a", "b"), placeholder="___")
    columns = {"query": ["___ e ___"], "a": ["שלום"], "b": ["🙂"], "label": ["🙂"]}
    split = to_split(task, columns, "here")
    assert kind_of(task).inputs(split.texts[0][0]) == ["שלום e שלום", "🙂 e 🙂"]
    assert split.labels[0] == (("🙂", 1),)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "a cloze task needs `choices`: a column for each candidate"),
        ({"choices": ("a",), "labels": ("x", "y")}, "a cloze task has `choices` and no `labels`"),
        ({"choices": ("a",), "truncate": "query"}, "names 'query', the query, which is read whole"),
        ({"choices": ("a",), "metrics": ("accuracy",)}, "is not one for cloze: span_em, span_f1"),
        ({"choices": ("a",), "first": 1}, "`first` means nothing to a task of kind cloze"),
        ({"choices": ("a",), "kind": "span", "placeholder": "_"}, "means nothing to a task of"),
    ],
)
def test_a_definition_that_leaves_something_open(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Task(**FIELDS | fields)


def test_record_as_it_is_at_hand(data_dir: Path) -> None:
    train, dev = (load_split(RECORD, name, data_dir) for name in ("train", "dev"))
    assert (len(train), len(dev)) == (50, 43)
    assert all(map(right_places, dev.labels))
    assert majority(RECORD, train, dev).metrics["span_em"] == pytest.approx(10 / 43)

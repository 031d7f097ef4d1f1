"""Alternatives in files: columns and lists, what can be wrong, accuracy and majority by hand."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from relevance.errors import RelevanceError
from relevance.tasks.check import to_split
from relevance.tasks.data import DataOptions
from relevance.tasks.find import catalogue
from relevance.tasks.kinds.kind import kind_of
from relevance.tasks.kinds.multiple_choice import alternatives
from relevance.tasks.load import load_split, load_task, load_training_texts
from relevance.tasks.metrics import majority, score
from relevance.tasks.task import Task
from small_tasks import write_rows

FIELDS: dict[str, Any] = {
    "name": "PLANS",
    "family": "commonsense_reasoning",
    "kind": "multiple-choice",
    "text": ("premise",),
    "metrics": ("accuracy",),
}
LISTED = Task(**FIELDS, choices=("plans",))
APART = Task(**FIELDS, choices=("a", "b", "c"))
ROWS: list[list[str]] = [["run", "", "שלום 🙂"], ["stay"], ["run\nor hide", 'say "no", twice']]


def listed(rows: list[list[str]], labels: list[Any]) -> dict[str, list[Any]]:
    return {"premise": ["it burns"] * len(rows), "plans": list(rows), "label": labels}


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_lists_are_read_from_every_kind_of_file(tmp_path: Path, suffix: str) -> None:
    nested = suffix != ".csv"
    rows = [
        {"premise": "it burns", "plans": plans if nested else json.dumps(plans), "label": label}
        for plans, label in zip(ROWS, [2, 0, 1], strict=True)
    ]
    for split in ("train", "dev"):
        write_rows(tmp_path / "plans" / f"{split}{suffix}", rows)
    train = load_task(LISTED, DataOptions(tmp_path)).train
    assert list(map(alternatives, train.texts[1])) == ROWS
    assert train.labels.tolist() == [2, 0, 1]
    seen = load_training_texts(LISTED, DataOptions(tmp_path)).texts[1]
    assert seen[0] == "run\n\n" + ROWS[0][2]


def test_a_row_of_columns_ends_where_nothing_follows() -> None:
    columns = {"premise": ["x", "y"], "a": ["1", "2"], "b": ["3", None], "c": ["4", None]}
    split = to_split(APART, {**columns, "label": ["2", 0.0]}, "here")
    assert list(map(alternatives, split.texts[1])) == [["1", "3", "4"], ["2"]]
    assert split.labels.tolist() == [2, 0]


def test_letters_begin_at_a_and_numbers_where_the_definition_says() -> None:
    from_one = LISTED.model_copy(update={"first": 1})
    rows = [["w", "x", "y", "z"]] * 4
    assert to_split(LISTED, listed(rows, ["A", " D", 2, "0"]), "x").labels.tolist() == [0, 3, 2, 0]
    split = to_split(from_one, listed(rows, ["A", "D", 1, "4"]), "x")
    assert split.labels.tolist() == [0, 3, 0, 3]
    assert kind_of(from_one).label_counts(split.labels) == {"1": 2, "2": 0, "3": 0, "4": 2}
    swapped = Task(**FIELDS, choices=("B", "A"))  # a column's own name wins
    columns = {"premise": ["p"], "B": ["x"], "A": ["y"], "label": ["A"]}
    assert to_split(swapped, columns, "x").labels.tolist() == [1]


def test_numbers_that_seem_to_count_from_one_are_never_shifted() -> None:
    rows = [["w", "x", "y", "z"]] * 29
    with pytest.raises(RelevanceError, match=r"no label of 29 rows is 0, .* Say `first = 1`"):
        to_split(LISTED, listed(rows, [1, 2, 3] * 9 + [1, 2]), "x")
    with pytest.raises(RelevanceError, match=r"A to D. If they count from 1, say `first = 1` in"):
        to_split(LISTED, listed(rows[:2], [1, 4]), "x")
    stated = LISTED.model_copy(update={"first": 0})
    assert to_split(stated, listed(rows, [3] * 29), "x").labels.tolist() == [3] * 29
    assert to_split(LISTED, listed(rows[:28], [3] * 28), "x").labels.tolist() == [3] * 28


def test_accuracy_and_majority_by_hand() -> None:
    rows = [["a", "b"], ["a"], ["a", "b", "c"], ["a", "b"]]
    split = to_split(LISTED, listed(rows, [1, 0, 1, 0]), "x")
    train = to_split(LISTED, listed([["a", "b"]] * 3, [1, 1, 0]), "x")
    assert score(LISTED, split, split.labels * 0) == {"accuracy": 0.5}
    found = majority(LISTED, train, split)
    # counts with one added: 2, 3, 1; the row with one alternative has no other answer
    assert found.predictions == [1, 0, 1, 1]
    assert found.metrics == {"accuracy": 0.75}
    assert found.losses == pytest.approx([math.log(5 / 3), 0, math.log(6 / 3), math.log(5 / 2)])


@pytest.mark.parametrize(
    ("cells", "label", "message"),
    [
        ({"a": "1", "b": None, "c": "3"}, 0, "column 'b' has None as alternative 1, no text."),
        ({"a": None, "b": None, "c": None}, 0, "column 'a' has no alternative. A row needs one."),
        (
            {"a": "1", "b": "2", "c": None},
            2,
            "label 2 is none of the row's 2 alternatives. Expected a whole number from 0 to 1,",
        ),
        ({"a": "1", "b": "2", "c": None}, "C", "label 'C' is none of the row's 2 alternatives."),
        ({"a": "1", "b": "2", "c": "3"}, "b", "label 'b' is none of the row's 3 alternatives."),
        ({"a": "1", "b": "2", "c": "3"}, True, "label True is none of the row's 3 alternatives."),
        ({"a": "1", "b": "2", "c": "3"}, -1, "label -1 is none of the row's 3 alternatives."),
    ],
)
def test_a_row_that_cannot_be_read(cells: dict[str, Any], label: Any, message: str) -> None:
    columns = {name: [cell] for name, cell in cells.items()}
    with pytest.raises(RelevanceError) as caught:
        to_split(APART, {"premise": ["x"], **columns, "label": [label]}, "here")
    assert str(caught.value).startswith(f"here, row 1: {message}")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "a multiple-choice task needs `choices`"),
        ({"choices": ("premise",)}, "`choices` names 'premise', which is a text or group column"),
        ({"choices": ("a",), "labels": ("x", "y")}, "has `choices` and no `labels`"),
        ({"choices": ("a",), "first": 2}, "less than or equal to 1"),
        ({"choices": ("a",), "first": True}, "valid integer"),
        ({"choices": ("a", "a")}, "`choices` names one thing twice: a"),
        ({"choices": ("a",), "marks": ({"word": "w"},)}, "`marks` means nothing to a task of kind"),
    ],
)
def test_a_definition_that_leaves_something_open(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Task(**FIELDS, **fields)


def test_copa_as_its_authors_count_it(data_dir: Path) -> None:
    task = catalogue()["COPA"]
    train, dev = (load_split(task, name, data_dir) for name in ("train", "dev"))
    assert (len(train), len(dev)) == (400, 100)
    assert {len(alternatives(text)) for text in train.texts[-1]} == {2}
    assert set(train.texts[1]) == {"cause", "effect"}
    assert majority(task, train, dev).metrics == {"accuracy": 0.45}  # 55 of dev are the first

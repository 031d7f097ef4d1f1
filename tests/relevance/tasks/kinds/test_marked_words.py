"""Marks in files: by characters and by words, what can be wrong, and real rows."""

from pathlib import Path
from typing import Any

import pytest

from relevance.errors import RelevanceError
from relevance.tasks.check import to_split
from relevance.tasks.data import DataOptions, Split
from relevance.tasks.find import catalogue
from relevance.tasks.kinds.marked_words import marked
from relevance.tasks.load import load_split, load_training_texts
from relevance.tasks.metrics import majority, score
from relevance.tasks.task import Task

FIELDS: dict[str, Any] = {
    "name": "SENSE",
    "family": "word_sense_disambiguation",
    "kind": "marked-words",
    "text": ("sentence",),
    "labels": ("other", "same"),
    "metrics": ("accuracy", "f1"),
}
TEXT = "שלום 🙂 naïve, naïvely"
BY_CHARACTER = Task(**FIELDS, marks=({"start": "from", "end": "to"},))
BY_WORD = Task(**FIELDS, marks=({"word": "at", "words": "span"},))


def read(task: Task, text: str, **cells: Any) -> list[str]:
    """The marked words of a row."""
    columns = {name: [cell] for name, cell in cells.items()}
    split = to_split(task, {"sentence": [text], **columns, "label": ["same"]}, "here")
    assert split.labels.tolist() == [1]
    plain, places = marked(split.texts[0][0])
    assert plain == text
    return [text[start:end] for start, end in places]


def test_characters_and_words() -> None:
    assert read(BY_CHARACTER, TEXT, **{"from": 7, "to": "12"}) == ["naïve"]
    assert read(BY_CHARACTER, TEXT, **{"from": 5.0, "to": 6}) == ["🙂"]
    assert read(BY_WORD, TEXT, at=2, span="Naïve") == ["naïve,"]
    assert read(BY_WORD, TEXT, at=0, span="שלום 🙂") == ["שלום 🙂"]
    alone = Task(**FIELDS, marks=({"word": "at"},))
    assert read(alone, TEXT, at=3) == ["naïvely"]
    # what looks like marks in somebody's own text stays a part of it
    assert read(alone, "a \ufff91-2", at=0) == ["a"]


def test_a_wrong_number_is_taken_for_the_nearest_place_of_the_words() -> None:
    text = "it ran and it hid and items lay"
    assert read(BY_WORD, text, at=4, span="it") == ["it"]
    columns = {"sentence": [text], "at": [4], "span": ["it"], "label": ["same"]}
    assert marked(to_split(BY_WORD, columns, "x").texts[0][0])[1] == [(11, 13)]


def test_marks_of_several_texts_and_what_others_see() -> None:
    marks = (
        {"text": "b", "start": "s", "end": "e"},
        {"text": "a", "word": "w"},
        {"text": "b", "word": "w"},
    )
    task = Task(**(FIELDS | {"text": ("a", "b")}), marks=marks)
    assert task.columns == ("a", "b", "s", "e", "w", "label")
    assert task.outputs == 2 * 4
    cells = {"a": ["x y"], "b": ["u vw"], "s": [0], "e": [4], "w": [1], "label": [0]}
    split = to_split(task, cells, "here")
    assert [marked(column[0])[1] for column in split.texts] == [[(2, 3)], [(0, 4), (2, 4)]]


@pytest.mark.parametrize(
    ("task", "cells", "message"),
    [
        (BY_CHARACTER, {"from": 6, "to": 5}, "columns 'from' and 'to' mark characters 6 to 5 of"),
        (BY_CHARACTER, {"from": 0, "to": 99}, "columns 'from' and 'to' mark characters 0 to 99"),
        (BY_CHARACTER, {"from": 4, "to": 5}, f"characters 4 to 5 of '{TEXT}' are no word."),
        (BY_CHARACTER, {"from": -1, "to": 5}, "column 'from' is -1, expected a whole number from"),
        (BY_CHARACTER, {"from": None, "to": 5}, "column 'from' is None, expected a whole number"),
        (BY_WORD, {"at": 0, "span": "naive"}, "the words 'naive' of column 'span' are not in"),
        (BY_WORD, {"at": 0, "span": " "}, "the words ' ' of column 'span' are not in"),
        (BY_WORD, {"at": "x", "span": "naive"}, "column 'at' is 'x', expected a whole number"),
    ],
)
def test_a_row_that_cannot_be_read(task: Task, cells: dict[str, Any], message: str) -> None:
    with pytest.raises(RelevanceError) as caught:
        read(task, TEXT, **cells)
    assert str(caught.value).startswith(f"here, row 1: {message}")


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ((), "a marked-words task needs `marks`"),
        (({"start": "s"},), "a mark has either `start` and `end`"),
        (({"word": "w", "start": "s", "end": "e"},), "a mark has either `start` and `end`"),
        (({"start": "s", "end": "e", "words": "x"},), "a mark has either `start` and `end`"),
        (({"word": "sentence"},), "`marks` takes 'sentence', which is a text or group column"),
        (({"word": "w", "text": "passage"},), "`marks` names 'passage', which is no text column"),
    ],
)
def test_a_definition_that_leaves_something_open(marks: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Task(**FIELDS, marks=marks)


def words(split: Split, row: int) -> list[str]:
    found = []
    for column in split.texts:
        text, places = marked(column[row])
        found += [text[start:end] for start, end in places]
    return found


def test_wic_and_wsc_as_their_authors_count_them(data_dir: Path) -> None:
    wic = load_split(catalogue()["WiC"], "dev", data_dir)
    train, wsc = (load_split(catalogue()["WSC"], name, data_dir) for name in ("train", "dev"))
    assert (len(wic), len(train), len(wsc)) == (638, 554, 104)
    assert words(wic, 0) == ["class", "class"]
    assert words(wsc, 0) == ["anyone", "him"]
    assert words(wsc, 42) == ["safe", "it"]  # upstream the second is off by one word
    seen = load_training_texts(catalogue()["WSC"], DataOptions(data_dir)).texts[0][0]
    assert seen.endswith("He should have been more skeptical.")
    assert majority(catalogue()["WiC"], wic, wic).metrics == {"accuracy": 0.5}
    assert majority(catalogue()["WSC"], train, wsc).metrics == {"accuracy": 66 / 104}
    right = score(catalogue()["WSC"], wsc, wsc.labels)
    assert right == {"accuracy": 1.0}

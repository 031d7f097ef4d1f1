"""Token tasks in files: words and tags of every form, and what can be wrong with them."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relevance.disk.files import validated
from relevance.errors import RelevanceError
from relevance.tasks.check import to_split
from relevance.tasks.data import DataOptions
from relevance.tasks.kinds.tokens import words
from relevance.tasks.load import load_task
from relevance.tasks.metrics import majority, score
from relevance.tasks.subset import hold_out, subset
from relevance.tasks.task import Task

FIELDS: dict[str, Any] = {
    "name": "NER",
    "family": "named_entity_recognition",
    "kind": "tokens",
    "text": ["tokens"],
    "label": "tags",
    "labels": ["O", "B-person", "I-person"],
    "metrics": ["entity_f1"],
}
NER = Task.model_validate(FIELDS)
COLUMNS: dict[str, list[Any]] = {
    "tokens": [["Rosa", "Luxemburg", "naïve", "🙂"], [], ["no", "one"]],
    "tags": [["B-person", "I-person", "O", "O"], [], ["O", "O"]],
}
TEXTS = ["Rosa Luxemburg naïve 🙂", "", "no one"]


def write(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if path.suffix == ".parquet":
        pq.write_table(pa.table(dict(columns)), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        lines = [[json.dumps(cell).replace('"', '""') for cell in row.values()] for row in rows]
        text = [",".join(f'"{cell}"' for cell in line) for line in lines]
        path.write_text("\n".join([",".join(columns), *text]) + "\n")


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_words_and_tags_are_read_from_every_kind_of_file(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "ner").mkdir()
    for split in ("train", "dev"):
        write(tmp_path / "ner" / f"{split}{suffix}", COLUMNS)
    train = load_task(NER, DataOptions(tmp_path)).train
    assert list(train.texts[0]) == TEXTS
    assert train.labels.tolist() == [tuple(tags) for tags in COLUMNS["tags"]]
    assert [words(text) for text in TEXTS] == COLUMNS["tokens"]


def test_tags_may_be_codes() -> None:
    split = to_split(NER, {"tokens": [["a", "b"]], "tags": [[1, 2]]}, "here")
    assert split.labels.tolist() == [("B-person", "I-person")]


def test_a_fingerprint_tells_rows_with_other_tags_apart() -> None:
    one, other, again = (
        to_split(NER, {"tokens": [["a", "b"]], "tags": [tags]}, "here").fingerprint
        for tags in (["O", "B-person"], ["B-person", "O"], [0, 1])
    )
    assert one == again != other


def test_rows_are_drawn_with_their_tags() -> None:
    rows = 30
    columns = {
        "tokens": [[f"w{row}"] for row in range(rows)],
        "tags": [[row % 3] for row in range(rows)],
    }
    split = to_split(NER, columns, "here")
    left, held = hold_out(split, None)
    assert (len(left), len(held)) == (24, 6)
    for part in (left, held, subset(split, 7)):
        for text, (tag,) in zip(part.texts[0], part.labels, strict=True):
            assert NER.labels[int(text[1:]) % 3] == tag


def test_the_majority_is_the_commonest_tag_for_every_word() -> None:
    split = to_split(NER, COLUMNS, "here")
    result = majority(NER, split, split)
    assert result.predictions == [("O",) * 4, (), ("O",) * 2]
    assert result.metrics == {"entity_f1": 0.0}
    often, rare = -math.log(5 / 9), -math.log(2 / 9)
    assert result.losses == pytest.approx([(often + rare) / 2, 0.0, often])


def test_entity_f1_of_a_split() -> None:
    split = to_split(NER, COLUMNS, "here")
    assert score(NER, split, split.labels) == {"entity_f1": 1.0}


# What can be wrong


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": ["a", "b"]}, "a token task reads one column of words, but 'text' names 2"),
        (
            {"labels": ["B-x", "I-x"]},
            "needs `labels` in BIO form, such as O, B-person, I-person; got B",
        ),
        ({"labels": ["O", "noun"]}, "in BIO form, such as O, B-person, I-person; got O, noun"),
        ({"labels": []}, "in BIO form, such as O, B-person, I-person; got none"),
        ({"metrics": ["f1"]}, "metric 'f1' is not one for tokens: entity_f1"),
    ],
)
def test_a_wrong_definition(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RelevanceError) as caught:
        validated(Task, FIELDS | changes, "own.toml")
    assert str(caught.value).startswith("own.toml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [
        (["a", "b"], ["O"], "row 2: 1 tags in 'tags' for 2 words in 'tokens'. Give each word one."),
        (["a"], ["B-group"], "row 2: tag 'B-group' is not one of: 0, 1, 2, O, B-person, I-person."),
        (["a"], [None], "row 2: tag None is not one of: 0, 1, 2, O, B-person, I-person."),
        (
            ["a"],
            "O",
            "row 2: column 'tags' is 'O', expected a list of tags; in csv and tsv as JSON,",
        ),
        ("a b", ["O"], "row 2: column 'tokens' is 'a b', expected a list of words; in csv and tsv"),
        (None, [], "row 2: column 'tokens' is null, expected a list of words"),
        (
            ["a", "b c"],
            ["O", "O"],
            "has 'b c' as word 2. Words must be texts, neither empty nor with",
        ),
        ([""], ["O"], "has '' as word 1. Words must be texts"),
        ([7], ["O"], "has 7 as word 1. Words must be texts"),
    ],
)
def test_a_wrong_row(tokens: Any, tags: Any, message: str) -> None:
    with pytest.raises(RelevanceError) as caught:
        to_split(NER, {"tokens": [["a"], tokens], "tags": [["O"], tags]}, "f.jsonl")
    assert str(caught.value).startswith("f.jsonl, row 2: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)

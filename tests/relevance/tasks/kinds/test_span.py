"""Span tasks in files: questions, contexts and answers of every form, and what can be wrong."""

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relevance.disk.files import validated
from relevance.errors import RelevanceError
from relevance.tasks.check import to_split
from relevance.tasks.data import DataOptions
from relevance.tasks.find import read_tasks
from relevance.tasks.load import load_task
from relevance.tasks.metrics import majority
from relevance.tasks.task import Task

FIELDS: dict[str, Any] = {
    "name": "QUIZ",
    "family": "question_answering",
    "kind": "span",
    "text": ["question", "context"],
    "label": "answers",
    "metrics": ["span_f1", "span_em"],
}
QUIZ = Task.model_validate(FIELDS)
OPEN = Task.model_validate(FIELDS | {"unanswerable": True})
CONTEXT = "Rollo 🙂 née in Normandy, in France."
GOLDS = [[("Normandy", 15), ("France", 28)], [("🙂 née", 6)]]


def forms(golds: list[tuple[str, int]]) -> list[Any]:
    columns = {"text": [text for text, _ in golds], "answer_start": [start for _, start in golds]}
    listed = [{"text": text, "answer_start": start} for text, start in golds]
    return [columns, listed, json.dumps(columns), json.dumps(listed)]


@pytest.mark.parametrize("form", range(4))
def test_answers_are_read_in_every_form(form: int) -> None:
    answers = [forms(golds)[form] for golds in GOLDS]
    columns = {"question": ["where", "who"], "context": [CONTEXT] * 2, "answers": answers}
    split = to_split(QUIZ, columns, "here")
    assert split.labels.tolist() == [tuple(golds) for golds in GOLDS]
    for golds in split.labels:
        for text, start in golds:
            assert CONTEXT[start:].startswith(text)


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_every_kind_of_file(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "quiz").mkdir()
    rows = [
        {"question": "q", "context": CONTEXT, "answers": forms(golds)[0], "id": "7"}
        for golds in GOLDS
    ]
    for split in ("train", "dev"):
        path = tmp_path / "quiz" / f"{split}{suffix}"
        if suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        elif suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            cells = [
                [row["question"], row["context"], json.dumps(row["answers"]).replace('"', '""')]
                for row in rows
            ]
            lines = [",".join(f'"{cell}"' for cell in line) for line in cells]
            path.write_text("\n".join(["question,context,answers", *lines]) + "\n")
    train = load_task(QUIZ, DataOptions(tmp_path)).train
    assert train.labels.tolist() == [tuple(golds) for golds in GOLDS]
    assert list(train.texts[1]) == [CONTEXT] * 2


def test_a_question_without_answer() -> None:
    answers = [{"text": [], "answer_start": []}, [], "[]"]
    columns = {"question": ["q"] * 3, "context": [CONTEXT] * 3, "answers": answers}
    split = to_split(OPEN, columns, "here")
    assert split.labels.tolist() == [(), (), ()]
    with pytest.raises(RelevanceError) as caught:
        to_split(QUIZ, columns, "f.csv")
    assert str(caught.value) == (
        "f.csv, row 1: column 'answers' has no answer. If some questions have none, say so with"
        " `unanswerable = true` in the task's definition; else leave the row out."
    )


def test_the_majority_is_the_commonest_answer() -> None:
    golds = [[("France", 28)], [("Rollo", 0)], [("France", 28)], []]
    columns = {
        "question": ["q"] * 4,
        "context": [CONTEXT] * 4,
        "answers": [forms(each)[0] for each in golds],
    }
    split = to_split(OPEN, columns, "here")
    result = majority(OPEN, split, split)
    assert result.predictions == ["France"] * 4
    assert result.metrics == {"span_f1": 0.5, "span_em": 0.5}
    assert result.losses == pytest.approx([math.log(7)] * 4)


def test_definitions_without_the_field_are_written_as_before() -> None:
    assert "unanswerable" not in QUIZ.model_dump()
    assert OPEN.model_dump()["unanswerable"] is True
    assert Task.model_validate_json(OPEN.model_dump_json()) == OPEN


# What can be wrong


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": ["question"]}, "a question and the context that answers it, but 'text' names 1"),
        ({"labels": ["a", "b"]}, "a span task has answers and no `labels`"),
        (
            {"truncate": "context"},
            "reads a long context in parts; leave out `truncate`",
        ),
        ({"metrics": ["entity_f1"]}, "metric 'entity_f1' is not one for span: span_em, span_f1"),
        (
            {"kind": "regression", "range": [0, 1], "metrics": ["pearson"], "unanswerable": True},
            "`unanswerable` means nothing to a task of kind regression",
        ),
    ],
)
def test_a_wrong_definition(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RelevanceError) as caught:
        validated(Task, FIELDS | changes, "own.toml")
    assert str(caught.value).startswith("own.toml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (forms([("France", 27)])[0], "answer 'France' does not stand at character 27 of 'context'"),
        (forms([("France", 27)])[1], ": ' Franc' does."),
        (forms([("France", -8)])[0], "does not stand at character -8"),
        (forms([("", 3)])[0], "answer '' does not stand at character 3"),
        (None, "column 'answers' is null, expected {\"text\": [...]"),
        ("France", "column 'answers' is 'France', expected"),
        ({"text": ["a"], "answer_start": []}, "is {'text': ['a'], 'answer_start': []}, expected"),
        ({"text": "a", "answer_start": 0}, "expected {"),
        ([{"text": "a"}], "expected {"),
    ],
)
def test_a_wrong_row(answers: Any, message: str) -> None:
    right = forms(GOLDS[0])[0]
    columns = {"question": ["q"] * 2, "context": [CONTEXT] * 2, "answers": [right, answers]}
    with pytest.raises(RelevanceError) as caught:
        to_split(QUIZ, columns, "f.jsonl")
    assert str(caught.value).startswith("f.jsonl, row 2: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_real_answers_stand_where_they_should(data_dir: Path, tmp_path: Path) -> None:
    file = data_dir / "squad2_cs224n" / "dev.parquet"
    if not file.is_file():
        pytest.skip(f"no {file}")
    own = tmp_path / "own.toml"
    own.write_text(
        '[[task]]\nname = "SQuAD2"\nfamily = "question_answering"\nkind = "span"\n'
        'text = ["question", "context"]\nlabel = "answers_json"\nunanswerable = true\n'
        f'metrics = ["span_f1", "span_em"]\nsource = {{ train = "{file}", dev = "{file}" }}\n'
    )
    (task,) = read_tasks(own)
    dev = load_task(task, DataOptions(), gain_split="dev").evaluation["dev"]
    assert len(dev) == 6_078
    assert sum(not golds for golds in dev.labels) == 3_168
    assert majority(task, dev, dev).metrics["span_em"] == pytest.approx(3_168 / 6_078)

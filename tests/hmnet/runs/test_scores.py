"""The table of scores: written, read again, and what a damaged one says."""

from dataclasses import replace
from pathlib import Path

import pytest

from hmnet.runs.scores import Score, as_rows, read_scores, row_name, scores_text, splits_of
from relevance.disk.files import write_text
from relevance.errors import RelevanceError

SCORES = [
    Score('my, "run"', "hmnet", "SAME", "dev", "accuracy", 3, 0.1 + 0.2, 0.5),
    Score('my, "run"', "hmnet", "SAME", "dev", "macro_f1", 3, 0.25, 1 / 3),
    Score('my, "run"', "hmnet", "SAME", "dev_other", "accuracy", 3, 1 / 3),
    Score('my, "run"', "hmnet", "SAME", "dev_other", "macro_f1", 3, 0.0),
]


def test_a_round_trip_keeps_every_digit(tmp_path: Path) -> None:
    write_text(tmp_path / "scores.csv", scores_text(SCORES))

    rows = read_scores(tmp_path / "scores.csv")
    assert rows == as_rows(SCORES)
    assert as_rows(rows) == rows  # as those of older files
    assert rows[:4] == [replace(score, majority=None) for score in SCORES]
    assert rows[4:] == [
        Score("majority", "majority", "SAME", "dev", "accuracy", 3, 0.5),
        Score("majority", "majority", "SAME", "dev", "macro_f1", 3, 1 / 3),
    ]
    text = (tmp_path / "scores.csv").read_text()
    assert text.startswith("run,method,task,split,metric,seed,value\n")


def test_names_of_rows() -> None:
    splits = ["dev", "dev_mismatched"]

    assert [row_name("MNLI", split, splits) for split in splits] == ["MNLI-m", "MNLI-mm"]
    assert row_name("CB", "dev", ["dev"]) == "CB"
    assert row_name("SAME", "dev_other", ["dev", "dev_other"]) == "SAME (dev_other)"
    assert row_name("SAME", "dev", ["dev", "dev_other"]) == "SAME"


def test_splits_of() -> None:
    assert splits_of(SCORES) == {"SAME": ["dev", "dev_other"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "run,method,task,split,metric,value\n",
            "column 'seed' is missing. Expected: run, method, task, split, metric, seed, value.",
        ),
        ("", "column 'run' is missing. Expected: run, method, task, split, metric, seed, value."),
        (
            "run,method,task,split,metric,seed,value\na,b,c,dev,f1,0,high\n",
            "row 1: seed '0' and value 'high' must be numbers.",
        ),
        (
            "run,method,task,split,metric,seed,value\na,b,c,dev,f1,0,1\na,b,c,dev\n",
            "row 2: seed '' and value '' must be numbers.",
        ),
        (
            "run,method,task,split,metric,seed,value\na,b,c,dev,f1,1_0,1\n",
            "row 1: seed '1_0' and value '1' must be numbers.",
        ),
    ],
)
def test_a_damaged_table(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text)

    with pytest.raises(RelevanceError) as error:
        read_scores(path)

    assert str(error.value).removeprefix(str(path)).lstrip(":, ") == message

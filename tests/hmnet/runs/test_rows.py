"""What makes two scores comparable: the same rows, and labels that mean the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hmnet.runs.rows import read_run_scores, rows_digest, write_rows
from hmnet.runs.scores import Score, scores_text
from relevance.disk.files import write_text
from relevance.errors import RelevanceError
from relevance.tasks.data import Split
from relevance.tasks.task import Task
from toys import toy

TASK = toy("TONE", family="sentiment", labels=("bad", "good"), metrics=("accuracy", "f1"))
SPLIT = Split((["a", "b", "c"],), np.array([0, 1, 1]))


@pytest.mark.parametrize(
    ("task", "split"),
    [
        (TASK.model_copy(update={"labels": ("good", "bad")}), SPLIT),
        (TASK.model_copy(update={"labels": ("poor", "good")}), SPLIT),
        (TASK.model_copy(update={"positive": "bad"}), SPLIT),
        (TASK, SPLIT.take(np.array([0, 1]))),
        (TASK, SPLIT.take(np.array([1, 0, 2]))),
        (TASK, Split((["a", "b", "d"],), SPLIT.labels)),
        (TASK, Split(SPLIT.texts, np.array([0, 1, 0]))),
    ],
)
def test_scores_that_cannot_be_compared(task: Task, split: Split) -> None:
    assert rows_digest(task, split) != rows_digest(TASK, SPLIT)


def test_what_scores_do_not_depend_on(tmp_path: Path) -> None:
    other = TASK.model_copy(update={"metrics": ("accuracy",), "licence": "mine", "family": "f"})
    assert rows_digest(other, SPLIT) == rows_digest(TASK, SPLIT)


def test_they_stand_beside_the_scores(tmp_path: Path) -> None:
    known = Score("a", "multi", "TONE", "dev", "accuracy", 0, 0.5, rows="digest")
    scores = [known, replace(known, split="test", rows=None)]
    write_text(tmp_path / "scores.csv", scores_text(scores))
    assert [score.rows for score in read_run_scores(tmp_path)] == [None, None]
    write_rows(tmp_path / "rows.json", scores)
    assert read_run_scores(tmp_path) == scores
    (tmp_path / "rows.json").write_text('{"rows": {"TONE": ["dev"]}}')
    with pytest.raises(RelevanceError, match=r"rows\.json: rows\.TONE"):
        read_run_scores(tmp_path)

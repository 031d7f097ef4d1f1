from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from relevance.tasks.find import catalogue
from relevance.tasks.overview import overview, sizes
from relevance.tasks.task import Task

MakeTask = Callable[..., Task]
Write = Callable[[Path, Mapping[str, Sequence[Any]]], Path]


def test_what_a_task_is_and_where_it_comes_from(make_task: MakeTask) -> None:
    own = make_task(source={"train": "/a/train.csv", "dev": "/a/dev.csv"})
    cola, mine, found = overview([catalogue()["CoLA"], own, make_task()])
    assert cola == {
        "task": "CoLA",
        "family": "linguistic_acceptability",
        "kind": "classification",
        "metrics": "matthews, accuracy",
        "licence": "unknown",
        "source": "nyu-mll/glue cola @bcdcba7",
    }
    assert mine["source"] == "/a/train.csv, /a/dev.csv"
    assert found["source"] == "--data-dir"


def test_sizes_are_those_of_table_4_and_a_dash_for_what_is_not_there(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    write(tmp_path / "toy" / "train.csv", {"sentence": ["a"] * 1200})
    assert sizes([make_task(), catalogue()["CB"]], tmp_path) == [
        {"task": "TOY", "train": "1,200", "dev": "-", "labels": "2", "metrics": "accuracy"},
        {"task": "CB", "train": "-", "dev": "-", "labels": "3", "metrics": "accuracy/macro_f1"},
    ]

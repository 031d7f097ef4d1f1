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
    train = write(tmp_path / "toy" / "train.csv", {"sentence": ["a"] * 1200})
    write(
        tmp_path / "toy" / "test.csv", {"sentence": ["a"] * 3}
    )  # its labels are not for everybody
    titles = ("task", "family", "train", "dev", "test", "labels", "metrics")
    own = make_task(name="OWN", source={"train": str(train), "dev": str(train)})
    rows = sizes([make_task(), catalogue()["CB"], own], tmp_path)
    assert [tuple(row) for row in rows] == [titles] * 3
    assert [tuple(row.values()) for row in rows] == [
        ("TOY", make_task().family, "1,200", "-", "3", "2", "accuracy"),
        ("CB", "natural_language_inference", "-", "-", "-", "3", "accuracy/macro_f1"),
        ("OWN", make_task().family, "1,200", "1,200", "-", "2", "accuracy"),
    ]

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from relevance.tasks.data import DataOptions
from relevance.tasks.find import catalogue
from relevance.tasks.overview import f1_labels, overview, sizes
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
    assert found["source"] == "`data_dir`"


def test_sizes_are_those_of_table_4_and_a_dash_for_what_is_not_there(
    tmp_path: Path, make_task: MakeTask, write: Write
) -> None:
    train = write(tmp_path / "toy" / "train.csv", {"sentence": ["a"] * 1200})
    write(
        tmp_path / "toy" / "test.csv", {"sentence": ["a"] * 3}
    )  # its labels are not for everybody
    titles = ("task", "family", "train", "dev", "test", "labels", "metrics")
    own = make_task(name="OWN", source={"train": str(train), "dev": str(train)})
    rows = sizes([make_task(), catalogue()["CB"], own], DataOptions(tmp_path))
    assert [tuple(row) for row in rows] == [titles] * 3
    assert [tuple(row.values()) for row in rows] == [
        ("TOY", make_task().family, "1,200", "-", "3", "2", "accuracy"),
        ("CB", "natural_language_inference", "-", "-", "-", "3", "accuracy/macro_f1"),
        ("OWN", make_task().family, "1,200", "1,200", "-", "2", "accuracy"),
    ]
    limited, _, both = sizes(
        [make_task(), catalogue()["CB"], own], DataOptions(tmp_path, max_train=50, max_dev=9)
    )
    assert [limited[split] for split in ("train", "dev", "test")] == ["50", "-", "3"]
    assert [both[split] for split in ("train", "dev", "test")] == ["50", "9", "-"]


def test_f1_says_whose_it_is(make_task: MakeTask) -> None:
    last = make_task(metrics=["accuracy", "f1"])
    first = make_task(name="FIRST", metrics=["f1"], positive="negative")
    plain = make_task(name="PLAIN")
    assert [row["metrics"] for row in overview([last, first, plain, catalogue()["MRPC"]])] == [
        "accuracy, f1 (positive)",
        "f1 (negative)",
        "accuracy",
        "accuracy, f1 (equivalent)",
    ]
    assert f1_labels([last, first, plain, catalogue()["MRPC"]]) == [
        "f1 of TOY is that of the label 'positive'",
        "f1 of FIRST is that of the label 'negative'",
    ]
    assert f1_labels([last, first], primary=True) == ["f1 of FIRST is that of the label 'negative'"]


def test_a_share_is_listed_as_one(make_task: MakeTask) -> None:
    (row,) = overview([make_task(source={"train": "/a/t.csv", "dev": 0.25})])
    assert row["source"] == "/a/t.csv, 25% of it as dev"

"""Small tasks and files of every format that the tests of this folder share."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relevance.tasks.task import Task

MakeTask = Callable[..., Task]
Write = Callable[[Path, Mapping[str, Sequence[Any]]], Path]


@pytest.fixture
def make_task() -> MakeTask:
    """A sentence task called TOY, or what the changes make of it."""

    def make(**changes: Any) -> Task:
        fields: dict[str, Any] = {
            "name": "TOY",
            "family": "toys",
            "kind": "classification",
            "text": ["sentence"],
            "labels": ["negative", "positive"],
            "metrics": ["accuracy"],
        }
        if changes.get("kind") == "regression":
            fields |= {"labels": [], "range": [0, 5], "metrics": ["pearson"]}
        return Task.model_validate(fields | changes)

    return make


@pytest.fixture
def write() -> Write:
    """Write columns to a file in the format that its suffix names."""

    def write_columns(path: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = list(zip(*columns.values(), strict=True))
        if path.suffix == ".parquet":
            pq.write_table(pa.table(dict(columns)), path)
        elif path.suffix == ".jsonl":
            lines = [json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows]
            path.write_text("".join(lines), encoding="utf-8")
        elif path.suffix == ".tsv":
            lines = ["\t".join(map(str, row)) + "\n" for row in (tuple(columns), *rows)]
            path.write_text("".join(lines), encoding="utf-8", newline="")
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([tuple(columns), *rows])
        return path

    return write_columns

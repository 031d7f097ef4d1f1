"""Rows of a task's own splits: which they are, and that no label is read as one."""

from pathlib import Path
from typing import Any

import pytest

from relevance.errors import RelevanceError
from relevance.tasks.find import find_tasks
from relevance.tasks.load import load_split
from relevance.tasks.rows import split_rows
from small_tasks import TABLES, write_rows

ROWS = [
    {"sentence": f"text {number}", "label": ("bad", "good")[number % 2]} for number in range(10)
]


def rows_of(folder: Path, source: str, split: str) -> list[tuple[int, Any]]:
    (folder / "mine.toml").write_text(f"{TABLES['TONE']}source = {{ {source} }}\n")
    (task,) = find_tasks([str(folder / "mine.toml")])
    return list(split_rows(task, split, None)[1])


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_labels_of_minus_one_are_no_labels(tmp_path: Path, suffix: str) -> None:
    rows = [{"idx": number, "sentence": f"text {number}", "label": -1} for number in range(3000)]
    write_rows(tmp_path / f"test{suffix}", rows)
    write_rows(tmp_path / "train.jsonl", ROWS)
    source = f'train = "train.jsonl", dev = "train.jsonl", test = "test{suffix}"'
    found = rows_of(tmp_path, source, "test")
    assert [number for number, _ in found] == list(range(1, 3001))
    assert [row["sentence"] for _, row in found] == [row["sentence"] for row in rows]


def test_a_share_of_the_training_rows_is_that_of_training(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.csv", [*ROWS[:5], {"sentence": "x", "label": "-"}, *ROWS[5:]])
    source = 'train = "train.csv", dev = 0.4, drop = ["-"]'
    found = {split: rows_of(tmp_path, source, split) for split in ("train", "dev")}
    (task,) = find_tasks([str(tmp_path / "mine.toml")])
    for split, rows in found.items():
        assert [row["sentence"] for _, row in rows] == load_split(task, split, None).texts[0]
    numbers = sorted(number for rows in found.values() for number, _ in rows)
    assert numbers == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11]  # the sixth is dropped


def test_columns_have_the_tasks_names(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("good\ta b\nbad\tc\n")
    source = (
        'train = "t.tsv", dev = "t.tsv", header = false, columns = { sentence = "2", label = "1" }'
    )
    assert [row["sentence"] for _, row in rows_of(tmp_path, source, "dev")] == ["a b", "c"]
    (tmp_path / "t.txt").write_text("good a b\nbad c\n")
    source = 'train = "t.txt", dev = "t.txt", format = "label-first"'
    assert [row["sentence"] for _, row in rows_of(tmp_path, source, "train")] == ["a b", "c"]


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    write_rows(tmp_path / "t.csv", ROWS)
    with pytest.raises(RelevanceError, match=r"'TONE' has no split 'tset'\. It has train, dev\."):
        rows_of(tmp_path, 'train = "t.csv", dev = "t.csv"', "tset")

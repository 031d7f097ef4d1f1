"""Handled without a word: damaged caches, endless texts, tasks of one row, batches too large."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands import done, on_tasks, refused
from relevance.matrices.matrix import load_matrix
from toys import GRADED, table

ONE_ROW = "\n".join(
    (
        table("ONE", "one.jsonl", labels=("bad", "good"), metrics=("accuracy", "f1")),
        table(
            "SCORE",
            "one.jsonl",
            **GRADED | {"metrics": ("pearson", "spearman")},
            label="score",
            range=(0, 5),
        ),
    )
)


def write_one_row(folder: Path, text: str) -> Path:
    row = {"sentence": text, "label": "good", "score": 2.5}
    (folder / "one.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "tasks.toml").write_text(ONE_ROW)
    return folder / "tasks.toml"


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def garble(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.usefixtures("_inline")
@pytest.mark.parametrize("damage", [cut, garble, lambda content: b""])
def test_a_damaged_job_is_done_again(
    study: Any, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    jobs = sorted(study.cache.glob("jobs/*/result.json"))
    for path in jobs[:2]:
        path.write_bytes(damage(path.read_bytes()))
    assert (
        "2 jobs to run, 8 cached" in done("relevance", "pairwise", *study.options, "--dry-run").out
    )
    done("relevance", "pairwise", *study.options, "--out", tmp_path / "gains.json")
    found, expected = load_matrix(tmp_path / "gains.json"), load_matrix(study.out)
    np.testing.assert_array_equal(found.values, expected.values)


@pytest.mark.parametrize("damage", [cut, garble])
def test_damaged_encoded_text_is_encoded_again(
    quick: list[str], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    options = [*quick, "--method", "multi", "--max-steps-per-task", 1]
    done("hmnet", "train", *options, "--out", tmp_path / "before")
    kept = {path: path.read_bytes() for path in tmp_path.glob("cache/encoded/*/*")}
    assert kept
    for path, content in kept.items():
        path.write_bytes(damage(content))
    done("hmnet", "train", *options, "--out", tmp_path / "after")
    before, after = ((tmp_path / run / "scores.csv").read_text() for run in ("before", "after"))
    assert after == before
    assert {path: path.read_bytes() for path in kept} == kept


def test_one_row_of_a_hundred_thousand_words(tiny_bert: Path, tmp_path: Path) -> None:
    """Both at once: measured, trained, scored and answered."""
    text = " ".join(["a good film"] * 33_334)
    toml = write_one_row(tmp_path, text)
    vocabulary = done("relevance", "vocab", "--tokenizer", "word", "--tasks", toml).out
    assert json.loads(vocabulary)["provenance"]["vocabulary"] == {"ONE": 3, "SCORE": 3}
    options = ["--tasks", toml, "--backbone", tiny_bert, "--max-length", 64, "--method", "multi"]
    out = tmp_path / "run"
    shown = done("hmnet", "train", *options, "--epochs", 1, "--precision", "fp32", "--out", out).out
    assert "SCORE" in shown
    line = json.dumps({"text": [text]}).encode()
    answers = done("hmnet", "predict", out, "--task", "all", "--input", "-", stdin=line).out
    assert len(answers.splitlines()) == 2


@pytest.mark.usefixtures("_inline")
def test_gains_of_one_row_want_a_split_of_their_own(quick: list[str], tmp_path: Path) -> None:
    toml = write_one_row(tmp_path, "a good film")
    options = [*on_tasks(quick, toml), "--normalise", "absolute", "--single-seeds", 1]
    message = refused("relevance", "pairwise", *options)
    assert message.startswith("task 'ONE': ")
    assert "--gain-split dev" in message
    outcome = done("relevance", "pairwise", *options, "--gain-split", "dev", "--gpus", 0)
    assert json.loads(outcome.out)["tasks"] == ["ONE", "SCORE"]


def test_a_batch_larger_than_the_task(quick: list[str], tmp_path: Path) -> None:
    options = [*quick, "--method", "multi", "--batch-size", 1000]
    done("hmnet", "train", *options, "--out", tmp_path / "run")
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["task"] for line in lines) == ["FACT", "GRADE", "SAME", "TONE"]

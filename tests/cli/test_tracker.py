"""`relevance pairwise --tracker`: the same matrix, and scores and gains beside it."""

import json
from pathlib import Path
from typing import Any

import pytest

from commands import done, refused


@pytest.mark.usefixtures("_inline")
def test_a_study_is_tracked_and_its_numbers_are_the_same(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELEVANCE_CACHE", str(study.cache))
    out = tmp_path / "my gains.json"
    options = study.options
    done("relevance", "pairwise", *options, "--tracker", "tensorboard", "--out", out)
    before = json.loads(study.out.read_text())
    assert json.loads(out.read_text())["values"] == before["values"]
    (events,) = (tmp_path / "my gains" / "tensorboard").glob("events.*")
    content = events.read_bytes()
    assert content.count(b"gain/") == 12
    assert b" alone" in content


def test_a_tracker_that_is_not_there_is_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hmnet.runs.tracker.find_spec", lambda package: None)
    assert refused("relevance", "pairwise", "--tracker", "mlflow", "--tasks", "RTE") == (
        "--tracker mlflow needs a package that is not installed. Install it with"
        ' `pip install "relevance-hmnet[mlflow]"`, or leave it out.'
    )
    message = refused("relevance", "pairwise", "--tracker", "excel")
    assert "'tensorboard', 'wandb', 'trackio', 'mlflow'" in message

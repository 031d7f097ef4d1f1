"""A job that travels finds the folder and the cache it was packed with."""

import os
from functools import partial
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.jobs.attempts import HeldElsewhereError, Outcome, RemoteCall, attempt


def write_down(name: str, device: str) -> None:
    Path(name).write_text(f"{device} {os.environ['RELEVANCE_CACHE']}")


def throw(error: Exception, device: str) -> None:
    raise error


def test_a_parcel_is_opened_where_it_was_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELEVANCE_CACHE", "a_cache")
    parcel = RemoteCall.pack(partial(write_down, "note"))
    monkeypatch.chdir(Path(__file__).parent)
    monkeypatch.setenv("RELEVANCE_CACHE", "another")
    assert attempt(parcel, "cuda") == Outcome("done")
    assert (tmp_path / "note").read_text() == f"cuda {tmp_path / 'a_cache'}"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    parcel = RemoteCall(b"", str(tmp_path / "missing"), "cache")
    kind, error = attempt(parcel, "cpu")
    assert kind == "failed"
    assert error is not None
    assert error.startswith("FileNotFoundError: ")
    assert str(tmp_path / "missing") in error


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ValueError("loss is\nnan"), Outcome("failed", "ValueError: loss is nan")),
        (RelevanceError("rte: no such file."), Outcome("failed", "rte: no such file.")),
        (HeldElsewhereError(), Outcome("held")),
    ],
)
def test_outcomes(error: Exception, outcome: Outcome) -> None:
    assert attempt(partial(throw, error), "cpu") == outcome

"""Folders of the cache are written by whoever comes first, and found by all others."""

from pathlib import Path

import pytest

from relevance.disk.entries import ensure_entry
from relevance.disk.manifest import write_manifest
from relevance.errors import RelevanceError

NAMES, SCHEMA = ["a.txt"], "hmnet.test/1"


def written(folder: Path, text: str) -> None:
    (folder / "a.txt").write_text(text)
    write_manifest(folder, NAMES, schema=SCHEMA)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELEVANCE_CACHE", str(tmp_path))
    return tmp_path / "entries" / "key"


def test_one_that_another_process_writes_meanwhile_is_taken(place: Path) -> None:
    def late(draft: Path) -> None:
        ensure_entry(place, NAMES, SCHEMA, lambda other: written(other, "first"))
        written(draft, "second")

    ensure_entry(place, NAMES, SCHEMA, late)
    assert (place / "a.txt").read_text() == "first"
    assert [path.name for path in place.parent.iterdir()] == ["key"]


def test_one_that_is_whole_stays_and_a_damaged_one_is_replaced(place: Path) -> None:
    for text, expected in (("one", "one"), ("two", "one")):
        ensure_entry(place, NAMES, SCHEMA, lambda draft, text=text: written(draft, text))
        assert (place / "a.txt").read_text() == expected
    (place / "a.txt").write_text("damage")
    ensure_entry(place, NAMES, SCHEMA, lambda draft: written(draft, "three"))
    assert (place / "a.txt").read_text() == "three"


def test_what_cannot_be_written_is_told_and_leaves_nothing(place: Path) -> None:
    def fails(_: Path) -> None:
        raise RelevanceError("no text")

    with pytest.raises(RelevanceError, match="no text"):
        ensure_entry(place, NAMES, SCHEMA, fails)
    assert not place.parent.exists()

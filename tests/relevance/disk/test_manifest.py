"""A changed byte is told: manifests beside the files of a folder."""

from pathlib import Path

import pytest

from relevance.disk.files import write_text
from relevance.disk.manifest import (
    MANIFEST,
    check_file,
    check_files,
    note_changed,
    note_unchecked,
    write_manifest,
)
from relevance.errors import RelevanceError


def flip(path: Path, place: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))


def test_whole_files_pass_and_a_flipped_byte_is_told(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_text(tmp_path / name, name)
    write_manifest(tmp_path, coming={"three": "three"})
    check_files(tmp_path)
    write_text(tmp_path / "three", "three")
    write_text(tmp_path / "other", "nobody's")
    check_files(tmp_path)
    flip(tmp_path / "other")
    flip(tmp_path / "two")
    check_files(tmp_path, ["one", "three", "other", "missing"])
    with pytest.raises(RelevanceError) as error:
        check_file(tmp_path / "two")
    assert str(error.value) == (
        f"{tmp_path / 'two'} is damaged: it is not what was written, as manifest.json beside it"
        " says. Put a copy of it back or train again; to read it as it is, delete"
        f" {tmp_path / MANIFEST}."
    )
    (tmp_path / MANIFEST).unlink()
    check_files(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"sha256": 3}', '{"sha256": {"one": 3}}', "[" * 100_000]
)
def test_a_damaged_manifest_is_one_line(tmp_path: Path, text: str) -> None:
    write_text(tmp_path / "one", "one")
    write_text(tmp_path / MANIFEST, text)
    with pytest.raises(RelevanceError, match=r"manifest\.json"):
        check_files(tmp_path)


def test_a_folder_without_one_is_read_with_a_note(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"has no manifest\.json, as runs of older versions"):
        note_unchecked(tmp_path)
    write_manifest(tmp_path)
    note_unchecked(tmp_path)
    note_unchecked(tmp_path / "missing")


def test_a_file_for_people_may_be_edited_with_a_note(tmp_path: Path) -> None:
    write_text(tmp_path / "one", "one")
    write_manifest(tmp_path)
    for path in (tmp_path / "one", tmp_path / "other", tmp_path / "missing" / "one"):
        note_changed(path)
    flip(tmp_path / "one")
    with pytest.warns(UserWarning, match=r"one is not what training wrote, as manifest\.json"):
        note_changed(tmp_path / "one")

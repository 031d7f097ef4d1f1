"""Where results go: whole files, links that are followed, and devices that no file may replace."""

import os
import stat
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.files import begin_cache, check_writable, write_text


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "result.json"
    link.symlink_to(tmp_path / "real" / "result.json")
    write_text(link, "one")
    write_text(link, "two")
    assert link.is_symlink()
    assert (tmp_path / "real" / "result.json").read_text() == "two"
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "real",
        "result.json",
        "result.json",
    ]


def test_a_pipe_takes_the_text_as_it_comes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    check_writable(pipe)
    write_text(pipe, "text")
    assert os.read(reader, 9) == b"text"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_checking_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "folder" / "result.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("file/result.json", "Not a directory"),
        ("file/folder/result.json", "Not a directory"),
        (".", "Is a directory"),
        ("circle", "Too many levels of symbolic links"),
        ("circle/result.json", "Too many levels of symbolic links"),
        ("/proc/result.json", "No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_one_line(tmp_path: Path, place: str, reason: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    path = tmp_path / place
    for refuse in (check_writable, lambda path: write_text(path, "")):
        with pytest.raises(RelevanceError) as error:
            refuse(path)
        assert str(error.value) == f"{path} cannot be written: {reason}."


def test_a_new_cache_in_the_working_directory_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    begin_cache()  # named by the variable
    monkeypatch.delenv("RELEVANCE_CACHE")
    with pytest.warns(UserWarning, match=f"is kept in {tmp_path}/data_cache"):
        assert begin_cache() == Path("data_cache")
    Path("data_cache").mkdir()
    begin_cache()

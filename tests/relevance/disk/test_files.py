"""Where results go: whole files, links that are followed, and devices that no file may replace."""

import errno
import os
import platform
import stat
from pathlib import Path

import pytest

from relevance.disk import files, folders
from relevance.disk.files import begin_cache, check_writable, replacing, write_text
from relevance.disk.folders import CONTENT, LOCK
from relevance.errors import RelevanceError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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


def test_what_a_kill_left_of_the_same_file_goes_with_the_next_writing(tmp_path: Path) -> None:
    for left in (".gains.json-abcd_123.tmp", ".other.json-abcd_123.tmp"):
        (tmp_path / left / CONTENT).mkdir(parents=True)
        (tmp_path / left / LOCK).touch()
        (tmp_path / left / CONTENT / "gains.json").write_text('{"half')
    with replacing(tmp_path / "gains.json") as ours:
        ours.write_text("first")
        write_text(tmp_path / "gains.json", "second")
        assert ours.read_text() == "first", "whoever lives keeps its own"
    assert (tmp_path / "gains.json").read_text() == "first"
    assert names(tmp_path) == [".other.json-abcd_123.tmp", "gains.json"]


@pytest.mark.parametrize("name", ["weights.safetensors", "report", ".hidden", "a.b.json"])
def test_a_library_may_put_a_file_of_its_own_under_the_name(tmp_path: Path, name: str) -> None:
    """Another writer of the same file does not take it for one that a kill left."""
    with replacing(tmp_path / name) as ours:
        (tmp_path / "own").write_text("first")
        (tmp_path / "own").replace(ours)
        write_text(tmp_path / name, "second")
        assert ours.read_text() == "first"
    assert (tmp_path / name).read_text() == "first"
    assert (tmp_path / name).stat().st_mode & 0o777 == files.usual_mode(0o666)
    assert names(tmp_path) == [name]


def test_a_folder_that_was_taken_for_a_dead_one_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process comes between a new folder and its lock."""
    made: list[str] = []
    make = folders.tempfile.mkdtemp

    def mkdtemp(**where: object) -> str:
        name = make(**where)
        if not made:
            folders.remove_dead_drafts(tmp_path)
        made.append(name)
        return name

    monkeypatch.setattr(folders.tempfile, "mkdtemp", mkdtemp)
    write_text(tmp_path / "result.json", "text")
    assert len(made) == 2
    assert names(tmp_path) == ["result.json"]


def test_without_locks_nobody_s_file_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    left = tmp_path / ".result.json-abcd_123.tmp"
    left.mkdir()
    (left / LOCK).write_text(f"{os.getppid()}\n{platform.node()}\n")  # as a living process has it
    with pytest.warns(UserWarning, match="falling back"):
        write_text(tmp_path / "result.json", "text")
    assert names(tmp_path) == [left.name, "result.json"]

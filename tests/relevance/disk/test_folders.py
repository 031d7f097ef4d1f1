"""Folders that one process writes at a time, and what killed ones leave."""

import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from relevance.disk.files import check_writable, write_text
from relevance.disk.folders import LOCK, alone, discard, drafts, new_folder, remove_drafts
from relevance.errors import RelevanceError

FORK = multiprocessing.get_context("fork")
pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run_in(target: Any, *arguments: Any) -> Any:
    process = FORK.Process(target=target, args=arguments)
    process.start()
    return process


def write_settings(text: str) -> Any:
    return lambda folder: write_text(folder / "settings", text)


def race(folder: Path, name: str, start: Any, results: Any) -> None:
    start.wait()
    try:
        with alone(folder, write_settings(name)):
            results.put((name, (folder / "settings").read_text()))
            start.wait()
    except RelevanceError as error:
        results.put((name, str(error)))
        start.wait()


def test_of_several_that_want_a_new_folder_one_gets_it_and_its_settings(tmp_path: Path) -> None:
    for turn in range(5):
        folder = tmp_path / f"{turn}" / "run"
        start, results = FORK.Barrier(4), FORK.Queue()
        processes = [run_in(race, folder, str(n), start, results) for n in range(4)]
        found = dict(results.get(timeout=60) for _ in processes)
        for process in processes:
            process.join()
        (winner,) = [name for name, told in found.items() if told == name]
        refused = f"{folder} is being written by another process. Wait for it, or give another"
        others = {told for name, told in found.items() if name != winner}
        assert others == {f"{refused} place."}
        assert names(folder) == ["settings"]
        assert names(folder.parent) == ["run"]
        assert (folder / "settings").read_text() == winner


def test_a_process_that_died_holds_nothing_and_what_it_left_is_taken_away(tmp_path: Path) -> None:
    def die(_: Path | None = None) -> None:
        os._exit(9)

    def die_inside() -> None:
        with alone(tmp_path / "begun"):
            die()

    def die_writing() -> None:
        with new_folder(tmp_path / "new") as folder:
            write_text(folder / "half", "half")
            die()

    for act in (die_inside, die_writing, lambda: alone(tmp_path / "set up", die).__enter__()):
        run_in(act).join()
    assert names(tmp_path / "begun") == [LOCK]
    assert len(drafts(tmp_path)) == 2
    for name in ("begun", "set up"):
        with alone(tmp_path / name, write_settings("")):
            pass
    with new_folder(tmp_path / "new"):
        pass
    assert names(tmp_path) == ["begun", "new", "set up"]
    assert names(tmp_path / "begun") == []
    assert names(tmp_path / "set up") == ["settings"]


def test_what_a_living_process_drafts_stays(tmp_path: Path) -> None:
    def write_in_its_way() -> None:
        with new_folder(tmp_path / "new") as other:
            write_text(other / "whole", "whole")
            write_text(tmp_path / "new" / "in the way", "")

    with new_folder(tmp_path / "new") as folder:
        write_text(folder / "half", "half")
        with pytest.raises(RelevanceError, match="cannot be written: Directory not empty"):
            write_in_its_way()
        (tmp_path / "new" / "in the way").unlink()
    assert names(tmp_path / "new") == ["half"]


def test_what_fails_leaves_nothing_not_even_parents(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        write_text(folder / "first", "")
        raise OSError(28, "No space left on device")

    with pytest.raises(RelevanceError) as error:
        alone(tmp_path / "a" / "b" / "run", fail).__enter__()
    assert str(error.value).endswith("run cannot be written: No space left on device.")
    with pytest.raises(ValueError, match="ours"), alone(tmp_path / "a" / "b" / "run"):
        raise ValueError("ours")
    assert names(tmp_path) == []


def test_a_lock_that_is_no_file_and_links_in_a_circle_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "run" / LOCK).mkdir(parents=True)
    with pytest.raises(RelevanceError, match=r"run/\.lock cannot be written: Is a directory"):
        alone(tmp_path / "run").__enter__()
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    for act in (
        lambda place: alone(place).__enter__(),
        lambda place: new_folder(place).__enter__(),
        lambda place: write_text(place, ""),
        lambda place: write_text(place / "below", ""),
        check_writable,
    ):
        with pytest.raises(RelevanceError, match="cannot be written: Too many levels of symbolic"):
            act(tmp_path / "one")


def test_discarded_at_once_and_files_of_others_stay(tmp_path: Path) -> None:
    write_text(tmp_path / "old" / "file", "")
    discard(tmp_path / "old")
    discard(tmp_path / "old")
    assert names(tmp_path) == []
    write_text(tmp_path / ".hidden-original.json", "")
    write_text(tmp_path / ".half-abcd1234.tmp.json", "")
    remove_drafts(tmp_path)
    assert names(tmp_path) == [".hidden-original.json"]

"""A stored result is whole or it is not there."""

import errno
import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.disk.files import digest
from relevance.errors import RelevanceError
from relevance.studies.store import JobStore

INPUTS = {"kind": "training-run", "tasks": ["CB", "RTE"], "seed": 0}
RESULT = {"scores": [0.1, 2.5, None], "note": "ünïcode"}

values = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé\n"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
    max_leaves=8,
)


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "cache")


def result_file(store: JobStore) -> Path:
    return store.root / "jobs" / digest(INPUTS) / "result.json"


def test_what_was_written_is_read(store: JobStore) -> None:
    assert store.read(INPUTS) is None
    store.write(INPUTS, RESULT)
    assert store.read(INPUTS) == RESULT
    assert store.read({**INPUTS, "seed": 1}) is None


def test_layout(store: JobStore) -> None:
    store.write(INPUTS, RESULT)
    files = {str(path.relative_to(store.root)) for path in store.root.rglob("*.*")}
    folder = f"jobs/{digest(INPUTS)}"
    assert files == {f"{folder}/inputs.json", f"{folder}/result.json"}
    assert json.loads((store.folder(INPUTS) / "inputs.json").read_text()) == INPUTS


def test_size(store: JobStore) -> None:
    assert store.size(INPUTS) == 0
    store.write(INPUTS, RESULT)
    files = store.folder(INPUTS).iterdir()
    assert store.size(INPUTS) == sum(len(path.read_bytes()) for path in files)


@given(result=values)
def test_any_json_value_survives(tmp_path_factory: pytest.TempPathFactory, result: object) -> None:
    store = JobStore(tmp_path_factory.mktemp("cache"))
    store.write(INPUTS, result)
    assert store.read(INPUTS) == result


def test_the_order_of_inputs_does_not_matter(store: JobStore) -> None:
    store.write(INPUTS, RESULT)
    assert store.read(dict(reversed(INPUTS.items()))) == RESULT


def test_a_file_cut_at_any_byte_counts_as_none(store: JobStore) -> None:
    store.write(INPUTS, RESULT)
    whole = result_file(store).read_bytes()
    for length in range(len(whole)):
        result_file(store).write_bytes(whole[:length])
        assert store.read(INPUTS) is None, length
    result_file(store).write_bytes(whole[: len(whole) // 2])
    store.write(INPUTS, RESULT)
    assert result_file(store).read_bytes() == whole


def test_inputs_cut_at_any_byte_are_written_again(store: JobStore) -> None:
    store.write(INPUTS, RESULT)
    path = store.folder(INPUTS) / "inputs.json"
    whole = path.read_bytes()
    before = path.stat().st_mtime_ns
    store.reserve(INPUTS)
    assert path.stat().st_mtime_ns == before
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert store.read(INPUTS) == RESULT
        store.reserve(INPUTS)
        assert path.read_bytes() == whole


def test_a_file_garbled_at_any_byte_is_never_believed(store: JobStore) -> None:
    store.write(INPUTS, RESULT)
    whole = result_file(store).read_bytes()
    for place in range(len(whole)):
        for other in (b"0", b"\xff", b" "):
            if whole[place : place + 1] == other:
                continue
            result_file(store).write_bytes(whole[:place] + other + whole[place + 1 :])
            assert store.read(INPUTS) is None, (place, other)


@pytest.mark.parametrize(
    "text", ["null", "[]", "3", "{}", '{"result": 3}', '{"result": NaN}', "{" * 9]
)
def test_foreign_json_counts_as_none(store: JobStore, text: str) -> None:
    store.reserve(INPUTS)
    result_file(store).write_text(text)
    assert store.read(INPUTS) is None


def test_another_jobs_file_counts_as_none(store: JobStore) -> None:
    other = {**INPUTS, "seed": 1}
    store.write(other, RESULT)
    store.reserve(INPUTS)
    result_file(store).write_bytes((store.folder(other) / "result.json").read_bytes())
    assert store.read(INPUTS) is None


def test_a_finished_result_is_not_written_again(store: JobStore) -> None:
    store.write(INPUTS, RESULT)
    before = result_file(store).stat()
    store.write(INPUTS, {"other": 1})
    after = result_file(store).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert store.read(INPUTS) == RESULT


@pytest.mark.process
def test_two_processes_may_write_the_same_results(store: JobStore) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=JobStore.write, args=(store, INPUTS, RESULT)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert store.read(INPUTS) == RESULT
    assert sorted(path.name for path in store.folder(INPUTS).iterdir()) == [
        "inputs.json",
        "result.json",
    ]


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, no folder")
    store = JobStore(tmp_path / "cache")
    assert store.read(INPUTS) is None
    with pytest.raises(RelevanceError, match=r"^.*inputs\.json cannot be written: \w.*\.$"):
        store.reserve(INPUTS)


def test_a_full_disk_leaves_nothing_half_written(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.reserve(INPUTS)

    def full(*args: object, **kwargs: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RelevanceError, match=r"cannot be written: No space left on device\.$"):
        store.write(INPUTS, RESULT)
    assert [path.name for path in store.folder(INPUTS).iterdir()] == ["inputs.json"]
    assert store.read(INPUTS) is None


def test_a_result_that_cannot_be_read_is_an_error(store: JobStore) -> None:
    result_file(store).mkdir(parents=True)
    with pytest.raises(RelevanceError, match=r"result\.json cannot be read: Is a directory\.$"):
        store.read(INPUTS)

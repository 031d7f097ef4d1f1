"""Whatever byte a file of the store is cut at: that job is done again, and no other one."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from relevance.disk.files import canonical_json
from relevance.errors import RelevanceError
from relevance.interfaces.trainer import Result
from relevance.jobs.job import Job, Schedule
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.joint_training import joint_training_gains
from relevance.studies.store import JobStore, _sealed
from relevance.studies.study import Study
from relevance.tasks.task import Task
from toys import toy

JOBS = 3 + 3
STEP_BYTES = 17  # of the cuts that a whole study is run on; test_store.py reads at every byte


@dataclass(frozen=True)
class CountingTrainer:
    """Remembers what it was asked for."""

    fingerprint: str = "counting"
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        self.calls.append(tasks)
        return {task: Result({"accuracy": 1 / (len(tasks) + ord(task))}, 0.5) for task in tasks}


def a_task(name: str) -> Task:
    return toy(name, text=("s",), labels=("n", "p"))


TASKS = tuple(map(a_task, "ABC"))


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(
        jobs: Sequence[Job], schedule: Schedule, *rest: object, **more: object
    ) -> dict[str, str]:
        for job in jobs:
            job.call("cpu")
        return {}

    monkeypatch.setattr("relevance.studies.study.run_jobs", run)


@pytest.fixture
def trainer() -> CountingTrainer:
    return CountingTrainer()


@pytest.fixture
def study(trainer: CountingTrainer, tmp_path: Path) -> Callable[[], RelevanceMatrix]:
    return lambda: joint_training_gains(
        Study.of(TASKS, trainer, single_seeds=1, store=JobStore(tmp_path / "store"))
    )


def files(folder: Path, name: str) -> list[Path]:
    return sorted((folder / "store").glob(f"jobs/*/{name}"))


def test_a_result_cut_anywhere(
    study: Callable[[], RelevanceMatrix], trainer: CountingTrainer, tmp_path: Path
) -> None:
    first = study()
    results = files(tmp_path, "result.json")
    assert len(results) == len(trainer.calls) == JOBS
    contents = {path: path.read_bytes() for path in results}
    damaged, whole = next((p, c) for p, c in contents.items() if b'"A"' in c and b'"B"' in c)
    for length in range(0, len(whole), STEP_BYTES):
        damaged.write_bytes(whole[:length])
        trainer.calls.clear()
        again = study()
        assert trainer.calls == [("A", "B")], length
        np.testing.assert_array_equal(again.values, first.values)
        assert {path: path.read_bytes() for path in results if path != damaged} == {
            path: content for path, content in contents.items() if path != damaged
        }
    trainer.calls.clear()
    study()
    assert trainer.calls == []


def test_every_result_cut_somewhere(
    study: Callable[[], RelevanceMatrix], trainer: CountingTrainer, tmp_path: Path
) -> None:
    first = study()
    for place, path in enumerate(files(tmp_path, "result.json")):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * place // JOBS])
        trainer.calls.clear()
        assert np.array_equal(study().values, first.values)
        assert len(trainer.calls) == 1


def test_inputs_cut_anywhere_are_written_again_and_cost_nothing(
    study: Callable[[], RelevanceMatrix], trainer: CountingTrainer, tmp_path: Path
) -> None:
    study()
    trainer.calls.clear()
    path, *_ = files(tmp_path, "inputs.json")
    whole = path.read_bytes()
    for length in range(0, len(whole), STEP_BYTES):
        path.write_bytes(whole[:length])
        study()
        assert path.read_bytes() == whole, length
    assert trainer.calls == []


def test_a_lock_file_may_hold_anything_or_be_gone(
    study: Callable[[], RelevanceMatrix], trainer: CountingTrainer, tmp_path: Path
) -> None:
    study()
    kept, gone, *_ = sorted((tmp_path / "store" / "locks").iterdir())
    kept.write_bytes(b"\xff{")
    gone.unlink()
    for path in files(tmp_path, "result.json"):
        path.unlink()
    trainer.calls.clear()
    study()
    assert len(trainer.calls) == JOBS


@pytest.mark.parametrize(
    ("result", "wrong"),
    [
        ("text", "Input should be a valid dictionary"),
        ({"seconds": 1.0, "device": "cpu"}, "results: Field required."),
        ({"results": {"A": {"metrics": "x"}}}, "results.A.metrics: Input should be a valid"),
        ({"results": {}, "seconds": 1.0, "device": "cpu"}, "The trainer gave no result for"),
        ({"results": {}, "seconds": "soon", "device": "cpu"}, "seconds: Input should be a valid"),
    ],
)
def test_a_whole_result_of_something_else_is_one_line(
    study: Callable[[], RelevanceMatrix], tmp_path: Path, result: object, wrong: str
) -> None:
    study()
    path, *_ = files(tmp_path, "result.json")
    path.write_text(canonical_json(_sealed(path.parent.name, result)))
    with pytest.raises(RelevanceError) as error:
        study()
    assert str(error.value).startswith(f"{path} is not what a run leaves: {wrong}")
    assert str(error.value).endswith(" Delete it, and the run is done again.")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["result.json", "inputs.json", "", "lock"])
@pytest.mark.parametrize("what", ["folder", "circle"])
def test_what_is_no_file_is_one_line(
    study: Callable[[], RelevanceMatrix], tmp_path: Path, name: str, what: str
) -> None:
    study()
    result, *_ = files(tmp_path, "result.json")
    place = result.parent / name
    if name == "lock":
        result.unlink()
        place = tmp_path / "store" / "locks" / result.parent.name
    if what == "folder" and not name:
        shutil.rmtree(place)
        place.touch()  # nor a file where a folder should be
    else:
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        place.mkdir() if what == "folder" else place.symlink_to(place.name)
    with pytest.raises(RelevanceError) as error:
        study()
    assert re.fullmatch(rf"{place}\S* cannot be (read|written): [\w ]+\.", str(error.value))

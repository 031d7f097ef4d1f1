"""Processes on one cache folder share the work: no job is done twice, and a kill loses none."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.studies.store import JobStore

INPUTS = {"seed": 0}
STUDY = """
import json, sys, time
from pathlib import Path
from relevance.measures.joint_training import joint_training_gains
from relevance.studies.study import Study
from relevance.jobs.job import Schedule
from relevance.tasks.task import Task
from relevance.interfaces.trainer import Result

HERE, NAME = Path(__file__).parent, sys.argv[1]

class Trainer:
    fingerprint = "slow"

    def __call__(self, tasks, seed, device):
        with open(HERE / "calls", "a") as calls:
            print(json.dumps([NAME, *tasks, seed]), file=calls)
        while NAME == "killed" or len({json.loads(line)[0] for line in open(HERE / "calls")}) < 2:
            time.sleep(0.02)  # both are at work before either goes on
        scores = {task: (ord(task) + seed + len(tasks)) % 7 / 10 + 0.1 for task in tasks}
        return {task: Result({"accuracy": f}, 1 - f) for task, f in scores.items()}

def task(name):
    return Task(name=name, family="f", kind="classification", text=["s"], labels=["n", "p"],
                metrics=["accuracy"])

if __name__ == "__main__":
    study = Study.of([task(name) for name in "ABCD"], Trainer(), single_seeds=1)
    gains = joint_training_gains(study)
    gains.save(HERE / NAME)
"""
JOBS = 4 + 6


@dataclass(frozen=True)
class Folder:
    """Where the processes work, and what they write down."""

    path: Path

    def start(self, name: str) -> "subprocess.Popen[bytes]":
        script = self.path / "study.py"
        script.write_text(STUDY)
        environment = {**os.environ, "RELEVANCE_CACHE": str(self.path / "cache")}
        return subprocess.Popen([sys.executable, script, name], env=environment)

    def calls(self, *names: str) -> list[list[str]]:
        """Tasks and seed of every training that these processes began, or all of them."""
        path = self.path / "calls"
        lines = map(json.loads, path.read_text().splitlines() if path.exists() else [])
        return [call for name, *call in lines if name in names or not names]

    def wait_for(self, calls: int, *names: str) -> None:
        end = time.monotonic() + 120
        while len(self.calls(*names)) < calls:
            assert time.monotonic() < end
            time.sleep(0.02)

    def matrix(self, name: str) -> RelevanceMatrix:
        return replace(load_matrix(self.path / name), cost={})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.process
def test_two_processes_do_every_job_once(folder: Folder) -> None:
    both = [folder.start(name) for name in ("one", "two")]
    assert [process.wait(120) for process in both] == [0, 0]
    assert len(set(map(str, folder.calls()))) == len(folder.calls()) == JOBS
    assert folder.calls("one")
    assert folder.calls("two")
    assert folder.matrix("one") == folder.matrix("two")
    assert folder.matrix("one").provenance["failed"] == {}


@pytest.mark.process
def test_when_one_is_killed_the_other_does_the_rest(folder: Folder) -> None:
    killed, other = folder.start("killed"), folder.start("other")
    folder.wait_for(1, "killed")
    folder.wait_for(JOBS - 1, "other")
    killed.kill()
    killed.wait()
    assert other.wait(120) == 0
    calls = folder.calls("other")
    assert len(set(map(str, calls))) == len(calls) == JOBS
    assert calls[-1:] == folder.calls("killed"), "what the killed one was at comes last"
    assert folder.matrix("other").provenance["failed"] == {}


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path)


def test_a_claim_keeps_others_away_until_it_ends(store: JobStore) -> None:
    with store.claim(INPUTS) as mine:
        assert mine
        assert store.held(INPUTS)
        assert not store.held({"seed": 1})
        with store.claim(INPUTS) as second:
            assert not second
        assert store.held(INPUTS), "a claim that was refused takes nothing away"
    assert not store.held(INPUTS)


def test_a_claim_ends_with_an_error_too(store: JobStore) -> None:
    with pytest.raises(KeyError), store.claim(INPUTS):
        raise KeyError
    assert not store.held(INPUTS)


def test_a_file_system_without_locks(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import fcntl

    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(RelevanceError, match=r"locks/\w+ cannot be locked: Function not implem.*"),
        store.claim(INPUTS),
    ):
        raise AssertionError

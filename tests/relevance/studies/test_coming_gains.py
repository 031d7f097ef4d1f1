"""What is told of a study on its way: every score once, and gains that the matrix then has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relevance.gains.gain_choice import GainChoice
from relevance.interfaces.trainer import Result
from relevance.jobs.job import Event, Job, Schedule
from relevance.measures.joint_training import joint_training_gains
from relevance.studies.coming_gains import ComingGains
from relevance.studies.runs import FinishedRun
from relevance.studies.store import JobStore
from relevance.studies.study import Study
from toys import toy

TASKS = tuple(toy(name) for name in ("A", "B", "C"))


class Trainer:
    """Scores that depend on who is trained together, and on the seed."""

    fingerprint = "coming"

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        del device
        return {
            task: Result({"accuracy": 1 / (2 + ord(task) % 3 + len(tasks) + 0.1 * (seed % 7))}, 0.5)
            for task in tasks
        }


@pytest.fixture(params=[False, True], ids=["in order", "pairs first"])
def _one_after_another(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs run in this process; long ones come first in real studies, and those are the pairs."""

    def run(
        jobs: Sequence[Job],
        schedule: Schedule,
        on_event: Callable[[Event], None] | None,
        *,
        cached: Sequence[tuple[Job, float]],
        further: object,
    ) -> dict[str, str]:
        def tell(kind: Any, job: Job) -> None:
            if on_event is not None:
                on_event(Event(kind, job.name, 0, 0, 0, 0, len(jobs)))

        for job, _ in cached:
            tell("cached", job)
        for job in reversed(jobs) if request.param else jobs:
            tell("started", job)
            job.call("cpu")
            tell("done", job)
        return {}

    monkeypatch.setattr("relevance.studies.study.run_jobs", run)


@pytest.mark.usefixtures("_one_after_another")
@pytest.mark.parametrize("normalise", ["relative", "absolute"])
def test_gains_come_once_and_as_the_matrix_has_them(tmp_path: Path, normalise: str) -> None:
    choice, told = GainChoice(normalise=normalise), list[tuple[Mapping[str, float], int]]()
    store, seeds = JobStore(tmp_path / "cache"), (0, 1)
    study = Study.of(TASKS, Trainer(), seeds=seeds, store=store)

    def tell(values: Mapping[str, float], step: int) -> None:
        told.append((dict(values), step))

    def watched() -> Study:
        coming = ComingGains(choice, study.single_seeds, tell)
        return replace(study, on_finished=coming)

    matrix = joint_training_gains(watched(), choice)
    assert [step for _, step in told] == list(range(1, 18 + 6 + 1))
    names = [name for values, _ in told for name in values]
    found = {
        name: value
        for values, _ in told
        for name, value in values.items()
        if name.startswith("gain/")
    }
    assert sum(name.startswith("gain/") for name in names) == len(found) == 6 * len(seeds)
    assert matrix.per_seed is not None
    for name, value in found.items():
        pair, seed = name.removeprefix("gain/").split(", seed ")
        target, source = map("ABC".index, pair.split(" from "))
        assert value == pytest.approx(matrix.per_seed[int(seed), source, target])
    assert names.count("score/A alone") == len(study.single_seeds)
    assert names.count("score/A with B") == len(seeds)
    told.clear()
    joint_training_gains(watched(), choice)  # all of it is in the cache now, and told again
    assert len(told) == 18 + 6


def test_an_undefined_gain_is_not_told(tmp_path: Path) -> None:
    told: dict[str, float] = {}
    coming = ComingGains(GainChoice(), (0,), lambda values, _: told.update(values))
    study = Study.of(TASKS, Trainer(), single_seeds=1, store=JobStore(tmp_path / "cache"))
    result = Result({"accuracy": 0.0}, 1.0)
    for run in study.all_runs():
        coming(run, FinishedRun({task.name: result for task in run.tasks}, 1.0, "cpu"))
    assert told
    assert not any(" from " in name for name in told)

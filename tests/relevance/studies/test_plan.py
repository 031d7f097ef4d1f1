"""What is left to do is told from what was measured, and not at all where nothing was."""

from dataclasses import dataclass
from itertools import combinations

import pytest

from relevance.interfaces.trainer import Result
from relevance.studies.plan import StudyPlan, make_plan, task_costs
from relevance.studies.runs import FinishedRun, TrainingRun
from relevance.tasks.task import Task
from toys import toy


@dataclass(frozen=True)
class NoTrainer:
    fingerprint: str = "none"

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        raise AssertionError


def a_task(name: str) -> Task:
    return toy(name, text=("s",), labels=("n", "p"))


def a_run(*names: str, seed: int = 0) -> TrainingRun:
    return TrainingRun(tuple(map(a_task, names)), ("",) * len(names), seed, NoTrainer())


RUNS = [a_run(name) for name in "ABC"] + [a_run(*pair) for pair in combinations("ABC", 2)]
ROWS = {"A": 100.0, "B": 10.0, "C": 10.0}


def finished(seconds: float, memory_bytes: int | None = None) -> FinishedRun:
    return FinishedRun({}, seconds, "cpu", memory_bytes)


def plan(done: dict[str, FinishedRun]) -> StudyPlan:
    return make_plan(RUNS, done, task_costs(RUNS, done, ROWS), lambda run: 1000)


def test_nothing_is_guessed_while_nothing_is_measured() -> None:
    empty = plan({})
    assert empty.missing == (
        *("A & B, seed 0", "A & C, seed 0", "A, seed 0"),
        *("B & C, seed 0", "B, seed 0", "C, seed 0"),
    )
    assert empty.cached == ()
    assert (empty.durations, empty.seconds_on(4)) == (None, None)
    assert (empty.memory_bytes, empty.disk_bytes) == (None, None)


def test_a_task_takes_what_its_single_runs_took() -> None:
    """B has as few rows as C, but its texts are long."""
    done = {"B, seed 0": finished(50.0), "A, seed 0": finished(60.0)}
    costs = task_costs(RUNS, done, ROWS)
    assert costs == pytest.approx({"A": 60, "B": 50, "C": 10.0})  # C: 110 s for 110 rows
    assert plan(done).missing == ("A & B, seed 0", "A & C, seed 0", "B & C, seed 0", "C, seed 0")
    assert plan(done).durations == pytest.approx((110, 70, 60, 10))


def test_the_middle_of_several_seeds_counts() -> None:
    runs = [a_run("A", seed=seed) for seed in range(3)]
    done = {run.name: finished(s) for run, s in zip(runs, (5.0, 90.0, 6.0), strict=True)}
    assert task_costs(runs, done, {}) == {"A": 6.0}


def test_joint_runs_tell_the_speed_too() -> None:
    assert task_costs(RUNS, {"A & B, seed 0": finished(220.0)}, ROWS) == pytest.approx(
        {"A": 200, "B": 20, "C": 20}
    )


def test_time_memory_and_disk() -> None:
    done = {name: finished(60.0, memory_bytes=7) for name in ("A, seed 0", "B, seed 0")}
    done["C, seed 0"] = finished(60.0)
    left = plan(done)
    assert left.durations == pytest.approx((120, 120, 120))
    assert sum(left.durations or ()) == pytest.approx(360)
    assert [left.seconds_on(workers) for workers in (1, 2, 3, 8)] == pytest.approx(
        [360, 240, 120, 120]
    )
    assert left.memory_bytes == 7
    assert left.disk_bytes == 3000


def test_when_all_is_done_nothing_is_left() -> None:
    left = plan({run.name: finished(1.0) for run in RUNS})
    assert (left.missing, left.durations, left.seconds_on(2), left.disk_bytes) == ((), (), 0.0, 0.0)

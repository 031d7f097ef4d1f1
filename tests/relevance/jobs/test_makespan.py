"""The scheduler's rule on a clock of its own: longest first, to whichever worker is free."""

import heapq
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.jobs.job import Job, Schedule
from relevance.jobs.makespan import Simulated, lower_bound, makespan
from relevance.jobs.progress import JobProgress
from relevance.jobs.scheduler import run_on

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "packing.py"
durations = st.lists(st.integers(1, 100).map(float), min_size=1, max_size=30)
numbers_of_workers = st.integers(1, 8)


def nothing(device: str) -> None:
    raise AssertionError


def jobs(costs: list[float]) -> list[Job]:
    return [Job(str(place), nothing, cost) for place, cost in enumerate(costs)]


def by_hand(seconds: list[float], workers: int) -> float:
    """Longest first to the worker that is free first, written down directly."""
    free = [0.0] * workers
    for each in sorted(seconds, reverse=True):
        heapq.heapreplace(free, free[0] + each)
    return max(free)


@given(durations, numbers_of_workers)
def test_it_is_list_scheduling_by_length(seconds: list[float], workers: int) -> None:
    found = makespan(jobs(seconds), workers, lambda job: job.cost)
    assert found == pytest.approx(by_hand(seconds, workers))


@given(durations, numbers_of_workers)
def test_grahams_bound(seconds: list[float], workers: int) -> None:
    """No list schedule is further from the mean load than the last job reaches (Graham, 1969)."""
    found = makespan(jobs(seconds), workers, lambda job: job.cost)
    assert found >= lower_bound(seconds, workers) - 1e-9
    assert found <= sum(seconds) / workers + (1 - 1 / workers) * max(seconds) + 1e-9


def test_wrong_costs_lose_time_and_no_job() -> None:
    seconds = {"0": 1.0, "1": 1.0, "2": 2.0}
    known = [Job(name, nothing, cost) for name, cost in seconds.items()]
    unknown = [Job(name, nothing, -cost) for name, cost in seconds.items()]
    assert makespan(known, 2, lambda job: seconds[job.name]) == 2
    assert makespan(unknown, 2, lambda job: seconds[job.name]) == 3


def test_jobs_of_other_processes_are_left_to_them() -> None:
    finished = [Job("theirs", nothing, 9.0, lambda: "finished"), Job("ours", nothing, 1.0)]
    progress = JobProgress(finished, (), None)
    engine = Simulated.start(Schedule(jobs_per_device=2))
    assert isinstance(engine, Simulated)
    run_on(engine, finished, progress)
    assert engine.clock_s == 1.0
    assert progress.errors == {}


@pytest.mark.parametrize("devices", [4, 16])
@pytest.mark.parametrize("durations", ["recorded", "computed"])
def test_the_papers_91_jobs_within_5_percent_of_the_lower_bound(
    durations: str, devices: int
) -> None:
    benchmark = runpy.run_path(str(BENCHMARK))
    seconds = {
        "recorded": lambda: benchmark["recorded"](benchmark["RECORDED"]),
        "computed": lambda: {name: float(n) for name, n in benchmark["words_of"]().items()},
    }[durations]()
    assert len(seconds) == 91
    known = [Job(name, nothing, cost) for name, cost in seconds.items()]
    found = makespan(known, devices, lambda job: seconds[job.name])
    assert found <= 1.05 * lower_bound(list(seconds.values()), devices)


def test_nothing_takes_no_time() -> None:
    assert makespan([], 3, lambda job: job.cost) == 0
    assert lower_bound([], 3) == 0

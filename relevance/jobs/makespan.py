"""Makespan: the time jobs would take on some workers, by running the scheduler on a clock."""

import heapq
from collections.abc import Callable, Sequence

from relevance.jobs.engines.engine import Engine, JobEvent
from relevance.jobs.job import Job, Schedule
from relevance.jobs.progress import JobProgress
from relevance.jobs.scheduler import run_on


class Simulated(Engine):
    """Workers that do nothing and take their time for it.

    Args:
        workers: Number of jobs at a time.
        seconds: Function that gives the duration of a job.

    Attributes:
        clock_s: Seconds since the start.
    """

    def __init__(self, workers: int, seconds: Callable[[Job], float]) -> None:
        super().__init__()
        self.capacity = workers
        self.clock_s = 0.0
        self._seconds = seconds
        self._ends: list[tuple[float, str]] = []

    @classmethod
    def start(cls, schedule: Schedule) -> "Engine":
        """Simulate the workers of a schedule, with jobs that take what they were expected to."""
        return cls(len(schedule.slots), lambda job: job.cost)

    def submit(self, job: Job) -> None:
        """Begin a job, which is not called."""
        heapq.heappush(self._ends, (self.clock_s + self._seconds(job), job.name))

    def wait(self, timeout_s: float | None = None) -> JobEvent | None:
        """Go on to the end of the job that ends next; a timeout is not needed, as some job ends."""
        del timeout_s
        self.clock_s, job = heapq.heappop(self._ends)
        return JobEvent("done", job)

    def clear(self) -> None:
        """There is nothing to end."""

    def stop(self) -> None:
        """There is nothing to end."""


def makespan(jobs: Sequence[Job], workers: int, seconds: Callable[[Job], float]) -> float:
    """Time from the start of the first job to the end of the last one.

    Args:
        jobs: Jobs in any order; the scheduler goes by their costs.
        workers: Number of jobs at a time.
        seconds: Function that gives the duration of a job, which the scheduler does not know.

    Returns:
        Seconds.
    """
    # The scheduler itself is run, so that an estimate and the run agree on who waits for whom.
    engine = Simulated(workers, seconds)
    run_on(engine, jobs, JobProgress(jobs, (), None))
    return engine.clock_s


def lower_bound(seconds: Sequence[float], workers: int) -> float:
    """Seconds that no schedule can beat: all workers busy throughout, or the longest job.

    >>> lower_bound([3.0, 1.0, 1.0, 1.0], 2), lower_bound([9.0, 1.0], 2)
    (3.0, 9.0)
    """
    return max(sum(seconds) / workers, max(seconds, default=0.0))

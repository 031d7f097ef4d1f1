"""Progress of a study: what is done, what runs, and how long the rest may take."""

import time
from collections.abc import Callable, Sequence
from statistics import mean
from typing import Literal

from relevance.jobs.job import Event, Job, Kind


class JobProgress:
    """Counts what happens to jobs and tells about it after every change.

    Args:
        jobs: Jobs that are to be done.
        cached: Jobs that need not be done, each with the seconds it took.
        on_event: Function that is told about every change.
        workers: Number of jobs that will be done at a time, None where it is not known yet.
        expected: Number of all jobs, with those that are yet to be named; 0 where there are none.

    Attributes:
        errors: Errors of failed jobs by name, in one line.
        workers: Function that gives the number of jobs done at a time.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        cached: Sequence[tuple[Job, float]],
        on_event: Callable[[Event], None] | None,
        workers: int | None = None,
        expected: int = 0,
    ) -> None:
        self.errors: dict[str, str] = {}
        self.workers: Callable[[], int | None] = lambda: workers
        self._known = len(jobs) + len(cached)
        self._expected = expected
        self._done = self._cached = len(cached)
        self._on_event = on_event
        self._waiting = {job.name: job.cost for job in jobs}
        self._mean_cost = mean([job.cost for job in [*jobs, *(job for job, _ in cached)]] or [0.0])
        self._running: dict[str, tuple[float, float]] = {}  # cost, start
        self._timed_cost = sum(job.cost for job, _ in cached)
        self._timed_s = sum(seconds for _, seconds in cached)
        self._tell("begun")
        for job, _ in cached:
            self._tell("cached", job)

    def add(self, jobs: Sequence[Job]) -> None:
        """Note jobs that became known."""
        self._known += len(jobs)
        self._waiting |= {job.name: job.cost for job in jobs}

    def started(self, job: Job) -> None:
        """Note that a worker began a job; a second time where the cluster lost the first one."""
        if job.name in self._running:
            self.waits_again(job, "retried")
        self._running[job.name] = self._waiting.pop(job.name), time.monotonic()
        self._tell("started", job)

    def done(self, job: Job) -> None:
        """Note that a job was done here."""
        cost, start = self._end(job)
        self._timed_cost += cost
        self._timed_s += time.monotonic() - start
        self._done += 1
        self._tell("done", job)

    def found(self, job: Job) -> None:
        """Note that another process has done a job."""
        del self._waiting[job.name]
        self._done += 1
        self._cached += 1
        self._tell("cached", job)

    def waits_again(self, job: Job, why: Literal["held", "retried"]) -> None:
        """Note that another process took a job first, or that the worker of a job was killed."""
        self._waiting[job.name], _ = self._end(job)
        self._tell(why, job)

    def failed(self, job: Job, error: str) -> None:
        """Note that a job ended with an error."""
        self._end(job)
        self.errors[job.name] = error
        self._tell("failed", job, error)

    def _end(self, job: Job) -> tuple[float, float]:
        """Cost and start of a job that runs no more; a cluster may tell its end first."""
        if job.name not in self._running:
            self.started(job)
        return self._running.pop(job.name)

    def _tell(self, kind: Kind, job: Job | None = None, error: str | None = None) -> None:
        if self._on_event is not None:
            name = job.name if job else ""
            total = max(self._known, self._expected)
            counts = self._done, self._cached, len(self._running), len(self.errors), total
            self._on_event(Event(kind, name, *counts, self._left_s(), error, self.workers()))

    def _left_s(self) -> float | None:
        """Seconds left at the speed so far, shared by as many workers as have work."""
        # Jobs have costs in any unit; only jobs that have ended say how many seconds a unit takes.
        if not self._timed_cost:
            return None
        speed = self._timed_s / self._timed_cost
        now = time.monotonic()
        left_s = [cost * speed for cost in self._waiting.values()]
        left_s += [self._mean_cost * speed] * (self._expected - self._known)
        left_s += [max(cost * speed - (now - start), 0) for cost, start in self._running.values()]
        return sum(left_s) / max(1, min(self.workers() or 1, len(left_s)))

"""Independent jobs over devices: longest first, one at a time per worker, with progress."""

import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Literal

from relevance.errors import RelevanceError
from relevance.workers import Worker, one_line, was_killed

Kind = Literal["cached", "started", "done", "retried", "failed"]


@dataclass(frozen=True)
class Schedule:
    """Which devices work, and how many jobs each runs at a time.

    Attributes:
        devices: Such as `("cpu",)` or `("cuda:0", "cuda:1")`.
        jobs_per_device: Workers on each device.
        threads: CPU threads of each worker; None shares the cores out evenly.
    """

    devices: tuple[str, ...] = ("cpu",)
    jobs_per_device: int = 1
    threads: int | None = None

    def __post_init__(self) -> None:
        if not self.devices or self.jobs_per_device < 1 or (self.threads or 1) < 1:
            raise RelevanceError(
                "A schedule needs at least one device, one job on each and one thread for it, got"
                f" {len(self.devices)}, {self.jobs_per_device} and {self.threads}."
            )

    @property
    def slots(self) -> tuple[str, ...]:
        """The device of every worker.

        >>> Schedule(("cuda:0", "cuda:1"), jobs_per_device=2).slots
        ('cuda:0', 'cuda:1', 'cuda:0', 'cuda:1')
        """
        return self.devices * self.jobs_per_device


@dataclass(frozen=True)
class Job:
    """One independent piece of work.

    Attributes:
        name: Shown to the user; unique within a study.
        call: Does the work and stores its result; gets the device. Must be picklable.
        cost: Expected duration in any one unit; the longest job starts first.
    """

    name: str
    call: Callable[[str], None]
    cost: float


@dataclass(frozen=True)
class Event:
    """What happened to a job, and where the study stands.

    Attributes:
        kind: What happened; `retried` is a job whose worker was killed and that will be run again.
        job: Name of the job.
        done: Jobs finished so far, those found in the cache included.
        running: Jobs being run.
        failed: Jobs that ended with an error.
        total: All jobs of the study.
        left_s: Estimate of the time left in seconds, None while no job's duration is known.
        error: Of a failed job.
    """

    kind: Kind
    job: str
    done: int
    running: int
    failed: int
    total: int
    left_s: float | None = None
    error: str | None = None


def run_jobs(
    jobs: Sequence[Job],
    schedule: Schedule,
    on_event: Callable[[Event], None] | None = None,
    *,
    cached: Sequence[tuple[Job, float]] = (),
) -> dict[str, str]:
    """Run jobs that don't depend on each other.

    Every worker is a process of its own, so a job that kills its worker is known and its
    neighbours go on. The killed job is run once more at the end with no other beside it, as a
    neighbour's memory may have been what killed it; a second death is recorded. A job that raises
    is recorded at once.

    Args:
        jobs: What is to be done.
        schedule: On which devices.
        on_event: Told, in this process, about every job that starts, ends, or is put back.
        cached: Jobs that need not run, each with the seconds it took; they count as done.

    Returns:
        For every failed job its error in one line.
    """
    from joblib import cpu_count

    threads = schedule.threads or max(1, cpu_count() // len(schedule.slots))
    workers = [Worker(device, threads) for device in schedule.slots]
    progress = _Progress(jobs, cached, len(workers), on_event)
    try:
        with warnings.catch_warnings():
            # Loky replaces a worker whose memory grew. Nothing is lost, and nobody can act on it.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
            longest_first = sorted(jobs, key=lambda job: -job.cost)
            killed = _run(longest_first, workers, progress, retry=True)
            for job in killed:
                for worker in workers:
                    worker.stop()  # idle processes hold memory as well
                _run([job], workers[:1], progress, retry=False)
    finally:
        for worker in workers:
            worker.stop()
    return progress.errors


def _run(
    jobs: Sequence[Job], workers: Sequence[Worker], progress: "_Progress", *, retry: bool
) -> list[Job]:
    """Run jobs in the given order; return those that were killed and are still to be retried."""
    waiting = list(reversed(jobs))
    free = list(reversed(workers))
    running: dict[Future[str | None], tuple[Job, Worker]] = {}
    killed: list[Job] = []
    while waiting or running:
        while waiting and free:
            job, worker = waiting.pop(), free.pop()
            running[worker.submit(job.call)] = job, worker
            progress.started(job)
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            job, worker = running.pop(future)
            free.append(worker)
            raised = future.exception()
            error = one_line(raised) if raised else future.result()
            if error is None:
                progress.done(job)
                continue
            worker.stop()  # a failure may have left the device unusable for its process
            if was_killed(raised) and retry:
                killed.append(job)
                progress.retried(job)
            else:
                progress.failed(job, "its worker was killed twice" if was_killed(raised) else error)
    return killed


class _Progress:
    """Where the study stands, told after every change."""

    def __init__(
        self,
        jobs: Sequence[Job],
        cached: Sequence[tuple[Job, float]],
        workers: int,
        on_event: Callable[[Event], None] | None,
    ) -> None:
        self.errors: dict[str, str] = {}
        self._total = len(jobs) + len(cached)
        self._done = 0
        self._workers = workers
        self._on_event = on_event
        self._waiting = {job.name: job.cost for job in jobs}
        self._running: dict[str, tuple[float, float]] = {}  # cost, start
        self._timed_cost = sum(job.cost for job, _ in cached)
        self._timed_s = sum(seconds for _, seconds in cached)
        for job, _ in cached:
            self._done += 1
            self._tell("cached", job)

    def started(self, job: Job) -> None:
        self._running[job.name] = self._waiting.pop(job.name), time.monotonic()
        self._tell("started", job)

    def done(self, job: Job) -> None:
        cost, start = self._running.pop(job.name)
        self._timed_cost += cost
        self._timed_s += time.monotonic() - start
        self._done += 1
        self._tell("done", job)

    def retried(self, job: Job) -> None:
        self._waiting[job.name], _ = self._running.pop(job.name)
        self._tell("retried", job)

    def failed(self, job: Job, error: str) -> None:
        del self._running[job.name]
        self.errors[job.name] = error
        self._tell("failed", job, error)

    def _tell(self, kind: Kind, job: Job, error: str | None = None) -> None:
        if self._on_event is not None:
            counts = self._done, len(self._running), len(self.errors), self._total
            self._on_event(Event(kind, job.name, *counts, self._left_s(), error))

    def _left_s(self) -> float | None:
        """What is left to do at the speed so far, shared by as many workers as have work."""
        if not self._timed_cost:
            return None
        speed = self._timed_s / self._timed_cost
        now = time.monotonic()
        left_s = [cost * speed for cost in self._waiting.values()]
        left_s += [max(cost * speed - (now - start), 0) for cost, start in self._running.values()]
        return sum(left_s) / max(1, min(self._workers, len(left_s)))

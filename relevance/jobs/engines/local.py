"""Processes on this machine, each with a device of its own."""

import warnings
from concurrent.futures import Future
from functools import partial

from relevance.jobs.asking import asked_before
from relevance.jobs.attempts import Outcome
from relevance.jobs.engines.engine import Engine, JobEvent
from relevance.jobs.job import Job, Schedule
from relevance.jobs.workers import Worker, threads_of, was_killed, why


class Local(Engine):
    """One process per worker: a job that kills its process is known, and its neighbours go on.

    Args:
        workers: Workers, each of which runs a job at a time.
    """

    def __init__(self, workers: list[Worker]) -> None:
        super().__init__()
        self.capacity = len(workers)
        self._workers = workers
        self._free = workers[::-1]

    @classmethod
    def start(cls, schedule: Schedule) -> "Engine":
        """Make a worker per slot of a schedule; each starts its process with its first job.

        That which was asked something before has its process already.
        """
        # Loky replaces a worker whose memory grew. Nothing is lost, and nobody can act on it.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
        threads = threads_of(schedule)
        return cls(
            [asked_before(device, threads) or Worker(device, threads) for device in schedule.slots]
        )

    def submit(self, job: Job) -> None:
        """Give a job, whose call must be picklable, to a worker that has none."""
        worker = self._free.pop()
        self._tell("started", job)
        future = worker.submit(job.call)
        ended = partial(self._end, job, worker, future)
        future.add_done_callback(lambda _: self._inbox.put(ended))

    def stop(self) -> None:
        """Kill all processes."""
        for worker in self._workers:
            worker.stop()

    def clear(self) -> None:
        """Kill idle processes, whose memory the next job may need."""
        for worker in self._free:
            worker.stop()

    def _end(self, job: Job, worker: Worker, future: Future[Outcome]) -> JobEvent:
        self._free.append(worker)
        raised = future.exception()
        outcome = Outcome("failed", why(raised)) if raised else future.result()
        if outcome.kind == "failed":
            worker.stop()  # a failure may have left the device unusable for its process
        if was_killed(raised):
            return JobEvent("killed", job.name)
        return JobEvent(outcome.kind, job.name, outcome.error)

"""The base of engines: worker processes that jobs are handed to, here or on a cluster."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Literal, NamedTuple

from relevance.errors import RelevanceError
from relevance.jobs.job import Job, Schedule
from relevance.registry import Registry


class JobEvent(NamedTuple):
    """An event in the life of a job.

    Attributes:
        kind: `held` where another process is doing the job, `killed` where its worker died.
        job: Name of the job.
        error: Error of a failed job, in one line.
    """

    kind: Literal["started", "done", "held", "failed", "killed"]
    job: str
    error: str | None = None


class Engine(ABC):
    """Worker processes; each does one job at a time.

    Attributes:
        capacity: Number of jobs that may be handed over at a time.
    """

    capacity: int

    def __init__(self) -> None:
        self._inbox: SimpleQueue[Callable[[], JobEvent]] = SimpleQueue()

    @classmethod
    @abstractmethod
    def start(cls, schedule: Schedule) -> "Engine":
        """Start workers, or find those of a cluster.

        Args:
            schedule: Devices, workers, and the address of a cluster.

        Returns:
            The engine.

        Raises:
            RelevanceError: If a package is missing or nothing answers at the address.
        """

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Hand over a job; fewer than `capacity` are with the workers."""

    @abstractmethod
    def stop(self) -> None:
        """End what was started, whatever it is doing."""

    def wait(self, timeout_s: float | None = None) -> JobEvent | None:
        """Wait until something happens to a job.

        Args:
            timeout_s: Seconds to wait at most; None for as long as it takes.

        Returns:
            The event, None where nothing happened.
        """
        try:
            return self._inbox.get(timeout=timeout_s)()
        except Empty:
            return None

    def workers(self) -> int:
        """Number of jobs done at a time."""
        return self.capacity

    @abstractmethod
    def clear(self) -> None:
        """End idle workers where these hold memory that the next job may need."""

    def _tell(self, kind: Literal["started", "failed"], job: Job, error: str | None = None) -> None:
        self._inbox.put(lambda: JobEvent(kind, job.name, error))


engines = Registry("engine", Engine)
"""Every engine, by its name on the command line."""


def missing_package(name: str) -> RelevanceError:
    """The error for an engine whose package is not installed, to be raised by the caller."""
    return RelevanceError(f'`engine="{name}"` needs its extra: pip install -e ".[{name}]"')

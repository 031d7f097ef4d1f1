"""Independent jobs, the devices they are laid over, and what is told about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from relevance.errors import RelevanceError

Kind = Literal["begun", "cached", "started", "done", "held", "retried", "failed"]
Status = Literal["open", "held", "finished"]


@dataclass(frozen=True)
class Schedule:
    """The devices that work, the jobs that each runs at a time, and the engine that runs them.

    Attributes:
        devices: Names such as `("cpu",)` or `("cuda:0", "cuda:1")`; on a cluster `cpu` or `cuda`,
            where every worker sees its own.
        jobs_per_device: Number of workers on each device.
        threads: Number of CPU threads of each worker; None for `$OMP_NUM_THREADS`, or else an even
            share of the cores.
        engine: Name of the engine that runs the jobs: `local`, `dask` or `ray`.
        address: Address of a cluster that is there already; None starts workers on this machine.
        all_workers: Whether to use every worker of that cluster, however many join it.
    """

    devices: tuple[str, ...] = ("cpu",)
    jobs_per_device: int = 1
    threads: int | None = None
    engine: str = "local"
    address: str | None = None
    all_workers: bool = False

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
        name: Name for users, unique within a study.
        call: Picklable function that is given the device, does the work and stores its result.
        cost: Expected duration in any one unit; the longest job starts first.
        status: Function that says, in this process, whether the job still has to be done: `held`
            while another process is doing it, `finished` when one has done it.
    """

    name: str
    call: Callable[[str], None]
    cost: float
    status: Callable[[], Status] = lambda: "open"


@dataclass(frozen=True)
class Further:
    """Jobs that are not known before others have ended.

    Attributes:
        next: Function that is asked whenever all jobs so far have ended; none, and that is all.
        total: Number of jobs that there will be with those known from the start, as far as can be
            said; for telling how much is left.
    """

    next: Callable[[], Sequence[Job]]
    total: int = 0


@dataclass(frozen=True)
class Event:
    """An event in a study, and where the study stands then.

    Attributes:
        kind: Kind of event; `begun` is the study itself, before its first job, `retried` a
            job whose worker was killed and that will be run again, `held` one that another
            process took first.
        job: Name of the job, empty where the study has begun.
        done: Number of jobs finished so far, those found in the cache included.
        cached: Number of these that were found in the cache, or done by another process.
        running: Number of jobs being run.
        failed: Number of jobs that ended with an error.
        total: Number of all jobs of the study.
        left_s: Estimate of the time left in seconds, None while no job's duration is known.
        error: Error of a failed job.
        workers: Number of jobs done at a time; None while a cluster has not told.
    """

    kind: Kind
    job: str
    done: int
    cached: int
    running: int
    failed: int
    total: int
    left_s: float | None = None
    error: str | None = None
    workers: int | None = None

"""Independent jobs over devices with joblib."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


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
        kind: What happened.
        job: Name of the job.
        done: Jobs finished so far, those found in the cache included.
        running: Jobs being run.
        failed: Jobs that ended with an error.
        total: All jobs of the study.
        left_s: Estimate of the time left in seconds, None before the first job is done.
        error: Of a failed job.
    """

    kind: Literal["cached", "started", "done", "retried", "failed"]
    job: str
    done: int
    running: int
    failed: int
    total: int
    left_s: float | None = None
    error: str | None = None

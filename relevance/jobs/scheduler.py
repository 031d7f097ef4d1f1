"""Jobs that don't depend on each other, longest first, on whichever engine."""

from collections.abc import Callable, Sequence

from relevance.jobs.engines.engine import Engine, engines
from relevance.jobs.job import Event, Further, Job, Schedule
from relevance.jobs.progress import JobProgress

LOOK_AGAIN_S = 0.5
"""Seconds between two looks at jobs that another process is doing."""


def run_jobs(
    jobs: Sequence[Job],
    schedule: Schedule,
    on_event: Callable[[Event], None] | None = None,
    *,
    cached: Sequence[tuple[Job, float]] = (),
    further: Further | None = None,
) -> dict[str, str]:
    """Run jobs that don't depend on each other.

    Every worker is a process of its own, so a job that kills its worker is known and its
    neighbours go on. The killed job is run once more at the end with no other beside it, as a
    neighbour's memory may have been what killed it; a second death is recorded. A job that raises
    is recorded at once. A job that another process is doing is left to it, and looked at again
    until it is finished, or free because that process was killed.

    Args:
        jobs: Jobs that are to be done.
        schedule: Devices, workers and engine.
        on_event: Function that is told, in this process, of jobs that start, end, or are put back.
        cached: Jobs that need not run, each with the seconds it took; they count as done.
        further: Jobs that follow from what others gave.

    Returns:
        {job: error in one line} of the failed jobs.

    Raises:
        RelevanceError: If the engine is unknown or cannot be started.
    """
    workers = None if schedule.all_workers else len(schedule.slots)
    # An engine that cannot be started is told before anything else is.
    engine = engines.find(schedule.engine).start(schedule) if jobs else None
    try:
        progress = JobProgress(jobs, cached, on_event, workers, further.total if further else 0)
        if engine:
            run_on(engine, jobs, progress, further)
    finally:
        if engine:
            engine.stop()
    return progress.errors


def run_on(
    engine: Engine, jobs: Sequence[Job], progress: JobProgress, further: Further | None = None
) -> None:
    """Run jobs on the workers of an engine that was started, and tell `progress` what happens."""
    progress.workers = engine.workers
    while jobs:
        # Longest first: a long job that starts last would run alone while all others wait.
        killed = _run(sorted(jobs, key=lambda job: -job.cost), engine, progress, retry=True)
        for job in killed:
            engine.clear()
            _run([job], engine, progress, retry=False)
        jobs = further.next() if further else ()
        progress.add(jobs)


def _run(jobs: Sequence[Job], engine: Engine, progress: JobProgress, *, retry: bool) -> list[Job]:
    """Run jobs in the given order; return those that were killed and are still to be retried."""
    waiting = list(jobs)
    running: dict[str, Job] = {}
    killed: list[Job] = []
    while True:
        waiting = _hand_over(waiting, running, engine, progress)
        if not waiting and not running:
            return killed
        look_again = len(running) < engine.capacity and waiting
        news = engine.wait(LOOK_AGAIN_S if look_again else None)
        # A cluster may tell the start of a job after its end.
        if news is None or news.job not in running:
            continue
        if news.kind == "started":
            progress.started(running[news.job])
            continue
        job = running.pop(news.job)
        if news.kind == "done":
            progress.done(job)
        elif news.kind == "held":
            waiting.append(job)
            progress.waits_again(job, "held")
        elif news.kind == "killed" and retry:
            killed.append(job)
            progress.waits_again(job, "retried")
        else:
            progress.failed(job, news.error or "its worker was killed twice")


def _hand_over(
    waiting: Sequence[Job], running: dict[str, Job], engine: Engine, progress: JobProgress
) -> list[Job]:
    """Give jobs to the engine while it has room; return those that are left for later."""
    left: list[Job] = []
    for place, job in enumerate(waiting):
        if len(running) >= engine.capacity:
            return [*left, *waiting[place:]]
        status = job.status()
        if status == "open":
            running[job.name] = job
            engine.submit(job)
        elif status == "held":
            left.append(job)
        else:
            progress.found(job)
    return left

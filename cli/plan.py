"""What `--dry-run` of `relevance pairwise` and of `hmnet train` shows."""

from typing import TYPE_CHECKING

from cli.output import show
from relevance.jobs.job import Schedule
from relevance.jobs.telling import duration
from relevance.report.tables import table
from relevance.studies.plan import StudyPlan

if TYPE_CHECKING:
    from hmnet.runs.plan import RunPlan

COUNTS = (1, 2, 4, 8, 16)
UNKNOWN = "unknown until a job is done"


def show_plan(plan: StudyPlan, schedule: Schedule) -> None:
    """Print jobs, time for several numbers of workers, memory and disk.

    Args:
        plan: What there is to do.
        schedule: How many workers there would be.
    """
    for name in plan.cached:
        show(f"cached   {name}")
    for name in plan.missing:
        show(f"to run   {name}")
    if plan.later:
        show(f"to choose {plan.later} more, by what these give")
    workers = len(schedule.slots)
    counts = sorted({*COUNTS, workers})
    times = UNKNOWN
    if plan.durations is not None:
        times = ", ".join(f"{count}: {duration(plan.seconds_on(count))}" for count in counts)
    show(f"time     by number of workers, each as fast as so far: {times}")
    show(f"memory   of each worker: {size(plan.memory_bytes)}")
    show(f"disk     for the results: {size(plan.disk_bytes)}")
    seconds = plan.seconds_on(workers)
    left = UNKNOWN if seconds is None else f"about {duration(seconds)} with {workers} worker(s)"
    count = len(plan.missing) + plan.later
    show(f"{count} jobs to run, {len(plan.cached)} cached; time: {left}")


def show_run_plan(plan: "RunPlan", runs: int = 1) -> None:
    """Print steps and hours of each task, and time, memory and disk of a run.

    Args:
        plan: What one run would take.
        runs: How many there are, one after another, as of several seeds.
    """
    for note in plan.notes:
        show(f"note     {note}")
    show(table([cost.table_row() for cost in plan.costs], "markdown").rstrip())
    several = "" if runs == 1 else f", {duration(runs * plan.seconds)} for {runs} seeds"
    show(
        f"time     about {duration(plan.seconds)} on {plan.device}{several}, by a few steps of each"
        " task; scores, checkpoints and loading come on top"
    )
    memory = {name: count for name, count in plan.memory._asdict().items() if count}
    parts = ", ".join(f"{name} {size(count)}" for name, count in memory.items())
    show(f"memory   about {size(plan.memory.total)}: {parts}")
    show(
        f"disk     about {size(runs * plan.disk_bytes)}, and up to {size(plan.checkpoint_bytes)}"
        " for checkpoints while it trains"
    )


def size(count: float | None) -> str:
    """Bytes in a unit that suits them.

    Args:
        count: Number of bytes.

    Returns:
        Such as `1.8 GB`.

    >>> size(1.84e9), size(3.0e6), size(12.0), size(None)
    ('1.8 GB', '3.0 MB', '0.0 MB', 'unknown until a job is done')
    """
    if count is None:
        return UNKNOWN
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"

"""The plan of a study: jobs, time, memory and disk, as far as finished runs tell."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from relevance.jobs.job import Job
from relevance.jobs.makespan import makespan
from relevance.studies.runs import FinishedRun, TrainingRun


@dataclass(frozen=True)
class StudyPlan:
    """The runs that a study would do now, and their expected costs.

    Attributes:
        missing: Names of the runs that would be done, longest first.
        cached: Names of the runs that are done.
        durations: Seconds that each missing run should take, None while no run is done.
        memory_bytes: Largest memory of a run so far, None while none has been measured.
        disk_bytes: Expected size of the missing results on disk, None while no run is done.
        later: Number of runs beyond these, which will be chosen by what these give.
        of_later_s: Seconds that each of them should take.
    """

    missing: tuple[str, ...]
    cached: tuple[str, ...]
    durations: tuple[float, ...] | None
    memory_bytes: int | None
    disk_bytes: float | None
    later: int = 0
    of_later_s: float = 0.0

    def seconds_on(self, workers: int) -> float | None:
        """Seconds until some workers would have ended the last run; None while no run is done."""
        if self.durations is None:
            return None
        known = zip(self.missing, self.durations, strict=True)
        jobs = [Job(name, _nothing, seconds) for name, seconds in known]
        jobs += [Job(f"later {n}", _nothing, self.of_later_s) for n in range(self.later)]
        return makespan(jobs, workers, lambda job: job.cost)


def make_plan(
    runs: Sequence[TrainingRun],
    finished: Mapping[str, FinishedRun],
    costs: Mapping[str, float],
    size: Callable[[TrainingRun], int],
) -> StudyPlan:
    """Plan the missing runs, given costs by task (`task_costs`) and the bytes of a run on disk."""
    done = [run for run in runs if run.name in finished]
    missing = sorted(
        (run for run in runs if run.name not in finished), key=lambda run: -run_cost(run, costs)
    )
    memory = [run.memory_bytes for run in finished.values() if run.memory_bytes is not None]
    return StudyPlan(
        tuple(run.name for run in missing),
        tuple(run.name for run in done),
        tuple(run_cost(run, costs) for run in missing) if done else None,
        max(memory, default=None),
        len(missing) * sum(map(size, done)) / len(done) if done else None,
    )


def task_costs(
    runs: Sequence[TrainingRun], finished: Mapping[str, FinishedRun], expected: Mapping[str, float]
) -> dict[str, float]:
    """Cost of training on each task: seconds as soon as any run is done.

    A task costs what its own single runs took, whatever its texts are like; a task without any
    costs what was expected, at the speed of all finished runs.

    Args:
        runs: All runs of the study.
        finished: Finished runs by name.
        expected: Expected costs by task, in any one unit; 1 where not given.

    Returns:
        Costs by task, in seconds or, while no run is done, in the unit of what was expected.
    """
    names = {task.name for run in runs for task in run.tasks}
    costs = {name: expected.get(name, 1.0) for name in names}
    done = [run for run in runs if run.name in finished]
    planned = sum(run_cost(run, costs) for run in done)
    # Seconds for a unit of expected cost, so that measured and expected tasks can be added.
    speed = sum(finished[run.name].seconds for run in done) / planned if planned else 1.0
    alone = defaultdict(list)
    for run in done:
        if len(run.tasks) == 1:
            alone[run.tasks[0].name].append(finished[run.name].seconds)
    measured = {name: median(seconds) for name, seconds in alone.items()}
    return {name: measured.get(name, cost * speed) for name, cost in costs.items()}


def run_cost(run: TrainingRun, costs: Mapping[str, float]) -> float:
    """Cost of a run: the sum over its tasks."""
    return sum((costs[task.name] for task in run.tasks), 0.0)


def _nothing(device: str) -> None:
    """The call of a job that is only planned."""

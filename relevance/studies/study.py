"""A study of joint training: every task alone and every pair, on as many devices as there are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations, count
from statistics import mean
from typing import Any

import numpy as np
from jaxtyping import Float

from relevance.disk.files import begin_cache
from relevance.errors import RelevanceError
from relevance.gains.formulas import scores
from relevance.gains.gain_choice import METRICS
from relevance.interfaces.trainer import Result, Trainer
from relevance.jobs.job import Event, Further, Job, Schedule
from relevance.jobs.scheduler import run_jobs
from relevance.studies.plan import StudyPlan, make_plan, run_cost, task_costs
from relevance.studies.rounds import AllAtOnce, Progressing, Rounds
from relevance.studies.runs import FinishedRun, TrainingRun
from relevance.studies.store import JobStore
from relevance.tasks.task import Task

Scores = dict[str, Float[np.ndarray, "..."]]

# Far from the seeds that people choose, so that fresh ones are nobody's joint seeds.
BETWEEN_SEEDS = 1000


def single_run_seeds(seeds: Sequence[int], number: int | None = None) -> tuple[int, ...]:
    """Seeds of single-task runs: those of the joint runs, then fresh ones.

    The fresh ones follow from each joint seed, so studies with different seeds have different
    ones and can be merged into what one study of all seeds would have been.

    Args:
        seeds: Seeds of joint runs, all different.
        number: Number of seeds; None for three times as many as joint runs.

    Returns:
        Different seeds, those of the joint runs first.

    Raises:
        RelevanceError: If the number is below that of joint seeds, each of which needs its pair.

    >>> single_run_seeds((0, 1))
    (0, 1, 1000, 1001, 2000, 2001)
    """
    wanted = 3 * len(seeds) if number is None else number
    if wanted < len(seeds):
        raise RelevanceError(
            f"`single_seeds={wanted}` is below the {len(seeds)} seeds of joint runs: each joint run"
            " is paired with the single runs of its seed."
        )
    chosen = dict.fromkeys(seeds)
    for seed in (seed + BETWEEN_SEEDS * turn for turn in count(1) for seed in seeds):
        if len(chosen) >= wanted:
            break
        chosen[seed] = None
    return tuple(chosen)


@dataclass(frozen=True)
class Study:
    """All runs for gains: T single ones per single seed and T(T-1)/2 joint ones per joint seed.

    Attributes:
        tasks: One task or more, names all different.
        trainer: Trainer of each run.
        store: Store in which results are kept and found again.
        seeds: Seeds of joint runs.
        single_seeds: Seeds of single runs, those of the joint runs first.
        data: Fingerprint of each task's data; changes whenever results could.
        costs: Expected duration of a task's training in any one unit; 1 where not given.
        on_finished: Function that is told about every run that is finished, with its results.
    """

    tasks: tuple[Task, ...]
    trainer: Trainer
    store: JobStore
    seeds: tuple[int, ...] = (0,)
    single_seeds: tuple[int, ...] = (0,)
    data: Mapping[str, str] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    on_finished: Callable[[TrainingRun, FinishedRun], None] | None = None

    @classmethod
    def of(
        cls,
        tasks: Sequence[Task],
        trainer: Trainer,
        *,
        seeds: Sequence[int] = (0,),
        single_seeds: int | None = None,
        store: JobStore | None = None,
        data: Mapping[str, str] | None = None,
        costs: Mapping[str, float] | None = None,
    ) -> "Study":
        """A study with the usual single runs, kept in the cache folder.

        Args:
            tasks: One task or more, names all different.
            trainer: Picklable trainer of each run, for worker processes.
            seeds: Seeds of the joint runs, all different.
            single_seeds: Number of seeds of single runs; None for three times as many.
            store: Store of finished runs; None for the cache folder.
            data: Fingerprints by task name, which change whenever the task's data does.
            costs: Expected duration by task name, in any one unit; long runs start first.

        Returns:
            The study; nothing is run.

        Raises:
            RelevanceError: If seeds are missing or repeat, or single runs have too few.
        """
        if not seeds or len(set(seeds)) < len(seeds):
            got = ", ".join(map(str, seeds)) or "none"
            raise RelevanceError(f"Seeds must be given and all different, got {got}.")
        alone = single_run_seeds(seeds, single_seeds)
        store = JobStore(begin_cache()) if store is None else store
        return cls(tuple(tasks), trainer, store, tuple(seeds), alone, data or {}, costs or {})

    def plan(self, rounds: Rounds = AllAtOnce()) -> StudyPlan:  # noqa: B008  # has no state
        """Plan the missing runs, with the time they should take.

        Args:
            rounds: How runs are chosen; those that hang on missing ones are only counted.

        Returns:
            The plan.
        """
        going = Progressing(self, rounds)
        going.advance()
        runs = list(going.asked.values())
        costs = task_costs(runs, going.finished, self.costs)
        plan = make_plan(runs, going.finished, costs, lambda run: self.store.size(run.inputs))
        mean_s = 2 * mean(costs.values()) if going.finished else 0.0  # of a pair
        return replace(plan, later=going.later, of_later_s=mean_s)

    def run(
        self,
        schedule: Schedule,
        on_event: Callable[[Event], None] | None = None,
        rounds: Rounds = AllAtOnce(),  # noqa: B008  # has no state
    ) -> tuple[dict[str, FinishedRun], dict[str, str]]:
        """Do what is missing.

        Args:
            schedule: Devices and workers.
            on_event: Function that is told about every run that starts, ends or fails.
            rounds: How runs are chosen.

        Returns:
            The finished runs by name, and the errors of failed ones by name.

        Raises:
            RelevanceError: If the store cannot be written.
        """
        going = Progressing(self, rounds)
        jobs = self._jobs(going)
        further = Further(
            lambda: [job for _, job in self._jobs(going)], len(going.asked) + going.later
        )
        done = going.finished
        failed = run_jobs(
            [job for run, job in jobs if run.name not in done],
            schedule,
            self._telling(going, on_event),
            cached=[(job, done[run.name].seconds) for run, job in jobs if run.name in done],
            further=further,
        )
        going.look()
        return {name: done[name] for name in going.asked if name in done}, failed

    def _telling(
        self, going: Progressing, on_event: Callable[[Event], None] | None
    ) -> Callable[[Event], None] | None:
        """Pass on what happens, and results with it where somebody wants them."""
        wanted = self.on_finished
        if wanted is None:
            return on_event

        def tell(event: Event) -> None:
            if on_event is not None:
                on_event(event)
            run = going.asked.get(event.job) if event.kind in {"done", "cached"} else None
            if run is not None and (finished := run.finished(self.store)) is not None:
                wanted(run, finished)

        return tell

    def scores(self, finished: Mapping[str, FinishedRun]) -> tuple[Scores, Scores]:
        """Tables of the runs' scores.

        Args:
            finished: Runs by name.

        Returns:
            {metric: scores} for `METRICS` of single runs, [single_seed, task], and of the targets
            in joint runs, [seed, source, target]; NaN for missing runs and on the diagonal.
        """

        def outcome(target: Task, result: Result | None) -> list[float]:
            if result is None:
                return [np.nan] * len(METRICS)
            return list(scores(target, result).values())

        def outcomes(rows: Sequence[Sequence[Result | None]]) -> list[list[list[float]]]:
            return [list(map(outcome, self.tasks, row)) for row in rows]

        single, joint = self.results(finished)
        return _by_metric(outcomes(single)), _by_metric([outcomes(rows) for rows in joint])

    def results(
        self, finished: Mapping[str, FinishedRun]
    ) -> tuple[list[list[Result | None]], list[list[list[Result | None]]]]:
        """Results of every task in every run.

        Args:
            finished: Runs by name.

        Returns:
            Results of single runs, [single_seed][task], and of the targets in joint runs,
            [seed][source][target]; None for missing runs and on the diagonal.
        """

        def of(seed: int, target: Task, *source: Task) -> Result | None:
            run = finished.get(self.training(seed, target, *source).name)
            return None if run is None else run.results[target.name]

        tasks = self.tasks
        single = [[of(seed, target) for target in tasks] for seed in self.single_seeds]
        joint = [
            [[of(seed, target, source) for target in tasks] for source in tasks]
            for seed in self.seeds
        ]
        return single, joint

    def all_runs(self) -> Iterator[TrainingRun]:
        """Every run, single ones first."""
        yield from self.single_runs()
        for seed in self.seeds:
            for pair in combinations(self.tasks, 2):
                yield self.training(seed, *pair)

    def single_runs(self) -> Iterator[TrainingRun]:
        """Every task alone with each single seed."""
        for seed in self.single_seeds:
            for task in self.tasks:
                yield self.training(seed, task)

    def training(self, seed: int, *tasks: Task) -> TrainingRun:
        """The run of some tasks with a seed."""
        ordered = tuple(sorted(tasks, key=lambda task: task.name))
        data = tuple(self.data.get(task.name, "") for task in ordered)
        return TrainingRun(ordered, data, seed, self.trainer)

    def _jobs(self, going: Progressing) -> list[tuple[TrainingRun, Job]]:
        """Jobs of the rounds up to the next one in which a run is missing."""
        runs, store = going.advance(), self.store
        costs = task_costs(tuple(going.asked.values()), going.finished, self.costs)
        for run in runs:
            store.reserve(run.inputs)
        return [
            (
                run,
                Job(
                    run.name,
                    partial(run.do, store),
                    run_cost(run, costs),
                    partial(run.status, store),
                ),
            )
            for run in runs
        ]


@dataclass(frozen=True)
class StudyInRounds:
    """A study of which only the runs that rounds ask for are made.

    Attributes:
        study: The study.
        rounds: How its runs are chosen.
    """

    study: Study
    rounds: Rounds


def _by_metric(outcomes: Sequence[Any]) -> Scores:
    return dict(zip(METRICS, np.moveaxis(np.asarray(outcomes), -1, 0), strict=True))

"""Joint-training gain: how much better a target does when it is trained together with a source."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from relevance.disk.files import begin_cache
from relevance.errors import RelevanceError
from relevance.gains.bootstrap import baseline_noise, evaluation_noise
from relevance.gains.constant_answers import CONSTANT, constant_answers
from relevance.gains.formulas import METRICS, check_choice, scores
from relevance.interfaces.trainer import Result, Trainer, fingerprint_of, unlearned_rows
from relevance.jobs.job import Event, Schedule
from relevance.matrices.gains_matrix import gains_matrix
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.measure import Inputs, Measure
from relevance.studies.plan import Plan
from relevance.studies.store import JobStore
from relevance.studies.study import Study, single_run_seeds
from relevance.tasks.data import Split, TaskData
from relevance.tasks.load import load_task
from relevance.tasks.metrics import majority
from relevance.tasks.overlap import shared_texts
from relevance.tasks.task import Task

NOTHING: Mapping[str, Any] = MappingProxyType({})


def joint_training_gains(
    tasks: Sequence[Task],
    trainer: Trainer,
    *,
    seeds: Sequence[int] = (0,),
    single_seeds: int | None = None,
    metric: str = "gain",
    normalise: str = "relative",
    schedule: Schedule = Schedule(),  # noqa: B008  # frozen
    store: JobStore | None = None,
    data_fingerprints: Mapping[str, str] = NOTHING,
    costs: Mapping[str, float] = NOTHING,
    majorities: Mapping[str, Result] = NOTHING,
    held_out: Mapping[str, Split] = NOTHING,
    provenance: Mapping[str, Any] = NOTHING,
    on_event: Callable[[Event], None] | None = None,
) -> RelevanceMatrix:
    """Train every task alone and every pair together, and compare.

    Finished runs are kept and found again: the same call after a kill does what is missing and
    gives the same numbers, and a task added later costs only its own runs. A joint run gives both
    directions of its pair.

    Args:
        tasks: At least one, names all different.
        trainer: Does each run, in worker processes; must be picklable.
        seeds: Of joint runs, all different.
        single_seeds: How many seeds single runs have; None for three times as many.
        metric: `gain` (mean of the gain metrics), `primary` or `loss`.
        normalise: `relative` (eq. 4), `absolute` (points) or `error` (share of the error removed).
        schedule: Devices and workers.
        store: Where finished runs are kept; None for the cache folder.
        data_fingerprints: By task name; must change whenever the task's data does.
        costs: Expected duration by task name, in any one unit; long runs start first.
        majorities: Results of the majority class by task name, for comparison; all tasks or none.
        held_out: The rows that the trainer scores, by task name, all tasks or none; with a single
            seed the noise of the evaluation is told by resampling them.
        provenance: What else the matrix should tell about itself.
        on_event: Told about every run that starts, ends or fails.

    Returns:
        The gains with all scores behind them. Cells are NaN where a run failed or the gain is
        undefined; `provenance["failed"]` and `provenance["warnings"]` say why.

    Raises:
        RelevanceError: If a choice is unknown, seeds repeat, or the store cannot be written.

    Source:
        Fei et al. (2022), section 3.2, equations 3 and 4.
    """
    check_choice(metric, normalise)
    study = _study(tasks, trainer, seeds, single_seeds, store, data_fingerprints, costs)
    start = time.perf_counter()
    finished, failed = study.run(schedule, on_event)
    wall_s = time.perf_counter() - start
    single, joint = study.scores(finished)
    alone, together = study.results(finished)
    single = {**single, CONSTANT: constant_answers(alone)}
    joint = {**joint, CONSTANT: constant_answers(together)}
    noise = None
    if held_out and len(study.seeds) == 1:
        noise = evaluation_noise(
            tasks, held_out, alone, together[0], metric=metric, normalise=normalise
        )
    if held_out and len(study.single_seeds) == 1:
        provenance = {**provenance, "baseline_noise": baseline_noise(tasks, held_out, alone[0])}
    constant = [scores(task, majorities[task.name]) for task in tasks] if majorities else []
    return gains_matrix(
        [task.name for task in tasks],
        study.seeds,
        single,
        joint,
        {metric: [row[metric] for row in constant] for metric in METRICS} if constant else None,
        metric=metric,
        normalise=normalise,
        cost={
            "seconds": sum((run.seconds for run in finished.values()), 0.0),
            "wall_seconds": wall_s,
        },
        provenance={
            **provenance,
            "single_seeds": list(study.single_seeds),
            "data": dict(data_fingerprints),
            "trainers": [fingerprint_of(trainer, tuple(task.name for task in tasks))],
            "devices": sorted({run.device.partition(":")[0] for run in finished.values()}),
            "failed": failed,
        },
        evaluation_noise=noise,
    )


def _study(
    tasks: Sequence[Task],
    trainer: Trainer,
    seeds: Sequence[int],
    single_seeds: int | None,
    store: JobStore | None,
    data: Mapping[str, str],
    costs: Mapping[str, float],
) -> Study:
    if not seeds or len(set(seeds)) < len(seeds):
        got = ", ".join(map(str, seeds)) or "none"
        raise RelevanceError(f"Seeds must be given and all different, got {got}.")
    store = JobStore(begin_cache()) if store is None else store
    alone = single_run_seeds(seeds, single_seeds)
    return Study(tuple(tasks), trainer, store, tuple(seeds), alone, data, costs)


@dataclass(frozen=True)
class JointTraining(Measure):
    """Gains of joint training, measured with the trainer that is handed in.

    Attributes:
        inputs: Data, trainer, seeds, devices and choices.
        make_trainer: Makes the trainer.
    """

    inputs: Inputs
    make_trainer: Callable[[], Trainer]

    @classmethod
    def build(cls, inputs: Inputs) -> "JointTraining":
        """Take the inputs, among which there must be a trainer.

        Args:
            inputs: Data, trainer, seeds, devices and choices.

        Returns:
            The measure.

        Raises:
            RelevanceError: If there is no trainer.
        """
        if inputs.trainer is None:
            raise RelevanceError(
                "Measure 'joint-training' needs a trainer. `relevance pairwise` brings one; from"
                " Python, hand one in as measure(..., trainer=...)."
            )
        return cls(inputs, inputs.trainer)

    def measure(self, tasks: Sequence[Task]) -> RelevanceMatrix:
        """Load the data, run what is missing, and compare.

        Args:
            tasks: At least one task, names all different.

        Returns:
            The gains, with majority-class scores and counts of shared texts.

        Raises:
            RelevanceError: If data cannot be loaded, a task has no row that teaches anything, or a
                choice is wrong.
        """
        inputs = self.inputs
        check_choice(inputs.metric, inputs.normalise)
        trainer = self.make_trainer()
        data = self._load(tasks)
        names = tuple(task.name for task in tasks)
        unlearned = unlearned_rows(trainer, names)
        return joint_training_gains(
            tasks,
            trainer,
            seeds=inputs.seeds,
            single_seeds=inputs.single_seeds,
            metric=inputs.metric,
            normalise=inputs.normalise,
            schedule=inputs.schedule(),
            data_fingerprints=_fingerprints(data),
            costs=_costs(data),
            majorities={
                one.task.name: majority(one.task, one.train, one.evaluation[inputs.gain_split])
                for one in data
            },
            held_out={one.task.name: one.evaluation[inputs.gain_split] for one in data},
            provenance={
                "gain_split": inputs.gain_split,
                "max_train": inputs.data.max_train,
                "max_dev": inputs.data.max_dev,
                "shared_texts": _shared(data, inputs.gain_split),
                **({"drop_overlap": True} if inputs.drop_overlap else {}),
                **({"unlearned": unlearned} if unlearned else {}),
            },
            on_event=inputs.on_event,
        )

    def plan(self, tasks: Sequence[Task]) -> Plan:
        """What `measure` would do now.

        Args:
            tasks: At least one task, names all different.

        Returns:
            Missing and finished runs, and how long the missing ones should take.

        Raises:
            RelevanceError: If data cannot be loaded or a choice is wrong.
        """
        inputs = self.inputs
        check_choice(inputs.metric, inputs.normalise)
        data = self._load(tasks)
        fingerprints, costs = _fingerprints(data), _costs(data)
        trainer, store = self.make_trainer(), None
        return _study(
            tasks, trainer, inputs.seeds, inputs.single_seeds, store, fingerprints, costs
        ).plan()

    def _load(self, tasks: Sequence[Task]) -> list[TaskData]:
        split = self.inputs.gain_split
        return [load_task(task, self.inputs.data, gain_split=split) for task in tasks]


def _fingerprints(data: Sequence[TaskData]) -> dict[str, str]:
    return {one.task.name: one.fingerprint for one in data}


def _costs(data: Sequence[TaskData]) -> dict[str, float]:
    return {one.task.name: float(len(one.train)) for one in data}


def _shared(data: Sequence[TaskData], split: str) -> dict[str, dict[str, int]]:
    """How many of the target's evaluation texts the source trains on: {source: {target: n}}."""
    return {
        source.task.name: {
            target.task.name: len(shared_texts(source.train, target.evaluation[split]))
            for target in data
            if target is not source
        }
        for source in data
    }

"""Joint-training gain: how much better a target does when it is trained together with a source."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

from relevance.errors import RelevanceError
from relevance.gains.bootstrap import baseline_noise, evaluation_noise
from relevance.gains.constant_answers import CONSTANT, constant_answers
from relevance.gains.formulas import scores
from relevance.gains.gain_choice import METRICS, PAPERS_CHOICE, GainChoice
from relevance.gains.study_scores import StudyScores
from relevance.interfaces.trainer import ReadsTexts, Result, Trainer, fingerprint_of, unlearned_rows
from relevance.jobs.job import Event, Schedule
from relevance.matrices.gains_matrix import gains_matrix
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.measure import Inputs, Measure
from relevance.studies.plan import StudyPlan
from relevance.studies.rounds import AllAtOnce, Rounds
from relevance.studies.study import Study, StudyInRounds
from relevance.tasks.data import Split, TaskData
from relevance.tasks.load import load_task
from relevance.tasks.metrics import majority
from relevance.tasks.overlap import shared_texts
from relevance.tasks.task import Task

NOTHING: Mapping[str, Any] = MappingProxyType({})


TRIED_ROWS = 200
"""So many rows of a task are read before its jobs are begun, to see whether they can be."""


def joint_training_gains(
    study: Study | StudyInRounds,
    choice: GainChoice = PAPERS_CHOICE,
    *,
    schedule: Schedule = Schedule(),  # noqa: B008  # frozen
    majorities: Mapping[str, Result] = NOTHING,
    held_out: Mapping[str, Split] = NOTHING,
    provenance: Mapping[str, Any] = NOTHING,
    on_event: Callable[[Event], None] | None = None,
) -> RelevanceMatrix:
    """Measure joint-training gains: train every task alone and every pair together, and compare.

    Finished runs are kept and found again: the same call after a kill does what is missing and
    gives the same numbers, and a task added later costs only its own runs. A joint run gives both
    directions of its pair.

    Args:
        study: Tasks, trainer and seeds, and where finished runs are kept; in rounds, only the runs
            that these ask for are made, and a gain is the mean over the seeds that it has.
        choice: Metric and normalisation of the gains.
        schedule: Devices and workers.
        majorities: Results of the majority class by task name, for comparison; all tasks or none.
        held_out: The rows that the trainer scores, by task name, all tasks or none; with a single
            seed the noise of the evaluation is told by resampling them.
        provenance: Further entries of the matrix's provenance.
        on_event: Function that is told about every run that starts, ends or fails.

    Returns:
        The gains with all scores behind them. Cells are NaN where a run failed or the gain is
        undefined; `provenance["failed"]` and `provenance["warnings"]` say why.

    Raises:
        RelevanceError: If the store cannot be written.

    Source:
        Fei et al. (2022), section 3.2, equations 3 and 4.
    """
    rounds: Rounds = AllAtOnce()
    if isinstance(study, StudyInRounds):
        rounds, study = study.rounds, study.study
        provenance = {"unequal_seeds": True, **provenance}
    tasks = study.tasks
    names = tuple(task.name for task in tasks)
    start = time.perf_counter()
    finished, failed = study.run(schedule, on_event, rounds)
    wall_s = time.perf_counter() - start
    single, joint = study.scores(finished)
    alone, together = study.results(finished)
    noise = None
    # With several seeds their spread holds the noise of the evaluation already.
    if held_out and len(study.seeds) == 1:
        noise = evaluation_noise(tasks, held_out, alone, together[0], choice)
    # With several single seeds the spread over seeds says how sure a baseline is.
    if held_out and len(study.single_seeds) == 1:
        provenance = {**provenance, "baseline_noise": baseline_noise(tasks, held_out, alone[0])}
    constant = [scores(task, majorities[task.name]) for task in tasks] if majorities else []
    return gains_matrix(
        StudyScores(
            names,
            study.seeds,
            {**single, CONSTANT: constant_answers(alone)},
            {**joint, CONSTANT: constant_answers(together)},
            {metric: [row[metric] for row in constant] for metric in METRICS} if constant else None,
        ),
        choice,
        cost={
            "seconds": sum((run.seconds for run in finished.values()), 0.0),
            "wall_seconds": wall_s,
        },
        provenance={
            **provenance,
            "single_seeds": list(study.single_seeds),
            "data": dict(study.data),
            "trainers": [fingerprint_of(study.trainer, names)],
            "devices": sorted({run.device.partition(":")[0] for run in finished.values()}),
            "failed": failed,
        },
        evaluation_noise=noise,
    )


@dataclass(frozen=True)
class JointTraining(Measure):
    """Gains of joint training, measured with the trainer that is handed in.

    Attributes:
        name: Name of the measure on the command line.
        command: Command that brings a trainer.
        inputs: Data, trainer, seeds, devices and choices.
        make_trainer: Function that makes the trainer.
        choice: Metric and normalisation of the gains.
    """

    name: ClassVar[str] = "joint-training"
    command: ClassVar[str] = "pairwise"
    keeps_jobs = True

    inputs: Inputs
    make_trainer: Callable[[], Trainer]
    choice: GainChoice

    @classmethod
    def build(cls, inputs: Inputs) -> "JointTraining":
        """Take the inputs; without a trainer the measure is refused."""
        if inputs.trainer is None:
            raise RelevanceError(
                f"Measure '{cls.name}' needs a trainer. `relevance {cls.command}` brings one; from"
                " Python, hand one in as measure(..., trainer=...)."
            )
        return cls(inputs, inputs.trainer, inputs.choice)

    def measure(self, tasks: Sequence[Task]) -> RelevanceMatrix:
        """Load the data, run what is missing, and compare.

        Args:
            tasks: At least one task, names all different.

        Returns:
            The gains, with majority-class scores and counts of shared texts.

        Raises:
            RelevanceError: If data cannot be loaded, a task has no row that teaches anything or
                texts that the trainer cannot read, or seeds are wrong.
        """
        inputs = self.inputs
        trainer, data = self._checked(tasks)
        schedule = inputs.schedule()
        unlearned = unlearned_rows(trainer, tuple(task.name for task in tasks))
        matrix = joint_training_gains(
            self._study(tasks, trainer, data, schedule),
            self.choice,
            schedule=schedule,
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
                **({"budget": str(inputs.budget)} if inputs.budget else {}),
                **self.told(),
            },
            on_event=inputs.on_event,
        )
        return replace(matrix, measure=self.name)

    def told(self) -> dict[str, Any]:
        """Further entries of the matrix's provenance."""
        return {}

    def study(self, tasks: Sequence[Task]) -> Study:
        """The study of some tasks, for whoever asks it for other runs than those of pairs.

        Args:
            tasks: At least one task, names all different.

        Returns:
            The study; nothing is run.

        Raises:
            RelevanceError: As `measure` does.
        """
        trainer, data = self._checked(tasks)
        return self._all_runs(tasks, trainer, data)

    def plan(self, tasks: Sequence[Task]) -> StudyPlan:
        """Plan what `measure` would do now.

        Args:
            tasks: At least one task, names all different.

        Returns:
            Missing and finished runs, and how long the missing ones should take.

        Raises:
            RelevanceError: If data cannot be loaded or seeds are wrong.
        """
        data = self._load(tasks)
        study = self._study(tasks, self.make_trainer(), data, self.inputs.schedule())
        return study.study.plan(study.rounds) if isinstance(study, StudyInRounds) else study.plan()

    def _checked(self, tasks: Sequence[Task]) -> tuple[Trainer, list[TaskData]]:
        """The trainer and the data, which it can read."""
        if self.inputs.budget is not None:  # told before a model or data are read
            self.inputs.budget.check(len(tasks))
        trainer = self.make_trainer()
        data = self._load(tasks)
        if isinstance(trainer, ReadsTexts):  # else every job would fail, and say the same
            trainer.check_texts(
                {one.task.name: [text[:TRIED_ROWS] for text in one.train.texts] for one in data}
            )
        return trainer, data

    def _load(self, tasks: Sequence[Task]) -> list[TaskData]:
        split = self.inputs.gain_split
        return [load_task(task, self.inputs.data, gain_split=split) for task in tasks]

    def _study(
        self,
        tasks: Sequence[Task],
        trainer: Trainer,
        data: Sequence[TaskData],
        schedule: Schedule,
    ) -> Study | StudyInRounds:
        study = self._all_runs(tasks, trainer, data)
        budget = self.inputs.budget
        if budget is None:
            return study
        return StudyInRounds(study, budget.rounds(self.choice, len(schedule.slots)))

    def _all_runs(self, tasks: Sequence[Task], trainer: Trainer, data: Sequence[TaskData]) -> Study:
        study = Study.of(
            tasks,
            trainer,
            seeds=self.inputs.seeds,
            single_seeds=self.inputs.single_seeds,
            data={one.task.name: one.fingerprint for one in data},
            costs={one.task.name: float(len(one.train)) for one in data},
        )
        return replace(study, on_finished=self.inputs.on_finished)


def _shared(data: Sequence[TaskData], split: str) -> dict[str, dict[str, int]]:
    """Number of the target's evaluation texts that the source trains on, {source: {target: n}}."""
    return {
        source.task.name: {
            target.task.name: len(shared_texts(source.train, target.evaluation[split]))
            for target in data
            if target is not source
        }
        for source in data
    }

"""The base of measures: ways to fill `values[source, target]` for a list of tasks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from relevance.errors import unknown_name
from relevance.gains.gain_choice import GainChoice
from relevance.gains.protocol import GainSettings
from relevance.interfaces.probe import Probe
from relevance.interfaces.trainer import Trainer
from relevance.jobs.job import Event, Schedule
from relevance.jobs.telling import StudyLog
from relevance.matrices.matrix import RelevanceMatrix
from relevance.registry import Registry
from relevance.studies.rounds import Budgeted
from relevance.studies.runs import FinishedRun, TrainingRun
from relevance.tasks.data import DataOptions
from relevance.tasks.task import Task
from relevance.text.token_vectors import TokenVectors


@dataclass(frozen=True)
class Inputs(GainSettings):
    """Everything that can be handed to a measure, with the settings of gains; each takes its part.

    Attributes:
        data: Folder of the tasks' files and limits of rows.
        tokenizer: Name for `relevance.text.tokenizers.load_tokenizer`.
        token_vectors: Function that reads a vector for every token, for measures that run no
            encoder.
        graded: Whether the taxonomy counts how closely two families are related.
        trainer: Function that makes the trainer that joint training asks for.
        probe: Function that makes the probe that cheap estimators ask.
        seeds: Seeds of joint runs.
        share: Share of the training rows that short runs have, in (0, 1].
        memory: Outputs of frozen layers that workers hold in memory together, in 10^9 bytes.
        schedule: Function that finds devices and workers, when a measure has jobs to run.
        budget: `relevance.Budget` of joint training; None for all runs.
        on_event: Function that is told about every job that starts, ends or fails. With None
            `measure` prints plain lines on stderr; `lambda event: None` is silence.
        on_finished: Function that is told about every finished run of a study, with its results.
    """

    data: DataOptions = field(default_factory=DataOptions)
    tokenizer: str = "bert-base-uncased"
    token_vectors: Callable[[], TokenVectors] | None = None
    graded: bool = False
    trainer: Callable[[], Trainer] | None = None
    probe: Callable[[], Probe] | None = None
    seeds: tuple[int, ...] = (0,)
    share: float = 0.25
    memory: float = 4.0
    schedule: Callable[[], Schedule] = Schedule
    budget: Budgeted | None = None
    on_event: Callable[[Event], None] | None = None
    on_finished: Callable[[TrainingRun, FinishedRun], None] | None = None

    @property
    def choice(self) -> GainChoice:
        """Metric and normalisation of the gains.

        Raises:
            RelevanceError: If the metric or normalisation is unknown, or losses are to be
                subtracted.
        """
        return GainChoice(self.metric, self.normalise)


MADE_WHEN_ASKED = frozenset({"trainer", "probe", "token_vectors", "schedule"})
"""Inputs that cost time to make, so that `Inputs` holds functions that make them."""


class Measure(ABC):
    """One way to measure how much each task helps each other one.

    Attributes:
        version: Version, raised whenever the numbers change.
        keeps_jobs: Whether finished jobs are kept, so that measuring can be stopped and go on.
    """

    version: int = 1
    keeps_jobs: bool = False

    @classmethod
    @abstractmethod
    def build(cls, inputs: Inputs) -> "Measure":
        """Take from the inputs what this measure needs."""

    @abstractmethod
    def measure(self, tasks: Sequence[Task]) -> RelevanceMatrix:
        """Fill the matrix.

        Args:
            tasks: At least one task, names all different.

        Returns:
            The matrix in the order of the tasks.

        Raises:
            RelevanceError: If the data of a task cannot be loaded or leaves a value undefined.
        """


measures = Registry("measure", Measure)
"""Every way to fill a relevance matrix, by its name on the command line."""


def measure(
    name: str, tasks: Sequence[Task], inputs: Inputs | None = None, **given: Any
) -> RelevanceMatrix:
    """Fill a relevance matrix by any measure.

    Args:
        name: Name such as `vocabulary`, `taxonomy` or `joint-training`; an error lists all.
        tasks: At least one task, names all different.
        inputs: Inputs that the measure may ask for; None for the defaults.
        **given: Fields of `Inputs` that win over those of `inputs`, such as `tokenizer="word"` or
            `seeds=(0, 1)`. A `trainer`, `probe`, `token_vectors` or `schedule` is given itself.

    Returns:
        The matrix, `values[source, target]` in the order of the tasks.

    Raises:
        RelevanceError: If there is no such measure or input, the measure needs an input that is not
            given, or the data of a task cannot be loaded or leaves a value undefined.

    >>> from relevance.tasks.find import find_tasks
    >>> measure("taxonomy", find_tasks(["RTE", "CB"])).values.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    kind = measures.find(name)
    known = [each.name for each in fields(Inputs)]
    for key in given:
        if key not in known:
            raise unknown_name("input of a measure", key, known)
    # Python hands in a trainer itself; the command line makes one only when a measure asks for it.
    chosen: dict[str, Any] = {
        key: _always(value) if key in MADE_WHEN_ASKED else value for key, value in given.items()
    }
    inputs = replace(inputs or Inputs(), **chosen)
    if kind.keeps_jobs and inputs.on_event is None:
        log = StudyLog()
        log.pass_by(f"{name}: reading {len(tasks)} task(s)")
        inputs = replace(inputs, on_event=log.on_event)
    return kind.build(inputs).measure(tasks)


def _always(value: Any) -> Callable[[], Any]:
    """A function that gives an input that is there already."""
    return lambda: value

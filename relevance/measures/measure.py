"""What a measure is: one way to fill `values[source, target]` for a list of tasks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import relevance.measures
from relevance.matrix import RelevanceMatrix
from relevance.probe import Probe
from relevance.registry import Registry
from relevance.studies.scheduling import Event, Schedule
from relevance.tasks.data import DataOptions
from relevance.tasks.task import Task
from relevance.token_vectors import TokenVectors
from relevance.trainer import Trainer


@dataclass(frozen=True)
class Inputs:
    """Everything that can be handed to a measure; each one takes what it needs.

    Attributes:
        data: Where the tasks' files are and how many rows are used.
        tokenizer: Name for `relevance.tokenizers.load_tokenizer`.
        token_vectors: Reads a vector for every token, for measures that run no encoder.
        graded: Whether the taxonomy counts how closely two families are related.
        trainer: Makes the trainer that joint training asks for.
        probe: Makes what answers for the encoder that cheap estimators ask.
        seeds: Of joint runs.
        single_seeds: How many seeds single runs have; None for three times as many as joint runs.
        schedule: Finds out devices and workers, when a measure has jobs to run.
        metric: What gains are made of: `gain`, `primary` or `loss`.
        normalise: `relative`, `absolute` or `error`.
        gain_split: `holdout` or `dev`.
        drop_overlap: Whether the trainer leaves out training rows with texts that others are scored
            on, so that nothing needs to be said of them.
        on_event: Told about every job that starts, ends or fails.
    """

    data: DataOptions = field(default_factory=DataOptions)
    tokenizer: str = "bert-base-uncased"
    token_vectors: Callable[[], TokenVectors] | None = None
    graded: bool = False
    trainer: Callable[[], Trainer] | None = None
    probe: Callable[[], Probe] | None = None
    seeds: tuple[int, ...] = (0,)
    single_seeds: int | None = None
    schedule: Callable[[], Schedule] = Schedule
    metric: str = "gain"
    normalise: str = "relative"
    gain_split: Literal["holdout", "dev"] = "holdout"
    drop_overlap: bool = False
    on_event: Callable[[Event], None] | None = None


class Measure(ABC):
    """One way to measure how much each task helps each other one.

    Attributes:
        version: Raised whenever the numbers change.
    """

    version: int = 1

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


@cache
def measures() -> Registry[Measure]:
    """Every way to fill a relevance matrix, by its name on the command line.

    >>> measures().find("taxonomy").__name__
    'Taxonomy'
    """
    return Registry("measure", relevance.measures, Measure)

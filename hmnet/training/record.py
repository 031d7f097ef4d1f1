"""Records of training, its time and its scores, for the checkpoint and the run's folder."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, computed_field

from relevance.disk.files import read_json, validated, write_json
from relevance.disk.manifest import check_file

SCHEMA = "hmnet.training/1"


class Evaluation(BaseModel):
    """Scores of a model after an epoch.

    Attributes:
        epoch: Number of the epoch, from 1.
        step: Number of steps done by then.
        scores: Primary metric on dev by task, fractions.
    """

    model_config = ConfigDict(frozen=True)

    epoch: int = Field(ge=1)
    step: int = Field(0, ge=0)
    scores: dict[str, float]

    @property
    def mean(self) -> float:
        """Mean over the tasks."""
        return fmean(self.scores.values())


class Best(NamedTuple):
    """The epoch in which a task scored highest.

    Attributes:
        score: A fraction.
        epoch: The first one that has it, from 1.
    """

    score: float
    epoch: int


class Record(BaseModel):
    """One part of a run up to some step, over all the times that it was resumed.

    Attributes:
        seconds: Spent on the steps. Evaluation, checkpoints, and steps that a kill undid are left
            out.
        examples: Rows of all batches that were trained, each as often as it was.
        evaluations: Evaluations of the epochs up to now; none where nothing goes by them.
        sequences: Number of sequences that each task's training rows were made into; empty in
            records of older versions and before training has ended.
        versions: Versions of what was trained by and has been changed since it first came out, by
            name such as `sampler uncertainty`; empty in records of older versions.
    """

    model_config = ConfigDict(frozen=True)

    seconds: float = Field(0.0, ge=0)
    examples: int = Field(0, ge=0)
    evaluations: tuple[Evaluation, ...] = ()
    sequences: dict[str, int] = Field(default_factory=dict)
    versions: dict[str, int] = Field(default_factory=dict)

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation has it
    @property
    def best_epoch(self) -> int | None:
        """The epoch with the highest mean over the tasks, the first of equal ones."""
        return best_epoch(self.evaluations) if self.evaluations else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def best_by_task(self) -> dict[str, Best]:
        """Scores of each task in the epoch that was best for it alone, the first of equal ones."""
        found: dict[str, Best] = {}
        for evaluation in self.evaluations:
            for task, score in evaluation.scores.items():
                if task not in found or score > found[task].score:
                    found[task] = Best(score, evaluation.epoch)
        return found


NOTHING = Record()


class Timing(NamedTuple):
    """Time and rows that training a run took, all its parts together.

    Attributes:
        seconds: Spent on the steps.
        examples: Rows that were trained, each as often as it was.
    """

    seconds: float
    examples: int

    @property
    def examples_per_s(self) -> float:
        """Rows per second."""
        return self.examples / self.seconds


class _Parts(BaseModel):
    """The file's content."""

    parts: tuple[Record, ...]


def best_epoch(evaluations: Sequence[Evaluation]) -> int:
    """The epoch with the highest mean over the tasks.

    Args:
        evaluations: Scores in the order of the epochs, one at least.

    Returns:
        Number of the epoch; the first of equal ones, as a later one has shown no gain.

    >>> best_epoch([Evaluation(epoch=n, scores={"RTE": s}) for n, s in ((1, 0.5), (2, 0.5))])
    1
    """
    return max(evaluations, key=lambda evaluation: evaluation.mean).epoch


def write_records(path: Path, records: Sequence[Record]) -> None:
    """Write what the parts of a run took that are trained by now.

    Args:
        path: File such as `run/training.json`; an older one is replaced.
        records: One per part, in the order of training.

    Raises:
        RelevanceError: If it cannot be written.
    """
    write_json(path, SCHEMA, {"parts": [record.model_dump(mode="json") for record in records]})


def read_records(path: Path) -> tuple[Record, ...]:
    """Read what the parts of a run took.

    Args:
        path: File that `write_records` wrote.

    Returns:
        One per part; none where there is no such file, as in runs of older versions.

    Raises:
        RelevanceError: If the file is damaged.
    """
    if not path.exists():
        return ()
    check_file(path)
    return validated(_Parts, read_json(path, SCHEMA), str(path)).parts

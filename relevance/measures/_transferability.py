"""Transferability: how much better features explain a task once the encoder has seen another."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError
from relevance.interfaces.probe import Features, Probe
from relevance.measures._estimator import Cells, Estimator
from relevance.tasks.task import Task

# Reading all targets with every source's encoder takes half as long as the trainings at 40 steps.
ROWS = 256

Score = Callable[[Float[np.ndarray, "row dimension"], Float[np.ndarray, "row column"]], float]


class Transferability(Estimator):
    """An estimator that is the gain in a score of the features from fine-tuning on the source."""

    settings: ClassVar = {"rows": ROWS}
    per_row = True

    @staticmethod
    @abstractmethod
    def score(
        features: Float[np.ndarray, "row dimension"], columns: Float[np.ndarray, "row column"]
    ) -> float:
        """Score of features and label columns; higher is better."""

    def estimate(self, probe: Probe, tasks: Sequence[Task], seed: int) -> Cells:
        """Differences of scores, 0 on the diagonal; the encoder is trained on each task alone."""
        return transfer_gains(probe, tasks, seed, self.score)


def transfer_gains(probe: Probe, tasks: Sequence[Task], seed: int, score: Score) -> Cells:
    """Gain in a score of the features on each target from fine-tuning on each source.

    Args:
        probe: The probe, which trains the encoder on each of the tasks alone.
        tasks: Sources and targets.
        seed: Seed of the rows, and of training.
        score: Score of features and label columns; higher is better.

    Returns:
        Score after fine-tuning less score of the plain encoder, on the same rows; 0 on the
        diagonal, as for joint training.

    Raises:
        RelevanceError: If the rows of a task have one label only.
    """
    names = [task.name for task in tasks]

    def scores(targets: Sequence[str], source: str | None = None) -> list[float]:
        found = probe.features(targets, rows=ROWS, seed=seed, source=source)
        return [score(found[name].values, label_columns(name, found[name])) for name in targets]

    plain = np.array(scores(names))
    values = np.zeros((len(names), len(names)))
    for source, name in enumerate(names):
        others = np.delete(np.arange(len(names)), source)
        if len(others):
            tuned = scores([names[target] for target in others], name)
            values[source, others] = tuned - plain[others]
    return values


def label_columns(task: str, features: Features) -> Float[np.ndarray, "row column"]:
    """Labels as numbers: one column for each code that occurs, or the values of a regression.

    Args:
        task: Name of the task, for the message.
        features: Features with their labels.

    Returns:
        Ones where a row has the code, else zeros; or one column of values.

    Raises:
        RelevanceError: If all labels are the same.
    """
    check_labels(task, features)
    labels = features.labels
    if np.issubdtype(labels.dtype, np.floating):
        return np.asarray(labels[:, None], dtype=np.float64)
    return np.asarray(labels[:, None] == np.unique(labels), dtype=np.float64)


def check_labels(task: str, features: Features) -> None:
    """Refuse rows that all have one label.

    Args:
        task: Name of the task, for the message.
        features: Features with their labels.

    Raises:
        RelevanceError: If all labels are the same.
    """
    if len(np.unique(features.labels)) < 2:
        raise RelevanceError(
            f"task '{task}': the {len(features.labels)} training rows that were drawn all have one"
            " label, so nothing can be said about what explains it. Take another `seed`, or more"
            " rows."
        )

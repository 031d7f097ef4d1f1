"""Confusion matrices: which labels a classifier takes for which, and how well it finds each."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import numpy as np
from jaxtyping import Int


class LabelScores(NamedTuple):
    """Scores of one label.

    Attributes:
        label: Name of the label.
        precision: Share of the rows predicted to have it that do; 0 where none is predicted.
        recall: Share of its rows that are found; 0 where there is none.
        f1: Harmonic mean of the two.
        rows: Number of rows that have the label.
    """

    label: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True, eq=False)
class Confusion:
    """A classifier's answers on one split of one task.

    Attributes:
        task: Name of the task.
        split: Name of the split.
        labels: Names in the order of their codes.
        counts: Rows by label, in the rows of the matrix, and by prediction, in its columns.
        scores: One for each label.
        macro: Means of the scores over the labels.
    """

    task: str
    split: str
    labels: tuple[str, ...]
    counts: Int[np.ndarray, "label predicted"]
    scores: tuple[LabelScores, ...]
    macro: LabelScores

    def __repr__(self) -> str:
        rows = int(self.counts.sum())
        return f"Confusion({self.task} {self.split}, {rows:,} rows, {len(self.labels)} labels)"

    @property
    def accuracy(self) -> float:
        """Share of rows that are right."""
        return float(np.trace(self.counts) / self.counts.sum())


def confusion(
    task: str,
    split: str,
    labels: Sequence[str],
    truth: Int[np.ndarray, " row"],
    predicted: Int[np.ndarray, " row"],
) -> Confusion:
    """Set answers against the truth.

    Args:
        task: Name of the task.
        split: Name of the split.
        labels: Names in the order of their codes.
        truth: Codes, one row at least.
        predicted: Codes of the same rows.

    Returns:
        The matrix and the scores; labels without rows or predictions have scores of 0.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    codes = list(range(len(labels)))
    found = precision_recall_fscore_support(truth, predicted, labels=codes, zero_division=0)
    precision, recall, f1, rows = (numbers.tolist() for numbers in found)
    return Confusion(
        task,
        split,
        tuple(labels),
        confusion_matrix(truth, predicted, labels=codes),
        tuple(map(LabelScores, labels, precision, recall, f1, rows)),
        LabelScores("mean of labels", fmean(precision), fmean(recall), fmean(f1), len(truth)),
    )

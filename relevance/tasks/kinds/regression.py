"""Regression: a number for each row."""

import math
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError, shown
from relevance.numerals import decimal_number
from relevance.tasks.data import Labels, Split
from relevance.tasks.kinds.kind import Constant, LabelColumn, LabelKind

BINS = 5
WIDEST = 1e18  # the square of a single-precision number overflows above 1.8e19


class Regression(LabelKind):
    """Labels are values on the task's own scale."""

    metrics: ClassVar = frozenset({"pearson", "spearman"})

    def check(self) -> None:
        """A range, and no labels."""
        if self.task.labels:
            raise ValueError("a regression task has a `range` and no `labels`")
        low, high = self.task.range or (0.0, 0.0)
        if not low < high or not math.isfinite(high - low):
            got = "none" if self.task.range is None else f"[{low:g}, {high:g}]"
            raise ValueError(
                "a regression task needs a `range` of two different numbers, the lower one first,"
                f" such as [0, 5]; got {got}"
            )
        if high - low > WIDEST:
            raise ValueError(
                f"the `range` [{low:g}, {high:g}] is too wide: its squared errors are beyond what"
                f" training computes with. Scale the labels to a range of {WIDEST:g} at most"
            )

    def labels(self, column: LabelColumn, where: str) -> Float[np.ndarray, " row"]:
        """Numbers within the range."""
        low, high = self.task.range or (-np.inf, np.inf)
        numbers = [_number(value) for value in column.values]
        for row, (value, number) in enumerate(zip(column.values, numbers, strict=True), start=1):
            if not low <= number <= high:
                raise RelevanceError(
                    f"{where}, row {row}: label {shown(value)} is no number from {low:g} to"
                    f" {high:g}, the task's `range`."
                )
        return np.array(numbers, dtype=np.float64)

    def label_counts(self, labels: Labels) -> dict[str, int]:
        """Rows in each fifth of the range."""
        counts, edges = np.histogram(labels, bins=BINS, range=self.task.range)
        ends = pairwise(f"{edge:.12g}" for edge in edges)
        return {
            f"{low} to {high}": int(count) for (low, high), count in zip(ends, counts, strict=True)
        }

    def constant(self, train: Split, evaluation: Split) -> Constant:
        """The mean; squared errors on the task's own scale."""
        mean = float(train.labels.mean())
        losses = (evaluation.labels - mean) ** 2
        return Constant(np.full_like(evaluation.labels, mean), losses)


def _number(value: Any) -> float:
    """NaN for what is no number."""
    try:
        if isinstance(value, str):
            number = decimal_number(value)
            return math.nan if number is None else number
        # To Python `True` is the number 1, in a file it is a mistake.
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan

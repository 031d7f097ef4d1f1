"""Residuals of a regression task: how predictions lie around the truth."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class StraightLine(NamedTuple):
    """A line of least squares.

    Attributes:
        slope: Per unit of what stands on the horizontal axis.
        intercept: Height of the line at 0.
    """

    slope: float
    intercept: float


@dataclass(frozen=True, eq=False)
class RegressionDiagnosis:
    """Predictions on one split of one task, on the task's own scale.

    Attributes:
        task: Name of the task.
        split: Name of the split.
        truth: Labels.
        predicted: Predictions of the same rows.
        line: Predictions over labels; a slope below 1 is that of a model that keeps to the middle.
            None where all labels are the same.
        residual_line: Residuals over predictions; flat if the predictions are calibrated. None
            where all predictions are the same.
        rmse: Root of the mean squared residual.
        mae: Mean absolute residual.
        r2: Share of the labels' variance that the predictions explain; below 0 where their mean
            would explain more, NaN without variance.
        accuracy: Share of the rows whose prediction and label are the same when both are rounded to
            the nearest whole number, halves upwards; a figure for scales of whole steps, such as
            0 to 5.
    """

    task: str
    split: str
    truth: Float[np.ndarray, " row"]
    predicted: Float[np.ndarray, " row"]
    line: StraightLine | None
    residual_line: StraightLine | None
    rmse: float
    mae: float
    r2: float
    accuracy: float

    def __repr__(self) -> str:
        about = f"{self.task} {self.split}, {len(self.truth):,} rows; r2 {self.r2:.3f}"
        return f"RegressionDiagnosis({about})"

    @property
    def residuals(self) -> Float[np.ndarray, " row"]:
        """Labels less predictions."""
        return np.asarray(self.truth - self.predicted)


def regression(
    task: str, split: str, truth: Float[np.ndarray, " row"], predicted: Float[np.ndarray, " row"]
) -> RegressionDiagnosis:
    """Set predictions against the truth.

    Args:
        task: Name of the task.
        split: Name of the split.
        truth: Labels, two rows at least.
        predicted: Predictions of the same rows.

    Returns:
        Errors, regression lines and accuracy.

    Source:
        Li (2024), CS224N report: Table 7 has the accuracy beside the residual figures.
    """
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    return RegressionDiagnosis(
        task,
        split,
        truth,
        predicted,
        line=_line(truth, predicted),
        residual_line=_line(predicted, truth - predicted),
        rmse=float(root_mean_squared_error(truth, predicted)),
        mae=float(mean_absolute_error(truth, predicted)),
        r2=float(r2_score(truth, predicted)) if np.ptp(truth) > 0 else float("nan"),
        accuracy=float(np.mean(_rounded(predicted) == _rounded(truth))),
    )


def _rounded(values: Float[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """The nearest whole numbers; numpy's own rounding would take 2.5 down and 3.5 up."""
    return np.asarray(np.floor(values + 0.5))


def _line(x: Float[np.ndarray, " row"], y: Float[np.ndarray, " row"]) -> StraightLine | None:
    if np.ptp(x) == 0:
        return None
    from scipy.stats import linregress

    fitted = linregress(x, y)
    return StraightLine(float(fitted.slope), float(fitted.intercept))

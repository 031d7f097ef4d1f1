"""H-score: how much of a target's labels a linear function of a source's features explains."""

from typing import ClassVar

import numpy as np
from jaxtyping import Float

from relevance.measures._transferability import ROWS, Transferability

# With as many directions as rows any features explain any labels. As many for the plain encoder as
# for the fine-tuned one, what they explain by chance is the same and falls out of the difference.
ROWS_PER_DIRECTION = 8


def h_score(
    features: Float[np.ndarray, "row dimension"], columns: Float[np.ndarray, "row column"]
) -> float:
    """Trace of `cov(f)^+ cov(E[f | y])`, without shrinkage.

    The pseudo-inverse is that of the leading principal components, one for eight rows. What comes
    out is the sum of squared canonical correlations of features and label columns, which for a
    regression task is the share of variance that a linear fit explains.

    Args:
        features: One vector per row.
        columns: Labels; for classes one column of zeros and ones each.

    Returns:
        H-score from 0 to the number of labels less one, or to 1 for a regression.

    Source:
        Bao et al. (2019), An information-theoretic approach to transferability, definition 2.
    """
    directions = orthonormal(features)[:, : max(1, len(features) // ROWS_PER_DIRECTION)]
    return float(np.sum((directions.T @ orthonormal(columns)) ** 2))


def orthonormal(columns: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row direction"]:
    """Principal directions of centred columns, of unit length, those of most variance first.

    Args:
        columns: Columns of numbers.

    Returns:
        All directions that hold variance beyond rounding.
    """
    centred = np.asarray(columns, dtype=np.float64) - np.mean(columns, axis=0, dtype=np.float64)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    # As `numpy.linalg.matrix_rank` has it, with the accuracy of the fp32 that features come in.
    smallest = singular.max(initial=0.0) * max(centred.shape) * np.finfo(np.float32).eps
    return np.asarray(left[:, singular > smallest])


class HScore(Transferability):
    """Gain in H-score on the target's labels from fine-tuning on the source.

    Scores are in [0, number of labels - 1].
    """

    name = "h-score"
    settings: ClassVar = {"rows": ROWS, "rows_per_direction": ROWS_PER_DIRECTION}
    score = staticmethod(h_score)

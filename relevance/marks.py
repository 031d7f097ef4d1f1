"""Cells of a matrix of gains that a reader should not build on, and why."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from relevance.matrices.failed_runs import failed_runs
from relevance.matrices.intervals import beats_no_majority, covers_zero
from relevance.matrices.matrix import MEAN_OF_SOURCES, RelevanceMatrix

Cells = Bool[np.ndarray, "source target"]

COLLAPSED = "collapsed (one answer for all rows, a score of 0 or less, below -100 %)"
# Measures whose values are gains over training alone; the values of others are likenesses.
GAINS = frozenset({"joint-training", "linearised", "lookahead", "short-runs", "top-layers"})


@dataclass(frozen=True, eq=False)
class Marks:
    """Known cells off the diagonal with something against them.

    Attributes:
        noise: The 95 % interval covers 0.
        beaten: Neither the single nor the joint run does better than the majority class.
        collapsed: A run behind the gain learned nothing or forgot everything; see `collapsed`.
        known: All known cells off the diagonal.
        predicted: Cells that nobody measured, which is nothing against them.
    """

    noise: Cells
    beaten: Cells
    collapsed: Cells
    known: Cells
    predicted: Cells

    @property
    def any(self) -> Cells:
        """Cells with at least one mark."""
        return np.asarray(self.noise | self.beaten | self.collapsed)

    def counts(self) -> dict[str, int]:
        """Number of cells by mark, in words, without marks that no cell carries."""
        cells = {
            "noise": self.noise,
            "below the majority class": self.beaten,
            "collapsed": self.collapsed,
        }
        return {name: int(found.sum()) for name, found in cells.items() if found.any()}


def marks(matrix: RelevanceMatrix) -> Marks:
    """Find the marks of all cells of a matrix.

    Args:
        matrix: Any matrix; one without scores and standard errors has few marks.

    Returns:
        The marks.
    """
    known = matrix.known
    return Marks(
        noise=covers_zero(matrix) & known,
        beaten=beats_no_majority(matrix) & known,
        collapsed=collapsed(matrix) & known,
        known=known,
        predicted=matrix.predicted,
    )


def is_gains(matrix: RelevanceMatrix) -> bool:
    """Whether values are gains over training alone, so that 0 means no better and no worse.

    Args:
        matrix: Any matrix; one from a CSV file is taken for gains if its diagonal is 0, or empty
            and some value negative. Runs that were imported without scores of targets alone are
            none.

    Returns:
        True for measured and predicted gains, False for likenesses such as vocabulary overlap.
    """
    from relevance.measures.measure import measures

    if matrix.provenance.get("zero") == MEAN_OF_SOURCES:
        return False
    if matrix.measure in GAINS:
        return True
    diagonal = np.diagonal(matrix.values)
    told = bool(np.isfinite(diagonal).any() or (matrix.off_diagonal() < 0).any())
    zero = told and not np.nan_to_num(diagonal).any()
    return matrix.unit in {"ratio", "points"} and zero and matrix.measure not in measures.names()


def collapsed(matrix: RelevanceMatrix) -> Cells:
    """Cells of which a run learned nothing, or forgot everything.

    Args:
        matrix: Any matrix; nothing is marked in one that holds no gains.

    Returns:
        Cells as `relevance.matrices.failed_runs.failed_runs` finds them.
    """
    if not is_gains(matrix):
        return np.zeros(matrix.values.shape, dtype=bool)
    return failed_runs(matrix)

"""Cells of a matrix of gains that a reader should not build on, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from relevance.gains.constant_answers import CONSTANT
from relevance.matrices.intervals import beats_no_majority, covers_zero
from relevance.matrices.matrix import MEAN_OF_SOURCES, RelevanceMatrix

Cells = Bool[np.ndarray, "source target"]

COLLAPSED = "collapsed (one answer for all rows, a score of 0 or less, below -100 %)"
# Measures whose values are gains over training alone; the values of others are likenesses.
GAINS = frozenset({"joint-training", "linearised", "lookahead", "short-runs", "top-layers"})
# A gain below it would need a negative score of joint training.
LOST_ALL = -1.0
# Scores of equal predictions may differ by rounding, as they come from different code paths.
EQUAL = 1e-9


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
        Cells off the diagonal in which the joint run of any seed, or any single run of the target,
        gives one answer for all rows (where predictions were not kept: scores exactly what the
        majority class does); the joint run of any seed scores 0 or less, as a correlation or F1
        can; or the gain is below -100 %.
    """
    off_diagonal = ~np.eye(len(matrix.tasks), dtype=bool)
    if not is_gains(matrix):
        return np.zeros_like(off_diagonal)
    found = (matrix.values < LOST_ALL) & (matrix.unit == "ratio")
    single, joint, majority = matrix.single or {}, matrix.joint or {}, matrix.majority or {}
    for scores in _scores(joint):
        found = found | (scores <= 0).any(axis=0)
    if single:
        found = found | np.atleast_1d(_constant(single, majority).any(axis=0))
    if joint:
        found = found | _constant(joint, majority).any(axis=0)
    return np.asarray(found & off_diagonal)


def _scores(table: Mapping[str, Any]) -> Iterator[Float[np.ndarray, "..."]]:
    """Tables of scores, of which higher is better."""
    for metric in ("primary", "gain"):
        if metric in table:
            yield np.asarray(table[metric], dtype=np.float64)


def _constant(table: Mapping[str, Any], majority: Mapping[str, Any]) -> Bool[np.ndarray, "..."]:
    """Runs that gave one answer for all rows, as far as it is known or their scores say so."""
    known = [metric for metric in ("primary", "gain") if metric in table.keys() & majority.keys()]
    shape = np.shape(next(iter(table.values())))
    alike = np.full(shape, bool(known))
    for metric in known:
        of_constant = np.asarray(majority[metric], dtype=np.float64)
        alike &= np.abs(np.asarray(table[metric], dtype=np.float64) - of_constant) <= EQUAL
    told = np.asarray(table.get(CONSTANT, np.full(shape, np.nan)), dtype=np.float64)
    return np.where(np.isnan(told), alike, told > 0)

"""Cells of a matrix behind which a run learned nothing, or forgot everything."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from relevance.gains.constant_answers import CONSTANT
from relevance.matrices.matrix import RelevanceMatrix

RECORDED = "collapsed"
"""Key of the provenance that keeps such cells of a matrix whose scores are in another file: the
names of targets by their source."""

# A gain below it would need a negative score of joint training.
LOST_ALL = -1.0
# Scores of equal predictions may differ by rounding, as they come from different code paths.
EQUAL = 1e-9


def failed_runs(matrix: RelevanceMatrix) -> Bool[np.ndarray, "source target"]:
    """Cells of a matrix of gains that a failed run is behind.

    Args:
        matrix: A matrix of gains.

    Returns:
        Cells off the diagonal in which the joint run of any seed, or any single run of the target,
        gives one answer for all rows (where predictions were not kept: scores exactly what the
        majority class does); the joint run of any seed scores 0 or less, as a correlation or F1
        can; the gain is below -100 %; or the provenance records it.
    """
    off_diagonal = ~np.eye(len(matrix.tasks), dtype=bool)
    found = matrix.recorded(RECORDED) | ((matrix.values < LOST_ALL) & (matrix.unit == "ratio"))
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

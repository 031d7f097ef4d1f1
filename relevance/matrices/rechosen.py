"""A finished matrix of gains by another metric or normalisation, from the scores in its file."""

import numpy as np

from relevance.gains.baselines import undefined_notes
from relevance.gains.gain_choice import GainChoice
from relevance.matrices.gains_matrix import baseline_errors, renormalised
from relevance.matrices.matrix import RelevanceMatrix


def rechosen(
    matrix: RelevanceMatrix, *, metric: str | None = None, normalise: str | None = None
) -> tuple[RelevanceMatrix, list[str]]:
    """Compute the gains that are asked for, with notes for the reader.

    Gains over a baseline that cannot be divided by are left out, also where an older file has them.

    Args:
        matrix: Any matrix.
        metric: Name in `relevance.gains.gain_choice.METRICS`; None for that of the file.
        normalise: Name in `relevance.gains.gain_choice.NORMALISATIONS`; None for that of the file,
            or for `relative` where the metric is a loss, which has no points.

    Returns:
        The gains, the matrix itself where nothing changes; and a note on every column that has no
        gains for want of a baseline, and on intervals that are lost.

    Raises:
        RelevanceError: If the matrix holds no scores, or none of the metric, or a choice is wrong.
    """
    asked = metric is not None or normalise is not None
    own = matrix.provenance.get("metric", "gain"), matrix.provenance.get("normalise", "relative")
    metric = metric or own[0]
    normalise = normalise or ("relative" if metric == "loss" else own[1])
    if not asked and (matrix.joint is None or metric not in (matrix.single or {})):
        return matrix, []
    choice = GainChoice(metric, normalise)
    again = renormalised(matrix, choice)
    lines = _undefined(again, choice)
    # Older files may have gains over baselines that are no longer divided by.
    if (metric, normalise) == own and not np.any(np.isnan(again.values) & ~np.isnan(matrix.values)):
        return matrix, lines
    if matrix.standard_errors is not None and again.standard_errors is None:
        lines.append(
            f"One seed: the file's intervals belong to {own[1]} gains by {own[0]}, so these have"
            f" none. `relevance pairwise --metric {metric} --normalise {normalise}` makes them from"
            " the finished runs."
        )
    return again, lines


def _undefined(matrix: RelevanceMatrix, choice: GainChoice) -> list[str]:
    single = np.asarray((matrix.single or {})[choice.metric], dtype=np.float64)
    errors = baseline_errors(matrix.provenance, choice.metric, matrix.tasks)
    return undefined_notes(matrix.tasks, single, choice, errors)

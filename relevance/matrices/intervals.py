"""Confidence intervals of a matrix's values, and cells whose runs beat no majority class."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from relevance.gains.baselines import interval_factor
from relevance.gains.reliability import known_mean
from relevance.matrices.matrix import RelevanceMatrix

POSTERIOR = "posterior"
"""What `provenance["noise"]` says where standard errors are posterior standard deviations."""

BEATEN = "below_majority"
"""Key of the provenance that keeps cells in which no run beats the majority class, of a matrix
whose scores are in another file: the names of targets by their source."""


def over_examples(matrix: RelevanceMatrix) -> bool:
    """Whether standard errors hold the noise of the evaluation only, and not that of training."""
    return matrix.provenance.get("noise") == "examples"


def half_widths(
    matrix: RelevanceMatrix, *, confidence: float = 0.95
) -> Float[np.ndarray, "source target"] | None:
    """Half the width of every value's confidence interval.

    Standard errors over the n seeds that a cell has take Student's t with n - 1 degrees of freedom.
    Where a matrix has scores alone, seeds count that have both runs, as noise is told by both;
    where it holds no values of seeds, those it names. Standard errors of one seed come from a
    bootstrap over examples and take the normal distribution, as do posterior standard deviations,
    in which the uncertainty of the noise is already.

    Args:
        matrix: Any matrix.
        confidence: Share of intervals that should hold the true value, in (0, 1).

    Returns:
        Half widths in the unit of the values, NaN where unknown; None if the matrix has no standard
        errors.
    """
    if matrix.standard_errors is None:
        return None
    is_normal = over_examples(matrix) or matrix.provenance.get("noise") == POSTERIOR
    if is_normal or matrix.per_seed is None:
        seeds = 1 if is_normal else len(matrix.seeds)
        return interval_factor(seeds, confidence) * matrix.standard_errors
    numbers, place = np.unique(_seeds_of_noise(matrix).sum(axis=0), return_inverse=True)
    factors = np.array([interval_factor(int(number), confidence) for number in numbers])
    return np.asarray(factors[place].reshape(matrix.values.shape) * matrix.standard_errors)


def _seeds_of_noise(matrix: RelevanceMatrix) -> Bool[np.ndarray, "seed source target"]:
    """Seeds that standard errors are taken over: those of both runs, where both make a value."""
    known = np.asarray(np.isfinite(np.asarray(matrix.per_seed)))
    single = (matrix.single or {}).get(matrix.provenance.get("metric", "gain"))
    if single is None or len(single) < len(known):
        return known
    alone = np.isfinite(np.asarray(single, dtype=np.float64))[: len(known), None, :]
    return np.asarray(known & alone)


def covers_zero(matrix: RelevanceMatrix) -> Bool[np.ndarray, "source target"]:
    """Cells off the diagonal whose 95 % interval holds 0; none without standard errors."""
    widths = half_widths(matrix)
    if widths is None:
        return np.zeros(matrix.values.shape, dtype=bool)
    off_diagonal = ~np.eye(len(matrix.tasks), dtype=bool)
    return np.asarray((np.abs(matrix.values) <= widths) & off_diagonal)


def beats_no_majority(matrix: RelevanceMatrix) -> Bool[np.ndarray, "source target"]:
    """Cells in which neither the single nor the joint run does better than the majority class.

    Args:
        matrix: A matrix; without the scores `single`, `joint` and `majority` the cells that its
            provenance records are marked.

    Returns:
        Cells off the diagonal, judged by the loss where gains are made of it, else by the primary
        metric, else by the mean of the gain metrics; scores averaged over seeds. False where a
        score is unknown.
    """
    single, joint, majority = matrix.single or {}, matrix.joint or {}, matrix.majority or {}
    by_loss = matrix.provenance.get("metric") == "loss"
    for metric in ("loss",) if by_loss else ("primary", "gain"):
        if metric in single.keys() & joint.keys() & majority.keys():
            sign = -1 if by_loss else 1
            bar = sign * np.asarray(majority[metric], dtype=np.float64)
            alone, together = sign * _seed_mean(single[metric]), sign * _seed_mean(joint[metric])
            best = np.maximum(alone[None, :], together)
            # A run that answers as the majority class scores as it does, rounding aside.
            return np.asarray((best <= bar[None, :] + 1e-9) & ~np.eye(len(bar), dtype=bool))
    return matrix.recorded(BEATEN)


def _seed_mean(scores: Any) -> Float[np.ndarray, "..."]:
    """Mean over the seeds of the known scores, NaN where no seed knows one."""
    return known_mean(np.asarray(scores, dtype=np.float64), axis=0)

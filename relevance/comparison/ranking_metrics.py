"""Metrics of agreement with a reference, and the ceiling that its own noise sets them."""

import math

import numpy as np
from jaxtyping import Bool, Float

from relevance.gains.reliability import reliabilities, split
from relevance.matrices.matrix import RelevanceMatrix

# Differences from a mean are rounded: ties of the values would else become ranks by chance.
TIE_DECIMALS = 12

Cells = Float[np.ndarray, "source target"]
Pairs = Float[np.ndarray, " pair"]


def within_targets(values: Cells, known: Bool[np.ndarray, "source target"]) -> Pairs:
    """Values less the mean of their column: what is said about the sources of one target.

    A column's mean is how much its target gains at all, and in it stands the noise of its baseline.

    Args:
        values: Values of a matrix.
        known: The cells that count; columns with a single one say nothing and are left out.

    Returns:
        The known cells row by row, rounded so far that equal differences are ties.
    """
    telling = known & (known.sum(axis=0) > 1)
    _, rest = split(np.where(telling, values, np.nan))
    scale = np.abs(values[telling]).max(initial=0.0) or 1.0
    return np.asarray(np.round(rest[telling] / scale, TIE_DECIMALS))


def precision_at_negatives(values: Pairs, reference: Pairs) -> float:
    """Precision of low values at finding the pairs that truly harm.

    As many pairs are called negative as the reference has below 0, those of the lowest values: most
    measures have no sign of their own. So precision is recall as well. Where values at the border
    are tied, it is the mean over all ways to choose among them.

    Args:
        values: Values of a measure.
        reference: Values of the reference for the same pairs.

    Returns:
        Share in [0, 1], for chance that of negative pairs; NaN if no pair is negative, or all are.

    >>> precision_at_negatives(np.array([0.1, 0.2, 0.3]), np.array([-1.0, 1.0, -1.0]))
    0.5
    """
    negative = reference < 0
    wanted = int(negative.sum())
    if wanted in {0, len(reference)}:
        return math.nan
    border = np.sort(values)[wanted - 1]
    below, tied = values < border, values == border
    found = negative[below].sum() + (wanted - below.sum()) * negative[tied].mean()
    return float(found / wanted)


def reliability_within(reference: RelevanceMatrix) -> float | None:
    """Reliability within targets of a mean over seeds; None where it is unknown."""
    normalise = reference.provenance.get("normalise", "relative")
    of_scores = reliabilities(reference.single, reference.joint, normalise)
    found = of_scores or reference.reliability or {}
    chosen = found.get(reference.provenance.get("metric", "gain"))
    return None if chosen is None else chosen["within_target"]["of_mean"]


def ceiling(reference: RelevanceMatrix) -> float | None:
    """The highest correlation within targets that a noisy reference lets a perfect measure reach.

    Args:
        reference: Gains with the scores of several seeds.

    Returns:
        Square root of the reliability within targets of the mean over seeds (Spearman-Brown), exact
        for Pearson's correlation and close for ranks; None if it is unknown or not above 0.

    Source:
        Spearman (1904), correction for attenuation.
    """
    found = reliability_within(reference)
    return math.sqrt(found) if found is not None and found > 0 else None

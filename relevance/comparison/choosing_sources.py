"""How well values choose the sources of a target, by what those turned out to be worth."""

import math

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from relevance.gains.reliability import known_mean

Cells = Float[np.ndarray, "source target"]
Sources = Float[np.ndarray, " source"]


def mean_ndcg(values: Cells, truth: Cells, known: Bool[np.ndarray, "source target"]) -> float:
    """Mean over targets of `ndcg`.

    Args:
        values: What a measure says of each source of each target; higher is better.
        truth: What each source is worth.
        known: The pairs that count; targets with less than two sources say nothing.

    Returns:
        Share in (0, 1]; NaN where no target says anything.
    """
    return _mean([ndcg(values[rows, t], truth[rows, t]) for t, rows in _telling(known)])


def mean_regret(
    values: Cells, scores: Cells | None, known: Bool[np.ndarray, "source target"], k: int
) -> float | None:
    """Mean over targets of `regret`.

    Args:
        values: What a measure says of each source of each target; higher is better.
        scores: Score of the target with each source; None where it is not known.
        known: The pairs that count, of those with a score; targets with less than two sources say
            nothing.
        k: Number of sources named, 1 or more.

    Returns:
        Fraction, 0 for the best choice; None without scores, NaN where no target says anything.
    """
    if scores is None:
        return None
    known = known & np.isfinite(scores)
    return _mean([regret(values[rows, t], scores[rows, t], k) for t, rows in _telling(known)])


def _telling(
    known: Bool[np.ndarray, "source target"],
) -> list[tuple[int, Bool[np.ndarray, " source"]]]:
    return [(t, rows) for t, rows in enumerate(known.T) if rows.sum() > 1]


def _mean(of_targets: list[float]) -> float:
    return float(known_mean(np.array(of_targets), axis=0))


def ndcg(values: Sources, truth: Sources) -> float:
    """Normalised discounted cumulative gain of the sources of one target.

    A source's relevance is its number in the true order from worst (1) to best, its gain
    2^relevance - 1, its discount log2(place + 1). Sources of equal truth share their mean number;
    where values are tied, the result is the mean over all orders of those tied.

    Args:
        values: What a measure says of each source; higher is better.
        truth: What each source is worth, in the same order; both finite.

    Returns:
        Share in (0, 1] of the best order's sum; NaN without sources.

    Source:
        Järvelin and Kekäläinen (2002); for sources of a target, Kim et al. (2023).
    """
    if not len(truth):
        return math.nan
    # Divided by 2^sources, which the quotient does not see: hundreds of sources would overflow.
    gains = np.exp2(rankdata(truth) - len(truth)) - np.exp2(-float(len(truth)))
    discounts = 1 / np.log2(np.arange(len(truth)) + 2)
    best = np.sort(gains)[::-1] @ discounts
    return float(_places_shared(values, discounts) @ gains / best)


def regret(values: Sources, truth: Sources, k: int) -> float:
    """Relative loss of the mean score of the k sources named against that of the k best.

    Args:
        values: What a measure says of each source; higher is better. Where they are tied at the
            border, the result is the mean over all ways to choose among them.
        truth: Score of the target with each source, in the same order; both finite.
        k: Number of sources named, 1 or more; all of them where there are fewer.

    Returns:
        Fraction, 0 for the best choice; NaN without sources, or where the mean of the k best is not
        above 0, so that no share of it can be lost.

    Raises:
        ValueError: If k is less than 1.

    Source:
        Kim et al. (2023).
    """
    if k < 1:
        raise ValueError(f"The number of sources named must be at least 1, got {k}.")
    best = np.sort(truth)[::-1][:k]
    if not len(best) or best.mean() <= 0:
        return math.nan
    first = (np.arange(len(truth)) < k).astype(np.float64)
    named = _places_shared(values, first) @ truth / len(best)
    return float((best.mean() - named) / best.mean())


def _places_shared(values: Sources, weights: Float[np.ndarray, " place"]) -> Sources:
    """The weight of the place of each source, best first; tied sources share theirs equally."""
    _, tied, count = np.unique(-values, return_inverse=True, return_counts=True)
    starts = np.cumsum(count) - count
    shared: Sources = np.add.reduceat(weights, starts) / count
    return shared[tied]

"""Entropy of predictions over the largest there can be."""

import numpy as np
from jaxtyping import Float, Float64
from scipy.special import entr, softmax


def normalised_entropy(
    logits: Float[np.ndarray, "row label *place"],
) -> Float64[np.ndarray, "row *place"]:
    """Entropy of predicted labels over the largest there can be, log C.

    Args:
        logits: One per label; -inf for what a row does not have.

    Returns:
        Ratios in [0, 1]: 0 for a sure prediction, and for a row with one label; 1 where all labels
        are equally likely.
    """
    # `entr` is 0 for a probability of 0, where p log p would be NaN.
    entropies = entr(softmax(logits.astype(np.float64), axis=1)).sum(axis=1)
    largest = np.log((logits != float("-inf")).sum(axis=1))
    several = largest > 0
    ratios = np.where(several, entropies / np.where(several, largest, 1.0), 0.0)
    # The entropy of five equal labels is rounded to a little more than log 5.
    return np.asarray(np.minimum(ratios, 1.0))

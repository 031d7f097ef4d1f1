"""LogME: how probable a target's labels are under a linear model of a source's features."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from relevance.measures._transferability import Transferability

# Powers of e around the largest squared singular value in which the best ratio is looked for.
GRID = np.linspace(-30.0, 10.0, 81)


def logme(
    features: Float[np.ndarray, "row dimension"], columns: Float[np.ndarray, "row column"]
) -> float:
    """Log evidence per row, averaged over label columns.

    Args:
        features: One vector per row.
        columns: Numbers to explain; for classes one column of zeros and ones each.

    Returns:
        Nats per row; higher is better, positive where noise is small.

    Source:
        You et al. (2021), LogME, section 4.
    """
    left, singular, _ = np.linalg.svd(np.asarray(features, dtype=np.float64), full_matrices=False)
    parts = [evidence(left.T @ column, singular**2, column) for column in columns.T]
    return float(np.mean([part.log_evidence for part in parts])) / len(features)


class Evidence(NamedTuple):
    """The highest evidence, and where it is.

    Attributes:
        log_evidence: Log evidence in nats.
        alpha: Precision of the weights.
        beta: Precision of the noise.
    """

    log_evidence: float
    alpha: float
    beta: float


def evidence(
    projections: Float[np.ndarray, " direction"],
    eigenvalues: Float[np.ndarray, " direction"],
    labels: Float[np.ndarray, " row"],
) -> Evidence:
    """Maximised log marginal likelihood of labels under Bayesian linear regression.

    The labels have covariance `I / beta + F F^T / alpha`. In the basis of F's left singular vectors
    it is diagonal, so nothing here knows how wide the features are, and terms that the usual
    formula in D weights has to balance never appear. For a given ratio `alpha / beta` the best
    `beta` is known; what is left is a search along one line, which cannot diverge.

    Args:
        projections: Projections of the labels onto the left singular vectors of the features.
        eigenvalues: Squared singular values.
        labels: One number per row.

    Returns:
        The maximum over alpha and beta.
    """
    from scipy.optimize import minimize_scalar

    rows, squares = len(labels), projections**2
    beyond = max(labels @ labels - squares.sum(), 0.0)  # what no weights can explain

    def best_beta(ratio: float) -> float:
        return float(rows / (np.sum(squares / (1 + eigenvalues / ratio)) + beyond))

    def log_evidence(exponent: float) -> float:
        ratio = np.exp(exponent)
        spread = np.log1p(eigenvalues / ratio).sum()
        return float(rows * (np.log(best_beta(ratio) / (2 * np.pi)) - 1) - spread) / 2

    exponents = np.log(eigenvalues.max()) + GRID
    # A bounded search ends in some maximum along the line; the grid makes it the highest one.
    place = int(np.argmax([log_evidence(exponent) for exponent in exponents]))
    bounds = exponents[max(place - 1, 0)], exponents[min(place + 1, len(exponents) - 1)]
    found = minimize_scalar(lambda exponent: -log_evidence(exponent), bounds=bounds).x
    ratio = np.exp(found)
    beta = best_beta(ratio)
    return Evidence(log_evidence(found), float(ratio * beta), beta)


class Logme(Transferability):
    """Gain in log evidence of the target's labels from fine-tuning on the source.

    In nats per row.
    """

    name = "logme"
    unit = "nats"
    score = staticmethod(logme)

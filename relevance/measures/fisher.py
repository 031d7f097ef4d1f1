"""Fisher embeddings (Task2Vec): tasks are alike that depend on the same weights of the encoder."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from relevance.interfaces.probe import Features, FittedHead, Probe
from relevance.measures._estimator import Cells, Estimator
from relevance.measures._transferability import check_labels
from relevance.tasks.task import Task

ROWS = 256  # for the head and for the Fisher information: twice this many are read for each task
# Of the penalty on weights. Features outnumber rows, so a head without one would be certain of all
# labels, and what is certain has no Fisher information.
PENALTY = 100.0


class Fisher(Estimator):
    """Similarity of two tasks' diagonal Fisher information in the plain encoder (Task2Vec).

    A linear head is fitted on frozen mean hidden states; labels are drawn from what it says.
    """

    name = "fisher"
    settings: ClassVar = {"rows": ROWS, "penalty": PENALTY}
    per_row = True

    def estimate(self, probe: Probe, tasks: Sequence[Task], seed: int) -> Cells:
        """One less Task2Vec's distance, in [0, 1], symmetric, ones on the diagonal.

        Nothing but heads is trained. Rows that all have one label are refused.
        """
        names = [task.name for task in tasks]
        features = probe.features(names, rows=ROWS, seed=seed)
        diagonals = []
        for name in names:
            check_labels(name, features[name])
            head = fit_head(features[name])
            diagonals.append(probe.fisher(name, head, rows=ROWS, seed=seed))
        return np.array([[likeness(one, other) for other in diagonals] for one in diagonals])


def likeness(one: Float[np.ndarray, " unit"], other: Float[np.ndarray, " unit"]) -> float:
    """Cosine of two diagonals, each divided by their sum.

    Args:
        one: Fisher information, not negative.
        other: Fisher information of another task, not negative.

    Returns:
        Similarity in [0, 1]; units without information for either task play no part.

    Source:
        Achille et al. (2019), Task2Vec, section 4: the symmetric distance is one less this.
    """
    # Units differ in information by orders of magnitude; dividing lets each count alike.
    total = np.asarray(one, dtype=np.float64) + other
    first, second = one[total > 0] / total[total > 0], other[total > 0] / total[total > 0]
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def fit_head(features: Features) -> FittedHead:
    """Fit a linear head on features with at least two labels; one output per code that occurs.

    Ridge regression or penalised logistic regression, of standardised features; the head that is
    returned takes features as they are.
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(np.asarray(features.values, dtype=np.float64))
    scaled = scaler.transform(features.values)
    if np.issubdtype(features.labels.dtype, np.floating):
        ridge = Ridge(alpha=PENALTY).fit(scaled, features.labels)
        weights, bias = ridge.coef_[None], np.array([ridge.intercept_])
        variance = float(np.mean((features.labels - ridge.predict(scaled)) ** 2))
    else:
        logistic = LogisticRegression(C=1 / PENALTY, max_iter=1000).fit(scaled, features.labels)
        weights, bias, variance = logistic.coef_, logistic.intercept_, 1.0
        if len(weights) == 1:  # of two labels sklearn keeps the difference of the outputs
            weights, bias = np.vstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
    weights = weights / scaler.scale_
    return FittedHead(weights, bias - weights @ scaler.mean_, variance)

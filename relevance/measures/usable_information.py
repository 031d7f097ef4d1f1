"""Usable information: bits about a target's labels that a head can read off a source's encoder."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from relevance.interfaces.probe import Features, Probe
from relevance.measures._estimator import Cells, Estimator
from relevance.measures._transferability import check_labels
from relevance.tasks.task import Task

ROWS = 256  # of each split: heads are fitted on training rows and judged on held-out ones
# Of the penalty on a head's weights, for standardised features. Which one is best is found within
# the training rows; the best on held-out rows would find information where there is none.
PENALTIES = (1000.0, 100.0, 10.0, 1.0)
FOLDS = 4
# Without a floor a regression that features explain to the last digit had infinitely many bits.
LEAST_VARIANCE = 1e-6  # as a share of that of the labels: 11 bits at most


class UsableInformation(Estimator):
    """V-information about the target's labels in the encoder fine-tuned on the source, in bits.

    The diagonal is a task's own usable information, that of its single run. A target's entropy is
    the same for all sources, so its column ranks them by held-out log loss. Heads on few rows
    overfit, so values may be a little below 0, where a source leaves nothing that helps.
    """

    name = "usable-information"
    unit = "bits"
    settings: ClassVar = {"rows": ROWS, "folds": FOLDS}
    per_row = True

    def estimate(self, probe: Probe, tasks: Sequence[Task], seed: int) -> Cells:
        """Mean pointwise V-information over the target's held-out rows; each task trained once."""
        names = [task.name for task in tasks]
        values = np.empty((len(tasks), len(tasks)))
        for row, source in enumerate(names):
            found = probe.features_by_split(names, rows=ROWS, seed=seed, source=source)
            for column, target in enumerate(tasks):
                check_labels(target.name, found[target.name][0])
                bits = pointwise_information(*found[target.name], len(target.labels))
                values[row, column] = bits.mean()
        return values


def pointwise_information(
    train: Features, held_out: Features, codes: int
) -> Float[np.ndarray, " row"]:
    """Pointwise V-information of held-out rows, `log2 g'[x](y) - log2 g[0](y)`.

    V is the family of linear heads on the features: softmax over the codes, or a normal
    distribution around a linear output whose variance is that of cross-validated errors. `g'` is
    fitted on the training rows with a penalty on weights, chosen by cross-validation among them.
    `g`, the model of empty inputs, is the head whose weights are 0: the labels' frequencies, or
    their mean and variance. The mean over rows estimates the V-information `H_V(Y) - H_V(Y | X)`.
    Every code counts half a row more, with and without inputs, so that a code which no training
    row has costs many bits and not infinitely many.

    Args:
        train: Features of training rows, with two different labels at least.
        held_out: Features of held-out rows.
        codes: Number of codes that labels can have; for a regression of no matter.

    Returns:
        Bits, negative where the features mislead.

    Source:
        Xu et al. (2020), A theory of usable information under computational constraints,
        definitions 1 to 3; Ethayarajh et al. (2022), Understanding dataset difficulty with V-usable
        information, equation 4 and algorithm 1.
    """
    fit, judged = rotated(train.values, held_out.values)
    if np.issubdtype(train.labels.dtype, np.floating):
        return _of_values(fit, train.labels, judged, held_out.labels)
    return _of_codes(fit, train.labels, judged, held_out.labels, codes)


def rotated(
    train: Float[np.ndarray, "row dimension"], others: Float[np.ndarray, "other dimension"]
) -> tuple[Float[np.ndarray, "row direction"], Float[np.ndarray, "other direction"]]:
    """Features standardised by the training rows, in no more directions than these have.

    Args:
        train: Features of training rows.
        others: Features of other rows.

    Returns:
        Both. No head with a penalty on its weights tells them from all standardised features, and
        where these outnumber rows it is fitted in a fraction of the time.
    """
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(np.asarray(train, dtype=np.float64))
    scaled = scaler.transform(train)
    _, _, directions = np.linalg.svd(scaled, full_matrices=False)
    return scaled @ directions.T, scaler.transform(others) @ directions.T


def _of_codes(
    fit: Float[np.ndarray, "row direction"],
    labels: Int[np.ndarray, " row"],
    judged: Float[np.ndarray, "other direction"],
    held_out: Int[np.ndarray, " other"],
    codes: int,
) -> Float[np.ndarray, " other"]:
    """Information about codes."""

    def cost(penalty: float) -> float:
        """Bits of the training rows, each by a head that has not seen it."""
        bits = 0.0
        for out in _folds(len(labels)):
            likely = _likelihood(fit[~out], labels[~out], fit[out], codes, penalty)
            bits -= float(np.log2(_of_rows(likely, labels[out])).sum())
        return bits

    best = min(PENALTIES, key=cost)
    known = _likelihood(fit, labels, judged, codes, best)
    counts = np.bincount(labels, minlength=codes) + 0.5
    empty = counts / counts.sum()
    return np.asarray(np.log2(_of_rows(known, held_out)) - np.log2(empty[held_out]))


def _likelihood(
    fit: Float[np.ndarray, "row direction"],
    labels: Int[np.ndarray, " row"],
    judged: Float[np.ndarray, "other direction"],
    codes: int,
    penalty: float,
) -> Float[np.ndarray, "other code"]:
    """Probabilities of all codes by the head of some rows, half a row of each code added."""
    from sklearn.linear_model import LogisticRegression

    probabilities = np.zeros((len(judged), codes))
    occurring = np.unique(labels)
    if len(occurring) == 1:
        probabilities[:, occurring[0]] = 1.0
    else:
        head = LogisticRegression(C=1 / penalty, max_iter=1000).fit(fit, labels)
        probabilities[:, occurring] = head.predict_proba(judged)
    return np.asarray((len(labels) * probabilities + 0.5) / (len(labels) + codes / 2))


def _of_values(
    fit: Float[np.ndarray, "row direction"],
    labels: Float[np.ndarray, " row"],
    judged: Float[np.ndarray, "other direction"],
    held_out: Float[np.ndarray, " other"],
) -> Float[np.ndarray, " other"]:
    """Information about the values of a regression."""
    from sklearn.linear_model import Ridge

    labels, held_out = labels.astype(np.float64), held_out.astype(np.float64)

    def predict(penalty: float, kept: slice | np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.asarray(Ridge(alpha=penalty).fit(fit[kept], labels[kept]).predict(rows))

    def error(penalty: float) -> float:
        """Mean squared error of the training rows, each by a head that has not seen it."""
        squares = [
            np.sum((predict(penalty, ~out, fit[out]) - labels[out]) ** 2)
            for out in _folds(len(labels))
        ]
        return float(np.sum(squares)) / len(labels)

    best = min(PENALTIES, key=error)
    spread = float(labels.var())
    variance = max(error(best), LEAST_VARIANCE * spread)
    known = (held_out - predict(best, slice(None), judged)) ** 2 / variance
    empty = (held_out - labels.mean()) ** 2 / spread
    return np.asarray((np.log(spread / variance) + empty - known) / (2 * np.log(2)))


def _of_rows(
    likely: Float[np.ndarray, "row code"], labels: Int[np.ndarray, " row"]
) -> Float[np.ndarray, " row"]:
    """The probability of each row's own code."""
    return np.asarray(likely[np.arange(len(labels)), labels])


def _folds(rows: int) -> list[np.ndarray]:
    """Masks of the rows that each fold leaves out; rows come ordered by length, so every fourth."""
    return [mask for fold in range(FOLDS) if (mask := np.arange(rows) % FOLDS == fold).any()]

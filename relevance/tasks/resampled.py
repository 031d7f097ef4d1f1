"""Metrics of many runs on many resamples of the same rows at once, much faster than one by one.

A resample is how often it drew each row; what a metric needs of it are sums over the rows, and
these are matrix products.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int, Num, Shaped

from relevance.tasks.answers import best, exact, overlap
from relevance.tasks.data import Labels, Split
from relevance.tasks.entities import entity_counts

Predictions: TypeAlias = Shaped[np.ndarray, "run row"]
Draws: TypeAlias = Float[np.ndarray, "resample row"]
Scores: TypeAlias = Float[np.ndarray, "run resample"]
Function: TypeAlias = Callable[[Split, Predictions, Draws], Scores]


def taken(
    split: Split, predictions: Labels, counts: Int[np.ndarray, " row"]
) -> tuple[Split, Shaped[np.ndarray, " drawn"]]:
    """The rows of one resample, and what was predicted for them.

    Args:
        split: All rows.
        predictions: Predictions for each of them.
        counts: Number of times each of them was drawn.

    Returns:
        All rows drawn, each copy of a group a group of its own, and the predictions.
    """
    rows = np.repeat(np.arange(len(split)), counts)
    drawn = split.take(rows)
    if drawn.groups is not None:
        copy = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        _, groups = np.unique(np.stack([drawn.groups, copy]), axis=1, return_inverse=True)
        drawn = Split(drawn.texts, drawn.labels, groups)
    return drawn, predictions[rows]


def units(split: Split) -> Int[np.ndarray, " row"]:
    """The unit, from 0, that each row is drawn with: its group, or the row itself."""
    if split.groups is None:
        return np.arange(len(split))
    return np.unique(split.groups, return_inverse=True)[1]


def accuracy(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """Share of rows that are right."""
    return _means((split.labels == predictions) * 1.0, draws)


def f1(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """F1 of class 1; 0 where it is neither there nor predicted.

    For MultiRC this is F1a: over all answers, whatever question they belong to.
    """
    labels, found = (split.labels == 1) * 1.0, (predictions == 1) * 1.0
    return _ratio(2 * (labels * found) @ draws.T, (labels + found) @ draws.T)


def macro_f1(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """Mean F1 of the classes that occur in labels or predictions."""
    labels, found = _indicators(split, predictions)
    right = _sums(labels * found, draws)
    either = _sums(labels + found, draws)
    occurring = (either > 0).sum(axis=2)
    return np.asarray((_ratio(2 * right, either).sum(axis=2) / occurring).T)


def matthews(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """Matthews correlation; 0 where labels or predictions are all the same."""
    labels, found = _indicators(split, predictions)
    total = draws.sum(axis=1, keepdims=True)
    labelled = (draws @ labels)[:, None]
    predicted = _sums(found, draws)
    right = _sums(labels * found, draws).sum(axis=2)
    together = right * total - (labelled * predicted).sum(axis=2)
    spread, other = (total**2 - (of**2).sum(axis=2) for of in (labelled, predicted))
    return _ratio(together, np.sqrt(spread * other)).T


def question_em(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """Share of groups (questions of MultiRC) whose rows are all right."""
    _, first, group = np.unique(units(split), return_index=True, return_inverse=True)
    wrong = np.array([np.bincount(group, weights=run != split.labels) for run in predictions])
    return _means((wrong == 0) * 1.0, draws[:, first])


def entity_f1(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """F1 of entities, all types together; right are type and borders. 0 where there are none."""
    counts = np.array([entity_counts(split.labels, run) for run in predictions]) * 1.0
    right, found, there = np.moveaxis(counts, -1, 0)
    return _ratio(2 * right @ draws.T, (found + there) @ draws.T)


def span_em(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """Share of rows whose answer is one of the gold ones, by SQuAD's rules."""
    return _means(np.array([best(exact, split.labels, run) for run in predictions]), draws)


def span_f1(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """Mean over rows of the F1 of words with the nearest gold answer."""
    return _means(np.array([best(overlap, split.labels, run) for run in predictions]), draws)


def pearson(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """Pearson correlation; 0 where labels or predictions are all the same."""
    one, other = _centred(split.labels[None, :]), _centred(predictions)
    mean, other_mean = _means(one, draws), _means(other, draws)
    together = _means(one * other, draws) - mean * other_mean
    variance, other_variance = (
        _variance(values, _means(values**2, draws) - means**2)
        for values, means in ((one, mean), (other, other_mean))
    )
    return _ratio(together, np.sqrt(variance * other_variance))


def spearman(split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """Spearman's rank correlation; 0 where labels or predictions are all the same."""
    labels, lengths = _ranks(split.labels, draws)
    found = []
    for run in predictions:
        ranks, length = _ranks(run, draws)
        together = np.einsum("rb,rb,rb->r", draws, labels, ranks)
        found.append(_ratio(together, lengths * length))
    return np.array(found)


def _sums(
    values: Float[np.ndarray, "run row class"], draws: Draws
) -> Float[np.ndarray, "resample run class"]:
    """Sums over the rows drawn."""
    return np.tensordot(draws, values, axes=(1, 1))


def _means(
    values: Float[np.ndarray, "some row"], draws: Draws
) -> Float[np.ndarray, "some resample"]:
    """Means over the rows drawn."""
    return np.asarray(values @ draws.T / draws.sum(axis=1))


def _ratio(
    part: Float[np.ndarray, "..."], whole: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """A part of a whole, 0 where there is none."""
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _indicators(
    split: Split, predictions: Predictions
) -> tuple[Float[np.ndarray, "row class"], Float[np.ndarray, "run row class"]]:
    """Ones for each row and class where the row has it as its label, and as its prediction."""
    classes = np.unique(np.concatenate([split.labels, predictions.ravel()]))
    return (split.labels[:, None] == classes) * 1.0, (predictions[..., None] == classes) * 1.0


def _centred(values: Num[np.ndarray, "some row"]) -> Float[np.ndarray, "some row"]:
    """Values less their mean, exactly 0 where they differ by no more than rounding."""
    scale = np.abs(values).max(axis=1, keepdims=True)
    constant = np.ptp(values, axis=1, keepdims=True) <= 1e-12 * scale
    return np.where(constant, 0.0, values - values.mean(axis=1, keepdims=True))


def _variance(
    values: Float[np.ndarray, "some row"], variance: Float[np.ndarray, "some resample"]
) -> Float[np.ndarray, "some resample"]:
    """A variance, set to exactly 0 where it is no more than rounding."""
    # Mean square less squared mean: what is left of equal values is rounding of this size.
    largest = (values**2).max(axis=1, keepdims=True)
    return np.where(variance <= 1e-13 * largest, 0.0, variance)


def _ranks(
    values: Num[np.ndarray, " row"], draws: Draws
) -> tuple[Draws, Float[np.ndarray, " resample"]]:
    """Ranks among the rows drawn less their mean, equal values sharing theirs; their length."""
    order = np.argsort(values, kind="stable")
    # Equal values share the mean of their ranks, as in `scipy.stats.rankdata`.
    _, start, place = np.unique(values[order], return_index=True, return_inverse=True)
    counts = np.add.reduceat(draws[:, order], start, axis=1)
    middle = (draws.sum(axis=1, keepdims=True) + 1) / 2
    of_values = np.cumsum(counts, axis=1) - (counts - 1) / 2 - middle
    ranks = np.empty_like(draws)
    ranks[:, order] = of_values[:, place]
    return ranks, np.sqrt((counts * of_values**2).sum(axis=1))


RESAMPLED: dict[str, Function] = {
    "accuracy": accuracy,
    "entity_f1": entity_f1,
    "f1": f1,
    "f1a": f1,
    "macro_f1": macro_f1,
    "matthews": matthews,
    "pearson": pearson,
    "question_em": question_em,
    "span_em": span_em,
    "span_f1": span_f1,
    "spearman": spearman,
}
"""The metrics that have a form for many resamples, by name."""

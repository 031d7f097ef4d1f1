"""Scores of a task's predictions: fractions in [0, 1], correlations in [-1, 1]."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Shaped

from relevance.interfaces.trainer import Result
from relevance.tasks.answers import best, overlap
from relevance.tasks.data import Labels, Split
from relevance.tasks.kinds.classification import BINARY_METRICS
from relevance.tasks.kinds.kind import kind_of
from relevance.tasks.parity import gender_parity
from relevance.tasks.resampled import RESAMPLED, Draws, Predictions, Scores, taken
from relevance.tasks.task import Task

Rows = Labels


def score(task: Task, split: Split, predictions: Rows) -> dict[str, float]:
    """All metrics of a task.

    Args:
        task: The definition.
        split: The rows that were predicted.
        predictions: Predictions in the form of the kind: label codes, values on the task's own
            scale, tags.

    Returns:
        Score by metric name, the primary one first, gain metrics included.
    """
    names = dict.fromkeys((*task.metrics, *task.gain_metrics))
    return {name: FUNCTIONS[name](*scored_as(task, name, split, predictions)) for name in names}


def scored_as(
    task: Task, metric: str, split: Split, predictions: Shaped[np.ndarray, "*run row"]
) -> tuple[Split, Shaped[np.ndarray, "*run row"]]:
    """Labels and predictions as a metric takes them.

    Args:
        task: The definition.
        metric: Name of a metric.
        split: The rows.
        predictions: Predictions in the form of the task's kind, of one run or several.

    Returns:
        Labels and predictions as they are, except for `f1` and `f1a`: 1 where they are the task's
        positive label, and 0 elsewhere.
    """
    # Two labels, the last one positive, are what the functions take as they are.
    if metric not in BINARY_METRICS or (task.positive_code == 1 and len(task.labels) == 2):
        return split, predictions
    positive = task.positive_code
    binary = replace(split, labels=(split.labels == positive).astype(np.int64))
    return binary, (predictions == positive).astype(np.int64)


def gain_score(task: Task, metrics: Mapping[str, float]) -> float:
    """The `f` of joint-training gains: mean of the task's gain metrics.

    Source:
        Fei et al. (2022), equations 3 and 4.
    """
    return sum(metrics[name] for name in task.gain_metrics) / len(task.gain_metrics)


def majority(task: Task, train: Split, evaluation: Split) -> Result:
    """Result of answering without reading: by the training split's commonest label, mean or tag.

    Args:
        task: The definition.
        train: Split that label frequencies come from; the lowest code wins a tie.
        evaluation: The rows that are scored.

    Returns:
        Scores, constant predictions, and the losses of the best constant: cross-entropy of the
        training frequencies (one added to each count, so that it stays finite) in nats, or the
        mean squared error of the training mean on the task's own scale.
    """
    predictions, losses = kind_of(task).constant(train, evaluation)
    return Result(
        score(task, evaluation, predictions),
        float(losses.mean()),
        predictions.tolist(),
        losses.tolist(),
    )


def macro_f1(split: Split, predictions: Rows) -> float:
    """Mean F1 of the classes that occur in labels or predictions."""
    from sklearn.metrics import f1_score

    return float(f1_score(split.labels, predictions, average="macro", zero_division=0))


def matthews(split: Split, predictions: Rows) -> float:
    """Matthews correlation; 0 where labels or predictions are all the same."""
    from sklearn.metrics import matthews_corrcoef

    if _constant(split.labels) or _constant(predictions):
        return 0.0
    return float(matthews_corrcoef(split.labels, predictions))


def pearson(split: Split, predictions: Rows) -> float:
    """Pearson correlation; 0 where labels or predictions are all the same."""
    from scipy.stats import pearsonr

    if _constant(split.labels) or _constant(predictions):
        return 0.0
    return float(pearsonr(split.labels, predictions).statistic)


def spearman(split: Split, predictions: Rows) -> float:
    """Spearman's rank correlation; 0 where labels or predictions are all the same."""
    from scipy.stats import spearmanr

    if _constant(split.labels) or _constant(predictions):
        return 0.0
    return float(spearmanr(split.labels, predictions).statistic)


def span_f1(split: Split, predictions: Rows) -> float:
    """Mean over rows of the F1 of words with the nearest gold answer, by SQuAD's rules."""
    return float(best(overlap, split.labels, predictions).mean())


def _constant(values: Rows) -> bool:
    """Whether all values are the same, rounding of their scale aside."""
    values = np.asarray(values, dtype=np.float64)
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def _on_all_rows(metric: str) -> Callable[[Split, Rows], float]:
    """A metric whose form for many resamples serves for one run on every row, drawn once."""

    def scored(split: Split, predictions: Rows) -> float:
        every = np.ones((1, len(split)))
        return float(RESAMPLED[metric](split, predictions[None], every)[0, 0])

    return scored


# The others have a form of their own for one run: for many labels the tables of `resampled` would
# be large, and sums of fractions come out a little different in another order.
FUNCTIONS: dict[str, Callable[[Split, Rows], float]] = {
    **{name: _on_all_rows(name) for name in ("accuracy", "entity_f1", "f1", "f1a")},
    "gender_parity": gender_parity,
    "macro_f1": macro_f1,
    "matthews": matthews,
    "pearson": pearson,
    **{name: _on_all_rows(name) for name in ("question_em", "span_em")},
    "span_f1": span_f1,
    "spearman": spearman,
}
"""Metrics by the name that tasks give them."""


def resampled_scores(metric: str, split: Split, predictions: Predictions, draws: Draws) -> Scores:
    """Score every run on every resample, as `score` would on the rows drawn.

    Args:
        metric: Name of a metric.
        split: The rows.
        predictions: Predictions in the form of the task's kind.
        draws: Number of times each row was drawn; rows of a group are drawn together, and a group
            that is drawn twice counts as two.

    Returns:
        The scores; a metric that `relevance.tasks.resampled` does not have is computed for one run
        and one resample after another.
    """
    if metric in RESAMPLED:
        return RESAMPLED[metric](split, predictions, draws)
    one_by_one = [
        [FUNCTIONS[metric](*taken(split, run, counts)) for counts in draws.astype(int)]
        for run in predictions
    ]
    return np.array(one_by_one)

"""Baselines of gains, which changes are divided by: are they far enough from zero?"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from relevance.gains.gain_choice import GainChoice
from relevance.tasks.task import Task

Single = Float[np.ndarray, "single_seed target"]
Targets = Float[np.ndarray, " target"]

CONFIDENCE = 0.95
CORRELATIONS = frozenset({"matthews", "pearson", "spearman"})


def half_widths(single: Single, errors: Targets | None = None) -> Targets:
    """Half the width of every baseline's 95 % interval.

    Args:
        single: Scores of single runs, or losses; a baseline is the mean of its column.
        errors: Standard errors over examples, which count for a single seed only; NaN if unknown.

    Returns:
        Half widths by Student's t over the several seeds that a target has; by the normal
        distribution for one seed, and 0 where nothing is known of its noise.
    """
    count, mean = np.isfinite(single).sum(axis=0), _known_mean(single)
    squares = np.where(np.isfinite(single), (single - mean) ** 2, 0.0).sum(axis=0)
    of_one = np.zeros(len(mean)) if errors is None else np.nan_to_num(errors)
    of_seeds = np.sqrt(squares / np.maximum(count * (count - 1), 1))
    factors = np.array([interval_factor(seeds) for seeds in count.tolist()])
    return np.asarray(factors * np.where(count > 1, of_seeds, of_one))


def _known_mean(single: Single) -> Targets:
    """Mean of each target's known runs, NaN where there is none."""
    known = np.isfinite(single)
    count = known.sum(axis=0)
    total = np.where(known, single, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def interval_factor(seeds: int, confidence: float = CONFIDENCE) -> float:
    """Standard errors in half the width of a confidence interval.

    Args:
        seeds: Number of seeds that the standard error was taken over.
        confidence: Share of intervals that should hold the true value, in (0, 1).

    Returns:
        Quantile of Student's t with n - 1 degrees of freedom for n seeds; for a single one, whose
        standard error is one over many examples, that of the normal distribution.
    """
    from scipy.special import ndtri, stdtrit

    quantile = 0.5 + confidence / 2
    return float(stdtrit(seeds - 1, quantile) if seeds > 1 else ndtri(quantile))


def undefined(
    single: Single, choice: GainChoice, errors: Targets | None = None
) -> Bool[np.ndarray, " target"]:
    """Targets whose known baseline cannot be divided by, as it may as well be zero or negative.

    A ratio of two noisy numbers has a bounded confidence interval only where that of its
    denominator leaves zero out; else a gain of 1000 % says nothing.

    Args:
        single: Scores of single runs, or losses.
        choice: Metric and normalisation of the gains; points are always defined.
        errors: Standard errors over examples, which count for a single seed only; NaN if unknown.

    Returns:
        True where the interval of what would be divided by holds zero or lies below it.

    Source:
        Fieller (1954), Some problems in interval estimation.
    """
    if choice.normalise == "absolute":
        return np.zeros(single.shape[1], dtype=bool)
    # An interval that touches zero leaves the ratio without a bounded interval of its own.
    divided_by = choice.whole(_known_mean(single))
    return np.asarray(divided_by <= half_widths(single, errors))


def undefined_notes(
    tasks: Sequence[str], single: Single, choice: GainChoice, errors: Targets | None = None
) -> list[str]:
    """One line for every task whose column has no gains, with the settings that help.

    Args:
        tasks: Names in the order of the columns.
        single: Scores of single runs, or losses.
        choice: Metric and normalisation of the gains.
        errors: Standard errors over examples, which count for a single seed only; NaN if unknown.

    Returns:
        The lines.
    """
    without = undefined(single, choice, errors)
    widths, means = half_widths(single, errors), _known_mean(single)
    divided_by = choice.whole(means)
    absolute = "" if choice.metric == "loss" else '`normalise="absolute"` is defined'
    more = "more `single_seeds` narrow the interval"
    end = 1 if choice.of_error else 0
    lines = []
    for place in np.flatnonzero(without).tolist():
        said = f"{tasks[place]}: the mean single-task {choice.metric} is {means[place]:.4f}"
        hints = [absolute]
        if divided_by[place] <= 0:
            said += f", which leaves its {choice.normalise} gains undefined"
        else:
            said += (
                f" ± {widths[place]:.4f} (95 % interval), too near {end}:"
                f" its {choice.normalise} gains are undefined"
            )
            hints.append(more)
        lines.append("; ".join([said, ", ".join(filter(None, hints))]).removesuffix("; ") + ".")
    return lines


def own_error(task: Task, metric: str, scores: Mapping[str, float], rows: int) -> float:
    """Standard error of a score over examples by a formula, where nothing is left to resample.

    Args:
        task: The definition.
        metric: Name in `relevance.gains.gain_choice.METRICS`.
        scores: Scores by the metric's name.
        rows: Number of rows that were scored.

    Returns:
        sqrt(p (1 - p) / n) for shares and (1 - r^2) / sqrt(n - 1) for correlations, both for large
        n; of several metrics the mean, as if they went along with each other. NaN for losses.

    >>> from relevance.tasks.find import catalogue
    >>> own_error(catalogue()["RTE"], "primary", {"accuracy": 0.5}, 100)
    0.05
    """
    if metric == "loss":
        return math.nan
    names = task.gain_metrics if metric == "gain" else (task.primary,)
    return float(np.mean([_own_error(name, scores[name], rows) for name in names]))


def _own_error(name: str, score: float, rows: int) -> float:
    if name in CORRELATIONS:
        return (1 - score**2) / math.sqrt(max(rows - 1, 1))
    return math.sqrt(max(score * (1 - score), 0.0) / max(rows, 1))

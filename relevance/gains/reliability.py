"""Reliability of gains over seeds: for targets as a whole, and within each of them.

A gain has two parts. The column effect tells how much a target gains from joint training at all,
what is left within the target which source helps it more. Groups of tasks rest on the second.
"""

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float

from relevance.gains.formulas import own_baseline_gains
from relevance.gains.gain_choice import METRICS, GainChoice

PARTS = ("all_cells", "column_effect", "within_target")
FEWEST = 3
"""Least number of values that a correlation is made of; two always correlate at 1 or -1."""

Gains = Float[np.ndarray, "*seed source target"]


def split(gains: Gains) -> tuple[Float[np.ndarray, "*seed target"], Gains]:
    """Divide gains into the column effect and what is left within each target.

    Args:
        gains: Gains of one or several seeds; the diagonal is ignored.

    Returns:
        The mean of each column's known cells, the diagonal left out, NaN where none is known; and
        every cell less the mean of its column, NaN on the diagonal.
    """
    cells = np.where(np.eye(gains.shape[-1], dtype=bool), np.nan, gains)
    column = known_mean(cells, axis=-2)
    return column, cells - column[..., None, :]


def known_mean(values: Float[np.ndarray, "..."], axis: int) -> Float[np.ndarray, "..."]:
    """Mean of the known values along an axis, NaN where none is known."""
    # `np.nanmean` would warn of those, and warnings are errors in tests.
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def between_seeds(values: Float[np.ndarray, "seed value"]) -> float | None:
    """Mean Pearson correlation between two seeds, over all pairs of seeds.

    Args:
        values: Values of each seed, NaN where unknown; of two seeds those count that both know.

    Returns:
        The mean in [-1, 1]; None for a single seed, and where two seeds share fewer than `FEWEST`
        values or all of one are the same.
    """
    found = [pearson(one, other) for one, other in combinations(values, 2)]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if found and len(known) == len(found) else None


def between_seeds_by_target(gains: Float[np.ndarray, "seed source target"]) -> float | None:
    """Mean Pearson correlation between two seeds within a target, over targets and pairs of seeds.

    Unlike the correlation over all cells less their target's mean it gives every target the same
    weight, however much its sources differ.

    Args:
        gains: Gains or scores of each seed, NaN where unknown; the diagonal is ignored.

    Returns:
        The mean in [-1, 1] over all targets and pairs of seeds that have one, see `between_seeds`;
        None without any.
    """
    cells = np.where(np.eye(gains.shape[-1], dtype=bool), np.nan, gains)
    found = [
        pearson(one[:, target], other[:, target])
        for one, other in combinations(cells, 2)
        for target in range(cells.shape[-1])
    ]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None


def pearson(one: Float[np.ndarray, " value"], other: Float[np.ndarray, " value"]) -> float | None:
    """Pearson correlation over what both know; None for fewer than `FEWEST` or all the same."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < FEWEST:
        return None
    pair = np.stack([one[both], other[both]])
    centred = pair - pair.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1)
    # Equal values differ from their mean by rounding, and would correlate at random.
    if (lengths <= 1e-12 * np.linalg.norm(pair, axis=1)).any():
        return None
    return float(centred[0] @ centred[1] / lengths.prod())


def spearman_brown(correlation: float, seeds: int) -> float:
    """Reliability of a mean over seeds, from the correlation between single ones.

    Args:
        correlation: Mean correlation between two seeds, in [-1, 1].
        seeds: Number of seeds that the mean is over.

    Returns:
        n r / (1 + (n - 1) r); a correlation of 0 or less as it is, since averaging cannot bring out
        what no two seeds have in common.

    Source:
        Spearman (1910); Brown (1910).

    >>> spearman_brown(0.5, 2), spearman_brown(-0.1, 5)
    (0.6666666666666666, -0.1)
    """
    if correlation <= 0:
        return correlation
    return seeds * correlation / (1 + (seeds - 1) * correlation)


def seeds_needed(correlation: float, wanted: float) -> int | None:
    """Number of seeds that make a mean as reliable as wanted, by Spearman-Brown.

    Args:
        correlation: Mean correlation between two seeds, in [-1, 1].
        wanted: Reliability of the mean, in (0, 1).

    Returns:
        Smallest number of seeds; None where no number would do.

    >>> seeds_needed(0.5, 0.8), seeds_needed(0.0, 0.5)
    (4, None)
    """
    if correlation <= 0:
        return None
    exact = wanted * (1 - correlation) / (correlation * (1 - wanted))
    # An exact whole number may come out a little above itself.
    return max(1, math.ceil(exact - 1e-9))


def reliability(gains: Float[np.ndarray, "seed source target"]) -> dict[str, Any]:
    """Reliability of gains and of their parts.

    Args:
        gains: Gains of seeds that share no run, as `own_baseline_gains` makes them; cells that one
            seed does not know are left out for all.

    Returns:
        {part: values} for each of `PARTS`: `between_seeds` is the mean correlation between two
        seeds, `of_mean` the reliability of the mean over all of them; None where unknown.
    """
    known = np.isfinite(gains).all(axis=0) & ~np.eye(gains.shape[-1], dtype=bool)
    cells = np.where(known, gains, np.nan)
    column, within = split(cells)
    within = np.where(known.sum(axis=0) > 1, within, np.nan)  # the rest of one cell is 0 for all
    parts = (cells, column, within)
    found = {}
    for name, part in zip(PARTS, parts, strict=True):
        correlation = between_seeds(part.reshape(len(gains), -1))
        mean = None if correlation is None else spearman_brown(correlation, len(gains))
        found[name] = {"between_seeds": correlation, "of_mean": mean}
    return found


def reliability_within_targets(per_seed: Float[np.ndarray, "seed source target"]) -> dict[str, Any]:
    """Reliability within targets of values that know no column effect, from runs made elsewhere.

    Args:
        per_seed: Values of seeds that share no run, NaN where unknown. A cell counts between any
            two seeds that know it, so that a file with holes has its say too.

    Returns:
        {"within_target": values} as `reliability` gives them.
    """
    cells = np.where(np.eye(per_seed.shape[-1], dtype=bool), np.nan, per_seed)
    _, within = split(cells)
    several = np.isfinite(cells).sum(axis=1, keepdims=True) > 1
    correlation = between_seeds(np.where(several, within, np.nan).reshape(len(cells), -1))
    mean = None if correlation is None else spearman_brown(correlation, len(cells))
    return {"within_target": {"between_seeds": correlation, "of_mean": mean}}


def reliabilities(
    single: Mapping[str, Any] | None, joint: Mapping[str, Any] | None, normalise: str = "relative"
) -> dict[str, Any] | None:
    """Reliability of the gains of a study, by each metric.

    Args:
        single: Scores of single-task training: {metric: [single_seed][task]}, joint seeds first.
        joint: Scores of the targets: {metric: [seed][source][target]}.
        normalise: Name in `relevance.gains.gain_choice.NORMALISATIONS`; losses are always relative.

    Returns:
        {metric: what `reliability` gives}, None without scores or with a single seed.
    """
    found = {}
    for metric in METRICS:
        if single is None or joint is None or metric not in single or metric not in joint:
            continue
        alone = np.asarray(single[metric], dtype=np.float64)
        together = np.asarray(joint[metric], dtype=np.float64)
        if 2 <= len(together) <= len(alone):
            choice = GainChoice(metric, "relative" if metric == "loss" else normalise)
            found[metric] = reliability(own_baseline_gains(alone, together, choice))
    return found or None

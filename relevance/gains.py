"""From scores of single and joint training to joint-training gains, with their noise."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError, unknown_name
from relevance.matrix import RelevanceMatrix
from relevance.tasks.metrics import gain_score
from relevance.tasks.task import Task
from relevance.trainer import Result

MEASURE = "joint-training"
METRICS = ("gain", "primary", "loss")
"""What gains are made of: the mean of a task's gain metrics, its primary metric, held-out loss."""

NORMALISATIONS = ("relative", "absolute", "error")

Single = Float[np.ndarray, "single_seed target"]
Joint = Float[np.ndarray, "seed source target"]
Cells = Float[np.ndarray, "source target"]


def scores(task: Task, result: Result) -> dict[str, float]:
    """What a result comes down to under each of `METRICS`.

    Args:
        task: The definition.
        result: Its result in one training run.

    Returns:
        Mean of the gain metrics, primary metric, and held-out loss, in this order.
    """
    values = gain_score(task, result.metrics), result.metrics[task.primary], result.loss
    return dict(zip(METRICS, values, strict=True))


def gains(
    single: Single, joint: Joint, *, metric: str = "gain", normalise: str = "relative"
) -> tuple[Joint, Cells | None]:
    """How much better each target does in joint training than alone.

    The baseline of a column is the mean over all single runs of its task, since the luck of one
    run would stand in every cell. Standard errors hold the noise of both sides, to first order of
    the ratio; a joint run is paired with the single run of its seed, so what the two share cancels.
    Cells of one column share its baseline, so their errors are not independent.

    Args:
        single: Scores of single-task training, or losses; the seeds of joint runs come first.
        joint: Scores of the target when trained with the source; the diagonal is ignored.
        metric: `gain` or `primary` for scores (higher is better), `loss` for losses (lower is).
        normalise: `relative` for (f_joint - f_single) / f_single; `absolute` for points,
            f_joint - f_single; `error` for the share of the remaining error that is removed,
            (f_joint - f_single) / (1 - f_single). The relative reduction of a loss is both
            `relative` and `error`.

    Returns:
        Gains of each seed, zeros on the diagonal, NaN where undefined or unknown; and standard
        errors of their mean over the seeds, None for a single seed.

    Raises:
        RelevanceError: If the metric or normalisation is unknown, or losses are to be subtracted.

    Source:
        Fei et al. (2022), equations 3 and 4.
    """
    check_choice(metric, normalise)
    if normalise == "error" and metric != "loss":
        single, joint, sign = 1 - single, 1 - joint, -1
    else:
        sign = -1 if metric == "loss" else 1
    baseline = single.mean(axis=0)
    divisor = np.ones_like(baseline)
    slope = np.ones_like(joint[0])  # of the joint score over the baseline, d joint = slope d single
    if normalise != "absolute":
        divisor = np.where(baseline > 0, baseline, np.nan)
        slope = joint.mean(axis=0) / divisor
    own = np.eye(joint.shape[-1], dtype=bool)
    per_seed = np.where(own, 0.0, sign * (joint - baseline) / divisor)
    if len(joint) == 1:
        return per_seed, None
    return per_seed, np.where(own, 0.0, _noise(single, joint, slope) / divisor)


def _noise(single: Single, joint: Joint, slope: Cells) -> Cells:
    """Standard error of mean joint - slope * mean single, paired by seed as far as seeds pair."""
    seeds, single_seeds = len(joint), len(single)
    share = seeds / single_seeds
    paired = joint - slope * share * single[:seeds, None, :]
    variance = paired.var(axis=0, ddof=1) / seeds
    if single_seeds > seeds:
        unpaired = single.var(axis=0, ddof=1) / (single_seeds - seeds)
        variance = variance + (slope * (1 - share)) ** 2 * unpaired
    return np.asarray(np.sqrt(variance))


def gains_matrix(
    tasks: Sequence[str],
    seeds: Sequence[int],
    single: Mapping[str, Any],
    joint: Mapping[str, Any],
    majority: Mapping[str, Any] | None,
    *,
    metric: str = "gain",
    normalise: str = "relative",
    cost: Mapping[str, float],
    provenance: Mapping[str, Any],
) -> RelevanceMatrix:
    """The matrix of gains together with every score behind it.

    Args:
        tasks: Names in the order of rows and columns.
        seeds: Of joint runs.
        single: Scores for each of `METRICS`: [single_seed][task], joint seeds first.
        joint: Scores of the targets for each of `METRICS`: [seed][source][target].
        majority: Scores of the majority class for each of `METRICS`: [task]; None if unknown.
        metric: One of `METRICS`.
        normalise: One of `NORMALISATIONS`.
        cost: What it took.
        provenance: Where it came from; the choices made here are added.

    Returns:
        A matrix whose values are means over the seeds, NaN where any of them is missing.

    Raises:
        RelevanceError: If the metric or normalisation is unknown, or losses are to be subtracted.
    """
    check_choice(metric, normalise)
    baseline = np.asarray(single[metric], dtype=np.float64)
    scores = np.asarray(joint[metric], dtype=np.float64)
    per_seed, standard_errors = gains(baseline, scores, metric=metric, normalise=normalise)
    undefined = _undefined(tasks, baseline.mean(axis=0), metric, normalise)
    return RelevanceMatrix(
        per_seed.mean(axis=0),
        tuple(tasks),
        MEASURE,
        unit="points" if normalise == "absolute" else "ratio",
        standard_errors=standard_errors,
        seeds=tuple(seeds),
        per_seed=per_seed,
        single=dict(single),
        joint=dict(joint),
        majority=None if majority is None else dict(majority),
        cost=dict(cost),
        provenance={
            **provenance,
            "metric": metric,
            "normalise": normalise,
            "warnings": [*_mixtures(provenance), *undefined],
        },
    )


def renormalised(
    matrix: RelevanceMatrix, *, metric: str = "gain", normalise: str = "relative"
) -> RelevanceMatrix:
    """The same study with another choice of metric or normalisation; nothing is trained anew.

    Args:
        matrix: Joint-training gains with the scores behind them.
        metric: One of `METRICS`.
        normalise: One of `NORMALISATIONS`.

    Returns:
        A matrix with other values, of the same scores.

    Raises:
        RelevanceError: If the matrix holds no scores, the metric or normalisation is unknown, or
            losses are to be subtracted.
    """
    if matrix.single is None or matrix.joint is None:
        raise RelevanceError(
            f"This {matrix.measure} matrix holds no scores of single and joint training to compute"
            " gains from. The JSON that `relevance pairwise` writes does."
        )
    return gains_matrix(
        matrix.tasks,
        matrix.seeds,
        matrix.single,
        matrix.joint,
        matrix.majority,
        metric=metric,
        normalise=normalise,
        cost=matrix.cost,
        provenance=matrix.provenance,
    )


def check_choice(metric: str, normalise: str) -> None:
    """Refuse what no gains can be made of.

    Args:
        metric: One of `METRICS`.
        normalise: One of `NORMALISATIONS`.

    Raises:
        RelevanceError: If either is unknown, or losses are to be subtracted.
    """
    if metric not in METRICS:
        raise unknown_name("metric", metric, METRICS)
    if normalise not in NORMALISATIONS:
        raise unknown_name("normalisation", normalise, NORMALISATIONS)
    if metric == "loss" and normalise == "absolute":
        raise RelevanceError(
            "Losses of different tasks have different scales, so --metric loss goes with"
            " --normalise relative, not absolute."
        )


def _undefined(
    tasks: Sequence[str], baseline: Float[np.ndarray, " task"], metric: str, normalise: str
) -> list[str]:
    """One warning for every task whose column has no gain for want of a divisor."""
    if normalise == "absolute":
        return []
    left = 1 - baseline if normalise == "error" and metric != "loss" else baseline
    hint = "" if metric == "loss" else "; --normalise absolute is defined"
    return [
        f"{name}: the mean single-task {metric} is {mean:.4f}, which leaves its {normalise} gains"
        f" undefined{hint}."
        for name, mean, divisor in zip(tasks, baseline.tolist(), left.tolist(), strict=True)
        if divisor <= 0
    ]


def _mixtures(provenance: Mapping[str, Any]) -> list[str]:
    """A warning for each thing that should be one and the same for all runs, and is not."""
    return [
        f"The runs mix {kind}: {', '.join(values)}. Differences of {kind} may pass for gains."
        for kind in ("devices", "trainers")
        if len(values := provenance.get(kind, ())) > 1
    ]

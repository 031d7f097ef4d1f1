"""Joint-training gains and their noise: formulas from scores of single and joint training."""

import numpy as np
from jaxtyping import Float

from relevance.gains.baselines import Single, undefined
from relevance.gains.gain_choice import METRICS, PAPERS_CHOICE, GainChoice, Scores
from relevance.interfaces.trainer import Result
from relevance.tasks.metrics import gain_score
from relevance.tasks.task import Task

Joint = Float[np.ndarray, "seed source target"]
Cells = Float[np.ndarray, "source target"]


def scores(task: Task, result: Result) -> dict[str, float]:
    """Scores of a result under each of `METRICS`.

    Args:
        task: The definition.
        result: Result of the task in one training run.

    Returns:
        Mean of the gain metrics, primary metric, and held-out loss, in this order.
    """
    values = gain_score(task, result.metrics), result.metrics[task.primary], result.loss
    return dict(zip(METRICS, values, strict=True))


def gain(joint: Scores, baseline: Scores, choice: GainChoice) -> Scores:
    """Gains of joint scores over baselines, number by number.

    Args:
        joint: Scores of joint training, or losses.
        baseline: Scores of single-task training; broadcast against `joint`.
        choice: Metric and normalisation.

    Returns:
        Gains, NaN where undefined or unknown.

    Source:
        Fei et al. (2022), equations 3 and 4.
    """
    sign = -1 if choice.metric == "loss" else 1
    return np.asarray(sign * (joint - baseline) / choice.divisor(baseline))


def first_order(joint: Scores, baseline: Scores, choice: GainChoice) -> tuple[Scores, Scores]:
    """Gains to first order in the scores: d gain = (d joint - slope * d baseline) / divisor.

    Args:
        joint: Scores of joint training, or losses.
        baseline: Scores of single-task training; broadcast against `joint`.
        choice: Metric and normalisation.

    Returns:
        Slopes, and divisors; NaN where the gain is undefined. The sign is left out.
    """
    divided_by = choice.divisor(baseline)
    if choice.normalise == "absolute":
        return np.ones_like(joint), divided_by
    return np.asarray(choice.whole(joint) / divided_by), divided_by


def gains(
    single: Single,
    joint: Joint,
    choice: GainChoice = PAPERS_CHOICE,
    baseline_errors: Float[np.ndarray, " target"] | None = None,
) -> tuple[Joint, Cells | None]:
    """Gains of each target from joint training with each source, and their standard errors.

    The baseline of a column is the mean over all single runs of its task, since the luck of one
    run would stand in every cell. Standard errors hold the noise of both sides, to first order of
    the ratio; a joint run is paired with the single run of its seed, so what the two share cancels.
    Cells of one column share its baseline, so their errors are not independent. A baseline whose
    interval holds zero leaves its column undefined (`relevance.gains.baselines.undefined`).

    Args:
        single: Scores of single-task training, or losses; the seeds of joint runs come first.
        joint: Scores of the target when trained with the source; the diagonal is ignored.
        choice: Metric and normalisation.
        baseline_errors: Standard errors over examples of the baselines, for a single single seed.

    Returns:
        Gains of each seed, zeros on the diagonal, NaN where undefined or unknown; and standard
        errors of their mean over the seeds, None for a single seed.
    """
    per_seed, errors = compared(single, joint, choice, baseline_errors)
    own = np.eye(joint.shape[-1], dtype=bool)
    return np.where(own, 0.0, per_seed), None if errors is None else np.where(own, 0.0, errors)


def compared(
    single: Single,
    joint: Joint,
    choice: GainChoice = PAPERS_CHOICE,
    baseline_errors: Float[np.ndarray, " target"] | None = None,
) -> tuple[Joint, Cells | None]:
    """Gains as `gains` has them, from any joint training, not just that with one source.

    Args:
        single: Scores of single-task training, or losses; the seeds of joint runs come first.
        joint: Scores of the target in each kind of joint run, such as with each group of tasks.
        choice: Metric and normalisation.
        baseline_errors: Standard errors over examples of the baselines, for a single single seed.

    Returns:
        Gains of each seed, NaN where undefined or unknown; and standard errors of their mean over
        the seeds, None for a single seed.
    """
    without = undefined(single, choice, baseline_errors)
    baseline = np.where(without, np.nan, single.mean(axis=0))
    per_seed = gain(joint, baseline, choice)
    if len(joint) == 1:
        return per_seed, None
    slope, scale = first_order(joint.mean(axis=0), baseline, choice)
    return per_seed, _noise(single, joint, slope) / scale


def own_baseline_gains(single: Single, joint: Joint, choice: GainChoice = PAPERS_CHOICE) -> Joint:
    """Gains of each seed that share no run with those of another seed.

    With m times as many single seeds as joint ones each joint seed has m baselines to itself, its
    paired one among them; single seeds beyond a multiple are left out.

    Args:
        single: Scores of at least as many seeds as joint ones, the seeds of joint runs first.
        joint: Scores of the target when trained with the source; the diagonal is ignored.
        choice: Metric and normalisation.

    Returns:
        Gains, zeros on the diagonal, NaN where undefined or unknown.
    """
    seeds, tasks = joint.shape[:2]
    turns = len(single) // seeds
    baseline = single[: turns * seeds].reshape(turns, seeds, 1, tasks).mean(axis=0)
    found = gain(joint, baseline, choice)
    found[..., undefined(single, choice)] = np.nan
    return np.where(np.eye(tasks, dtype=bool), 0.0, found)


def _noise(single: Single, joint: Joint, slope: Cells) -> Cells:
    """Standard error of mean joint - slope * mean single, paired by seed as far as seeds pair."""
    seeds, single_seeds = len(joint), len(single)
    share = seeds / single_seeds
    # The baseline is a mean over m single runs, of which n share a seed with a joint run: n / m
    # of it goes along with the joint runs and cancels there; the rest is noise of its own.
    paired = joint - slope * share * single[:seeds, None, :]
    variance = paired.var(axis=0, ddof=1) / seeds
    if single_seeds > seeds:
        unpaired = single.var(axis=0, ddof=1) / (single_seeds - seeds)
        variance = variance + (slope * (1 - share)) ** 2 * unpaired
    return np.asarray(np.sqrt(variance))

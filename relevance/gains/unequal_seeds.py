"""Noise of gains whose cells have different numbers of seeds."""

import numpy as np

from relevance.gains.baselines import Single, undefined
from relevance.gains.formulas import Cells, Joint, first_order
from relevance.gains.gain_choice import PAPERS_CHOICE, GainChoice
from relevance.gains.reliability import known_mean


def errors_of_some(single: Single, joint: Joint, choice: GainChoice = PAPERS_CHOICE) -> Cells:
    """Standard errors as `relevance.gains.formulas.gains` has them, cell by cell.

    Args:
        single: Scores of single-task training, or losses; the seeds of joint runs come first.
        joint: Scores of the target when trained with the source, NaN where there is no run.
        choice: Metric and normalisation.

    Returns:
        Errors of the mean over the seeds that a cell has; NaN for fewer than two, and where the
        gain is undefined; 0 on the diagonal.
    """
    known, single_seeds = np.isfinite(joint), len(single)
    count = known.sum(axis=0)
    baseline = np.where(undefined(single, choice), np.nan, single.mean(axis=0))
    slope, scale = first_order(known_mean(joint, 0), baseline, choice)
    share = count / single_seeds
    paired = joint - slope * share * single[: len(joint), None, :]
    off = np.where(known, paired - known_mean(paired, 0), 0.0)
    several = np.where(count > 1, count, np.nan)
    variance = (off**2).sum(axis=0) / (several - 1) / several
    if single_seeds > len(joint):
        alone = single.var(axis=0, ddof=1) / (single_seeds - count)
        variance = variance + (slope * (1 - share)) ** 2 * alone
    own = np.eye(joint.shape[-1], dtype=bool)
    return np.where(own, 0.0, np.sqrt(variance) / scale)

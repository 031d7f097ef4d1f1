"""Whether two runs differ by more than chance: paired tests over seeds and over rows of a table."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

LEVEL = 0.05
DIGITS = 12  # equal differences of scores differ by rounding beyond these


class Paired(NamedTuple):
    """A run's values against a baseline's, in pairs.

    Attributes:
        test: `t` for Student's paired t-test, `wilcoxon` for the signed-rank test.
        pairs: Number of pairs.
        difference: Mean of the run's values less the baseline's.
        better: Number of pairs in which the run's value is higher.
        worse: Number of pairs in which it is lower.
        p: Two-sided, in [0, 1]; None where the test is not defined, as for differences that are
            all zero.
    """

    test: Literal["t", "wilcoxon"]
    pairs: int
    difference: float
    better: int
    worse: int
    p: float | None

    @property
    def significant(self) -> bool:
        """Whether p is below 0.05."""
        return self.p is not None and self.p < LEVEL


def over_seeds(values: Sequence[float], baseline: Sequence[float]) -> Paired | None:
    """Student's paired t-test, each pair being two runs of one seed.

    Args:
        values: One per seed.
        baseline: Scores of the baseline for the same seeds in the same order.

    Returns:
        The test; None for fewer than two seeds. Differences that are all the same have no p, since
        their deviation is zero.

    >>> over_seeds([0.5, 0.7], [0.4, 0.4]).p is not None, over_seeds([0.5], [0.4])
    (True, None)
    """
    if len(values) < 2:
        return None
    differences = _differences(values, baseline)
    p = None
    if np.ptp(differences) > 0:
        from scipy.stats import ttest_1samp

        p = float(ttest_1samp(differences, 0.0).pvalue)
    return _paired("t", differences, p)


def over_rows(values: Sequence[float], baseline: Sequence[float]) -> Paired:
    """Wilcoxon's signed-rank test, each pair being two runs on one row of the table.

    Scores of different tasks are not commensurable, which a t-test over them would take them to be;
    ranks of differences ask less. Rows without a difference are left out of the test.

    Args:
        values: One per row, one at least.
        baseline: Values of the baseline for the same rows in the same order.

    Returns:
        The test; its smallest p is 2 ** (1 - rows), so fewer than six rows never come below 0.05.

    Source:
        Demšar (2006), "Statistical Comparisons of Classifiers over Multiple Data Sets", 3.1.3.
    """
    differences = _differences(values, baseline)
    p = None
    if differences.any():
        p = _signed_rank_p(differences[differences != 0])
    return _paired("wilcoxon", differences, p)


def _signed_rank_p(differences: Float[np.ndarray, " row"]) -> float:
    """The exact p of signed ranks, all signs being as likely; equal sizes share their mean rank.

    scipy's is the normal approximation where more than 13 rows have a tie or a zero among them.
    """
    from scipy.stats import rankdata

    doubled = np.rint(2 * rankdata(np.abs(differences))).astype(int)  # mean ranks end in .5
    share = np.zeros(doubled.sum() + 1)  # of the signs, by the sum of ranks that are positive
    share[0] = 1
    for rank in doubled.tolist():
        share[rank:] += share[:-rank].copy()
        share /= 2
    seen = doubled[differences > 0].sum()
    return float(min(1.0, 2 * min(share[: seen + 1].sum(), share[seen:].sum())))


def _differences(values: Sequence[float], baseline: Sequence[float]) -> np.ndarray:
    return np.round(np.subtract(values, baseline), DIGITS)


def _paired(test: Literal["t", "wilcoxon"], differences: np.ndarray, p: float | None) -> Paired:
    return Paired(
        test,
        pairs=len(differences),
        difference=float(differences.mean()),
        better=int((differences > 0).sum()),
        worse=int((differences < 0).sum()),
        p=None if p is None or math.isnan(p) else p,
    )

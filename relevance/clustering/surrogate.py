"""Gains of every group there is, learned from pairs and from some groups that were trained."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    from relevance.clustering.measured_groups import MeasuredGroup

ALIKE = np.arange(1, 10) / 10
"""What is tried for how alike two groups are that differ by one task."""
NOISE = 0.1
"""Variance of a measured gain's noise, as a share of that of the deviations."""
AT_ONCE = 4096  # groups whose gains are worked out together

Gains = Float[np.ndarray, "task group"]
Groups = Int[np.ndarray, " measured"]
Deviations = Float[np.ndarray, " measured"]


def surrogate_gains(
    pairwise: Gains, measured: Sequence["MeasuredGroup"], tasks: Sequence[str]
) -> tuple[Gains, float]:
    """Gains of all groups: what pairs lead to expect, corrected by groups that were trained.

    Of a target t, let m(S) be the mean of what each other member of a group S gives t in a pair.
    Its gain in S is modelled as g(S) = m(S) + d(S) + noise. The deviations d are draws from a
    Gaussian process in which two groups are the more alike the fewer tasks they differ by:
    cov(d(S), d(S')) = v_t a^|S xor S'|. The noise has the variance 0.1 v_t. Alone and in pairs the
    deviation is 0 as measured; each trained group tells one more. So the expected gain is
    m(S) + k(S)' (K + 0.1 I)^-1 r, with r the deviations measured, K their correlations a^|S xor S'|
    and k(S) those of S with them: groups far from any that was trained are left at m(S). The
    variance v_t plays no part in it, and a is that of 0.1 to 0.9 under which all that was measured
    is likeliest, v_t at its best.

    Args:
        pairwise: m of every task in every group, from `group_gains`; the bits of a group's number
            say who is in it.
        measured: Groups that were trained. Those with a task that is not there are left out.
        tasks: Names in the order of the bits.

    Returns:
        Expected gains, 0 in groups that do not hold the task; and a, 0 where nothing was measured.

    Source:
        The idea of a surrogate of group gains learned from sampled groups: Li, Nguyen and Zhang
        (2023), Identification of negative transfers in multitask learning using surrogate models.
        Rasmussen and Williams (2006), Gaussian processes for machine learning, equations 2.25 and
        2.30; a kernel of the Hamming distance as in equation 6.3 of Kondor and Lafferty (2002),
        Diffusion kernels on graphs.
    """
    number = {task: place for place, task in enumerate(tasks)}
    known = [group for group in measured if group.tasks <= number.keys()]
    codes = [sum(1 << number[task] for task in group.tasks) for group in known]
    told: list[tuple[int, Groups, Deviations]] = []
    for task, name in enumerate(tasks):
        own = {
            code: group.gains[name]
            for code, group in zip(codes, known, strict=True)
            if name in group.gains
        }
        if own:
            told.append((task, *_deviations(pairwise, task, own)))
    if not told:
        return pairwise, 0.0
    likelihoods = [sum(_fit(where, r, alike)[1] for _, where, r in told) for alike in ALIKE]
    alike = float(ALIKE[int(np.argmax(likelihoods))])
    gains = pairwise.copy()
    for task, where, deviations in told:
        weights, _ = _fit(where, deviations, alike)
        holding = np.flatnonzero(np.arange(gains.shape[1]) >> task & 1)
        holding = holding[np.bitwise_count(holding) > 1]  # alone is alone
        for some in np.array_split(holding, max(1, len(holding) // AT_ONCE)):
            gains[task, some] += _likeness(some, where, alike) @ weights
    return gains, alike


def _deviations(pairwise: Gains, task: int, own: dict[int, float]) -> tuple[Groups, Deviations]:
    """Groups whose gain a task was measured in, and by how much each differs from what pairs say.

    Pairs that were trained as groups stand with what they gave then.
    """
    count = len(pairwise)
    pairs = [1 << task | 1 << other for other in range(count)]  # alone, where both are the same
    expected = {code: float(pairwise[task, code]) for code in pairs}
    where = np.array(list(expected | own))
    found = np.array(list((expected | own).values()))
    return where, found - pairwise[task, where]


def _likeness(
    some: Int[np.ndarray, " some"], others: Groups, alike: float
) -> Float[np.ndarray, "some measured"]:
    return np.asarray(alike ** np.bitwise_count(some[:, None] ^ others).astype(float))


def _fit(where: Groups, deviations: Deviations, alike: float) -> tuple[Deviations, float]:
    """Weights of the measured deviations, and their log-likelihood at the best variance."""
    from scipy.linalg import cho_factor, cho_solve

    together = _likeness(where, where, alike) + NOISE * np.eye(len(where))
    factor = cho_factor(together, lower=True)
    weights = cho_solve(factor, deviations)
    variance = float(deviations @ weights) / len(where)
    if variance <= 0:  # pairs say exactly what was measured, which no scale of deviations explains
        return weights, 0.0
    logs = np.log(np.diagonal(factor[0])).sum()
    return np.asarray(weights), float(-logs - len(where) / 2 * np.log(variance))

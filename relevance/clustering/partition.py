"""The best way to split tasks into groups, when the worth of every possible group is known.

A group is a number whose bit t says whether task t is in it, and `worth[group]` what it is worth;
a partition is worth the sum of its groups. 13 tasks have 8,192 groups and 27,644,437 partitions.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

WorthOfGroups = Float[np.ndarray, " group"]
TOLERANCE = 1e-9  # of worth, as a share of the largest there is
# Of worth too; what each group costs, so that fewer of them win where more are worth the same.
PER_GROUP = 1e-7
EXHAUSTIVE_TASKS = 8
CUTS = 50


def best_partition(worth: WorthOfGroups, budget: int) -> tuple[int, ...]:
    """The partition that is worth most, by looking at all, or beyond 8 tasks at all not ruled out.

    Args:
        worth: Worth of every group of T tasks, the empty one included; there are 2^T.
        budget: Number of groups at most.

    Returns:
        Groups of the partition, that of the lowest task first. Among partitions that are worth the
        same to within a ten millionth of the most valuable group, one with the fewest groups wins.
    """
    scaled = worth / (np.abs(worth).max() or 1.0)
    scaled[1:] -= PER_GROUP
    few = len(worth) <= 1 << EXHAUSTIVE_TASKS
    return (exhaustive if few else branch_and_bound)(scaled, budget)


def subset_sums(values: Sequence[float] | Float[np.ndarray, " task"]) -> WorthOfGroups:
    """The sum of one value per task over every group.

    >>> subset_sums([1.0, 10.0]).tolist()
    [0.0, 1.0, 10.0, 11.0]
    """
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums, sums + value])
    return sums


def members(group: int) -> list[int]:
    """The tasks of a group.

    >>> members(0b1101)
    [0, 2, 3]
    """
    return [task for task in range(group.bit_length()) if group >> task & 1]


def partitions(tasks: int, budget: int) -> Iterator[tuple[int, ...]]:
    """Every way to split tasks into groups.

    Args:
        tasks: The group of all tasks to split.
        budget: Number of groups at most.

    Yields:
        Groups of a partition, that of the lowest task first.

    >>> [[members(group) for group in groups] for groups in partitions(0b111, 2)]
    [[[0, 1, 2]], [[0, 2], [1]], [[0, 1], [2]], [[0], [1, 2]]]
    """
    if not tasks:
        yield ()
    elif budget == 1:
        yield (tasks,)
    elif budget:
        lowest = tasks & -tasks
        others = company = tasks ^ lowest
        while True:
            for rest in partitions(others ^ company, budget - 1):
                yield (lowest | company, *rest)
            if not company:
                return
            # Counting down within the bits of `others` goes through all subsets of them.
            company = (company - 1) & others


def exhaustive(worth: WorthOfGroups, budget: int) -> tuple[int, ...]:
    """The best partition, by looking at all of them.

    Args:
        worth: Worth of every group of T tasks, the empty one included; there are 2^T.
        budget: Number of groups at most.

    Returns:
        Groups of the first partition found of several equally good ones.
    """
    return max(
        partitions(len(worth) - 1, budget), key=lambda groups: sum(worth[list(groups)].tolist())
    )


def branch_and_bound(worth: WorthOfGroups, budget: int) -> tuple[int, ...]:
    """The best partition, without looking at those that a bound rules out.

    Let every task have a price, and every group one more, such that no group is worth more than it
    costs: its tasks' prices and the group's. Then no partition of T tasks into at most `budget`
    groups is worth more than all tasks' prices and `budget` times a group's. By that bound, a
    partition loses what its groups cost more than they are worth, and the price of each group that
    it leaves unused. The search goes through all partitions that lose little, a little more in
    every round, so the first one found, or a better one of its round, is the best of all.

    Args:
        worth: Worth of every group of T tasks, the empty one included; there are 2^T. None is far
            from [-1, 1], where the accuracy of a billionth lies.
        budget: Number of groups at most.

    Returns:
        Groups of the partition, that of the lowest task first.

    Source:
        Weak duality of the linear program of set partitioning; the prices are its dual solution.
    """
    if budget == 1:
        return (len(worth) - 1,)
    price, group_price = prices(worth, budget)
    loss = subset_sums(price) + group_price - worth
    allowed = TOLERANCE
    while True:
        found = _least_loss(loss, group_price, budget, allowed)
        if found is not None:
            return found
        # A bound that is too wide lets nearly all partitions in, and narrow rounds are quick.
        allowed *= 4


def prices(worth: WorthOfGroups, budget: int) -> tuple[Float[np.ndarray, " task"], float]:
    """The least prices at which no group is worth more than it costs.

    Args:
        worth: Worth of every group of T tasks, the empty one included.
        budget: Number of groups of a partition at most.

    Returns:
        One price per task, of any sign, and one of 0 or more for a group, such that the tasks'
        prices and `budget` times a group's come to the least, within the solver's accuracy; that
        no group is worth more than it costs holds whatever the solver did.
    """
    from scipy.optimize import linprog

    count = (len(worth) - 1).bit_length()
    cuts = np.append(1 << np.arange(count), len(worth) - 1)  # groups that the prices must cover
    # Of the 2^T constraints few bind, so those that are broken most are added until none is.
    while True:
        inside = (cuts[:, None] >> np.arange(count) & 1).astype(float)
        solved = linprog(
            np.append(np.ones(count), budget),
            A_ub=-np.column_stack([inside, np.ones(len(cuts))]),
            b_ub=-worth[cuts],
            bounds=[(None, None)] * count + [(0, None)],
        )
        price, group_price = np.asarray(solved.x)[:count], float(np.asarray(solved.x)[count])
        excess = (worth - subset_sums(price) - group_price)[1:]
        worst = 1 + np.argsort(-excess, kind="stable")[:CUTS]
        new = np.setdiff1d(worst[excess[worst - 1] > TOLERANCE], cuts)
        if not len(new):
            return price, group_price + max(0.0, float(excess.max()))
        cuts = np.append(cuts, new)


def _least_loss(
    loss: WorthOfGroups, group_price: float, budget: int, allowed: float
) -> tuple[int, ...] | None:
    """The partition that loses least, if it loses no more than is allowed."""
    by_lowest = _candidates(loss, allowed)
    least, best = allowed + TOLERANCE, None
    reached: dict[tuple[int, int], float] = {}  # the least loss that left these tasks and groups

    def search(left: int, unused: int, lost: float, groups: tuple[int, ...]) -> None:
        nonlocal least, best
        if not left:
            total = lost + unused * group_price
            if total < least:
                least, best = total - TOLERANCE, groups
            return
        # What is left to split is the same whichever groups came before: the cheaper way here wins.
        if lost >= reached.get((left, unused), np.inf) or not unused:
            return
        reached[left, unused] = lost
        fitting = by_lowest.get(left & -left, np.zeros(0, dtype=int))
        for group in fitting[(fitting & ~left) == 0].tolist():
            total = lost + float(loss[group])
            if total >= least:
                return
            search(left ^ group, unused - 1, total, (*groups, group))

    search(len(loss) - 1, budget, 0.0, ())
    return best


def _candidates(loss: WorthOfGroups, allowed: float) -> dict[int, Int[np.ndarray, " _"]]:
    """Groups that lose no more than allowed, by their lowest task; least loss first, then size."""
    found = 1 + np.flatnonzero(loss[1:] <= allowed)
    found = found[np.lexsort((-np.bitwise_count(found).astype(int), loss[found]))]
    lowest = found & -found
    return {bit: found[lowest == bit] for bit in np.unique(lowest).tolist()}

"""Groups of many tasks, judged by what their pairs gain: a search from several starts.

All partitions of up to 16 tasks can be looked at or ruled out (`relevance.clustering.partition`);
of more of them only some are looked at, and `relevance.clustering.group_bound` says how much more
the others can be worth.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, Int

from relevance.clustering.partition import PER_GROUP

Values = Float[np.ndarray, "source target"]
Labels = Int[np.ndarray, " task"]

IMPROVES = 1e-9  # of the largest gain of a pair; less is rounding
KICKED = 0.1  # share of the tasks that are moved at random before the next descent
FEW_TASKS = 100  # of more of them, exchanges are looked at only at the very end


class Grouping:
    """A partition of tasks that knows what each change of it would add.

    A group is worth the sum over its tasks of the mean of what each other member gives them, which
    is the sum of all gains between its members divided by one less than their number.

    Args:
        values: Gains of pairs; the diagonal is ignored.
        labels: Number of each task's group, below `most`.
        most: Number of groups at most.
    """

    def __init__(self, values: Values, labels: Labels, most: int) -> None:
        self.pairs = values + values.T
        np.fill_diagonal(self.pairs, 0.0)
        largest = float(np.abs(self.pairs).max(initial=0.0)) or 1.0
        # Each group costs a little, so that fewer of them win where more are worth the same.
        self.cost, self.least = PER_GROUP * largest, IMPROVES * largest
        self.labels, self.most = labels.copy(), most
        self._count_up()

    def _count_up(self) -> None:
        inside = (self.labels[:, None] == np.arange(self.most)).astype(float)
        self.ties = self.pairs @ inside  # [task, group]: gains between a task and a group
        self.total = (inside * self.ties).sum(axis=0) / 2
        self.size = inside.sum(axis=0)

    @property
    def worth(self) -> float:
        """Summed gains of all tasks, less the small cost of each group."""
        return float(np.sum(self._worth(self.total, self.size)))

    def _worth(
        self, total: Float[np.ndarray, "..."], size: Float[np.ndarray, "..."]
    ) -> Float[np.ndarray, "..."]:
        return np.asarray(total / np.maximum(size - 1, 1) - self.cost * (size > 0))

    def open(self) -> Int[np.ndarray, " group"]:
        """Groups that a task may go to: those that have tasks, and one that has none."""
        empty = np.flatnonzero(self.size == 0)[:1]
        return np.union1d(np.flatnonzero(self.size), empty)

    def _leaving(self) -> Float[np.ndarray, " task"]:
        """What each task's group gains when the task leaves it for nowhere."""
        total, size = self.total[self.labels], self.size[self.labels]
        own = self.ties[np.arange(len(self.labels)), self.labels]
        return np.asarray(self._worth(total - own, size - 1) - self._worth(total, size))

    def move(self) -> bool:
        """Move the one task to the one group where it adds most; False where nothing adds."""
        groups = self.open()
        total, size = self.total[groups], self.size[groups]
        joining = self._worth(total + self.ties[:, groups], size + 1) - self._worth(total, size)
        added = joining + self._leaving()[:, None]
        added[groups == self.labels[:, None]] = 0.0
        task, place = divmod(int(added.argmax()), len(groups))
        if added[task, place] <= self.least:
            return False
        self.put(task, int(groups[place]))
        return True

    def put(self, task: int, group: int) -> None:
        """Move a task to a group."""
        old = self.labels[task]
        self.total[old] -= self.ties[task, old]
        self.total[group] += self.ties[task, group]
        self.ties[:, old] -= self.pairs[task]
        self.ties[:, group] += self.pairs[task]
        self.size[old] -= 1
        self.size[group] += 1
        self.labels[task] = group
        if self.size[old] < 2:  # exactly, whatever rounding left
            self.total[old] = 0.0

    def exchange(self) -> bool:
        """Exchange the two tasks of different groups where that adds most."""
        share = 1 / np.maximum(self.size - 1, 1)[self.labels]
        to = self.ties[:, self.labels]  # [task, other]: to the group of the other
        own = np.diagonal(to)
        one_side = share[:, None] * (to.T - own[:, None] - self.pairs)
        added = one_side + one_side.T
        added[self.labels[:, None] == self.labels] = 0.0
        first, second = divmod(int(added.argmax()), len(added))
        if added[first, second] <= self.least:
            return False
        groups = int(self.labels[first]), int(self.labels[second])
        self.put(first, groups[1])
        self.put(second, groups[0])
        return True

    def merge(self) -> bool:
        """Make one of the two groups where that adds most."""
        there = np.flatnonzero(self.size)
        if len(there) < 2:
            return False
        inside = (self.labels[:, None] == there).astype(float)
        between = inside.T @ self.ties[:, there]
        total, size = self.total[there], self.size[there]
        worth = self._worth(total, size)
        merged = self._worth(total[:, None] + total + between, size[:, None] + size)
        added = merged - worth[:, None] - worth
        np.fill_diagonal(added, 0.0)
        first, second = divmod(int(added.argmax()), len(there))
        if added[first, second] <= self.least:
            return False
        self.labels[self.labels == there[second]] = there[first]
        self._count_up()
        return True

    def found(self) -> bool:
        """Make a new group of the two tasks where that adds most."""
        empty = np.flatnonzero(self.size == 0)
        if not len(empty):
            return False
        leaving = self._leaving()
        apart = leaving[:, None] + leaving
        total, size = self.total[self.labels], self.size[self.labels]
        own = self.ties[np.arange(len(self.labels)), self.labels]
        rest = (total - own)[:, None] - own + self.pairs
        together = self._worth(rest, size[:, None] - 2) - self._worth(total, size)[:, None]
        same = self.labels[:, None] == self.labels
        added = np.where(same, together, apart) + self.pairs - self.cost
        np.fill_diagonal(added, 0.0)
        first, second = divmod(int(added.argmax()), len(added))
        if added[first, second] <= self.least:
            return False
        self.put(first, int(empty[0]))
        self.put(second, int(empty[0]))
        return True

    def descend(self, *, thorough: bool = True) -> None:
        """Take the best change of a kind until no kind adds anything."""
        changes: list[Callable[[], bool]] = [self.move, self.merge]
        changes += [self.exchange, self.found] if thorough else []
        while any(change() for change in changes):
            pass
        self._count_up()  # sums that were kept up to date have gathered rounding


def search(values: Values, budget: int, *, starts: int, seed: int = 0) -> Labels:
    """The best partition found from several starts.

    One start merges groups from single tasks on, one begins with everything in one group, the
    others at random; from each the best change is made, of one task's group, of two tasks'
    exchange, of two groups' union or of a new pair, until nothing adds. Then as often as there were
    starts a tenth of the best partition's tasks, or two of its groups, are dealt anew.

    Args:
        values: Gains of pairs; the diagonal is ignored.
        budget: Number of groups at most.
        starts: Number of starts, 1 or more.
        seed: Seed of whatever is random.

    Returns:
        Labels of the groups; the first found of several that are worth the same.

    Source:
        Lourenco, Martin and Stuetzle (2003), Iterated local search.
    """
    random = np.random.default_rng(seed)
    count = len(values)
    quick = count > FEW_TASKS
    best = Grouping(values, merged(values, budget), budget)
    best.descend(thorough=not quick)
    for labels in _starts(len(values), budget, starts - 1, random):
        grouping = Grouping(values, labels, budget)
        grouping.descend(thorough=not quick)
        if grouping.worth > best.worth + best.least:
            best = grouping
    for turn in range(starts):
        grouping = Grouping(values, _kicked(best, turn, random), budget)
        grouping.descend(thorough=not quick)
        if grouping.worth > best.worth + best.least:
            best = grouping
    best.descend()
    return best.labels


def _starts(count: int, budget: int, number: int, random: np.random.Generator) -> Iterator[Labels]:
    """Everything in one group, then tasks dealt at random to fewer and fewer groups."""
    if number > 0:
        yield np.zeros(count, dtype=int)
    for turn in range(1, number):
        yield random.integers(min(budget, max(2, budget // turn)), size=count)


def _kicked(best: Grouping, turn: int, random: np.random.Generator) -> Labels:
    """Labels with a tenth of the tasks, or every second time two groups, dealt anew."""
    labels, groups = best.labels.copy(), best.open()
    if turn % 2 and len(groups) > 1:
        two = random.choice(groups, 2, replace=False)
        dealt = np.flatnonzero(np.isin(labels, two))
        labels[dealt] = random.choice(two, len(dealt))
        return labels
    number = max(2, round(KICKED * len(labels)))
    dealt = random.choice(len(labels), min(number, len(labels)), replace=False)
    labels[dealt] = random.choice(groups, len(dealt))
    return labels


def merged(values: Values, budget: int) -> Labels:
    """Groups made from single tasks, merging the two that add most as long as that adds anything.

    Args:
        values: Gains of pairs; the diagonal is ignored.
        budget: Number of groups at most; groups are merged down to it at whatever cost.

    Returns:
        Labels from 0, below the budget.
    """
    count = len(values)
    between = values + values.T
    np.fill_diagonal(between, 0.0)
    total, size, labels = np.zeros(count), np.ones(count), np.arange(count)
    there = np.ones(count, dtype=bool)
    for left in range(count, 1, -1):
        places = np.flatnonzero(there)
        worth = total[places] / np.maximum(size[places] - 1, 1)
        whole = total[places, None] + total[places] + between[np.ix_(places, places)]
        added = whole / (size[places, None] + size[places] - 1) - worth[:, None] - worth
        np.fill_diagonal(added, -np.inf)
        one, other = divmod(int(added.argmax()), left)
        if added[one, other] <= 0 and left <= budget:
            break
        first, second = sorted((int(places[one]), int(places[other])))
        total[first] += total[second] + between[first, second]
        size[first] += size[second]
        between[first] += between[second]
        between[:, first] += between[:, second]
        between[first, first] = 0.0
        there[second] = False
        labels[labels == second] = first
    return np.unique(labels, return_inverse=True)[1]

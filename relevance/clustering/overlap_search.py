"""Overlapping groups of many tasks: a search that adds tasks to groups and takes them out."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from relevance.clustering.group_search import IMPROVES
from relevance.clustering.partition import PER_GROUP

Values = Float[np.ndarray, "source target"]
Members = Bool[np.ndarray, "group task"]


@dataclass(frozen=True)
class Selection:
    """Groups to train, and the one that serves each task.

    Attributes:
        groups: Tasks that each group trains.
        serving: The group whose model each task takes.
        gains: What each task gets there: the mean of what each other member gives it.
    """

    groups: Members
    serving: Int[np.ndarray, " task"]
    gains: Float[np.ndarray, " task"]


def served(values: Values, groups: Members) -> Selection:
    """The group that serves each task best; groups that serve none are left out.

    Args:
        values: Gains of pairs; the diagonal is ignored.
        groups: Members of every group; each task is in one at least.

    Returns:
        The selection.
    """
    given = _offers(values, groups)
    serving = given.argmax(axis=0)
    used, renumbered = np.unique(serving, return_inverse=True)
    return Selection(groups[used], renumbered, given.max(axis=0))


def overlapping(values: Values, start: Members, budget: int) -> Selection:
    """Change groups one task at a time as long as that adds to what the best of them gives.

    Args:
        values: Gains of pairs; the diagonal is ignored.
        start: Members of the groups to begin with; each task is in one at least.
        budget: Number of groups at most.

    Returns:
        The selection, worth no less than the groups to begin with.
    """
    values = values.copy()
    np.fill_diagonal(values, 0.0)
    largest = float(np.abs(values).max(initial=0.0))
    groups = start.copy()
    while True:
        changed = [
            _changed(values, groups, place, IMPROVES * largest) for place in range(len(groups))
        ]
        groups = served(values, groups).groups
        pair = _new_pair(values, groups, PER_GROUP * largest) if len(groups) < budget else None
        if pair is not None:
            groups = np.vstack([groups, pair])
        elif not any(changed):
            return served(values, groups)


def _offers(values: Values, groups: Members) -> Float[np.ndarray, "group task"]:
    """What every group gives every task that is in it, -inf to the others."""
    gains = values - np.diag(np.diagonal(values))
    partners = np.maximum(groups.sum(axis=1, keepdims=True) - 1, 1)
    return np.where(groups, groups @ gains / partners, -np.inf)


def _changed(values: Values, groups: Members, place: int, least: float) -> bool:
    """Put tasks into one group, or take them out, as long as that adds; whether any was."""
    others = np.delete(_offers(values, groups), place, axis=0)
    elsewhere = others.max(axis=0, initial=-np.inf)
    own = np.eye(len(values), dtype=bool)
    changed = False
    while True:
        inside = groups[place]
        given, size = values[inside].sum(axis=0), int(inside.sum())
        now = float(
            np.maximum(np.where(inside, given / max(size - 1, 1), -np.inf), elsewhere).sum()
        )
        sign = np.where(inside, -1, 1)[:, None]
        offered = (given + sign * values) / np.maximum(size + sign - 1, 1)
        total = np.maximum(np.where(inside ^ own, offered, -np.inf), elsewhere).sum(axis=1)
        best = int(total.argmax())
        if total[best] <= now + least:
            return changed
        inside[best] ^= True
        changed = True


def _new_pair(values: Values, groups: Members, least: float) -> Bool[np.ndarray, "1 task"] | None:
    """The pair that gives its two tasks most beyond what they have, None where none adds."""
    have = served(values, groups).gains
    more = np.maximum(values - have, 0.0)  # [source, target]
    both = more + more.T
    np.fill_diagonal(both, 0.0)
    first, second = divmod(int(both.argmax()), len(both))
    if both[first, second] <= least:
        return None
    pair = np.zeros((1, len(values)), dtype=bool)
    pair[0, [first, second]] = True
    return pair

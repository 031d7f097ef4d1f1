"""Group selection: the groups whose members are predicted to gain most from each other."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from relevance.clustering.features import check_range, clusters_of, features, silhouette
from relevance.clustering.group_bound import upper_bound
from relevance.clustering.group_search import search
from relevance.clustering.measured_groups import MeasuredGroup
from relevance.clustering.methods.method import ClusteringMethod
from relevance.clustering.overlap_search import Selection, overlapping, served
from relevance.clustering.partition import WorthOfGroups, best_partition, members, subset_sums
from relevance.clustering.spec import ClusterSpec
from relevance.clustering.surrogate import surrogate_gains
from relevance.errors import RelevanceError
from relevance.marks import is_gains
from relevance.matrices.matrix import RelevanceMatrix

PROVEN_TASKS = {False: 16, True: 14}  # with overlap 3^T sums are made, else 2^T
PREDICTS = (
    "predicted for a task: the mean of what each other member of its group gives it in a pair; 0"
    " alone"
)
PROVEN = 1e-6  # of the bound; a smaller gap is rounding


@dataclass(frozen=True)
class PredictedGain(ClusteringMethod):
    """The best groups there are, judged by pairwise gains; k is a budget.

    A task is predicted to gain from its group the mean of what each other member gives it, and 0 if
    it is alone. The groups found have the largest mean of this over tasks among all groupings with
    at most k groups: all are looked at for up to 8 tasks, and a bound rules out the others up to
    16. Groups of more tasks are searched for, and a bound says how much more others could have.

    With groups that were trained, what a task gains is learned from these and from all pairs, see
    `relevance.clustering.surrogate`.

    Attributes:
        overlap: Whether a group may be trained with further tasks that are served by another one:
            then at most k groups are chosen, and every task is served by the best that holds it.
        starts: Number of starts of the search.
        bounded: Whether the bound of a search is worked out.
        subsets: Groups that were trained, and what their tasks gained.
    """

    overlap: bool = False
    starts: int = 8
    bounded: bool = True
    subsets: tuple[MeasuredGroup, ...] = ()

    def cluster(self, matrix: RelevanceMatrix, k: int, *, seed: int = 0) -> ClusterSpec:
        """Choose the groups that are predicted to gain most.

        Args:
            matrix: A matrix without unknown values, 0 meaning no better than alone; the diagonal
                plays no part.
            k: Number of groups at most.
            seed: Seed of the search among more than 16 tasks, or 14 with overlap; up to these
                nothing is random.

        Returns:
            The groups, fewer than k where more would gain nothing. With overlap, each task stands
            in the group that serves it, and `provenance["trained"]` lists the groups to train, in
            the order of the clusters. `provenance["bound"]` is what no other choice has more than;
            the predicted gain itself where the groups are proven to be the best.

        Raises:
            RelevanceError: If a value is unknown or k is out of range, or more tasks than all
                groups can be looked at of come with groups that were trained.

        Source:
            Standley et al. (2020) and Fifty et al. (2021), network selection from pairwise values.
        """
        rows = features(matrix)
        check_range(len(rows), k)
        searched = len(rows) > PROVEN_TASKS[self.overlap]
        if searched and self.subsets:
            raise RelevanceError(
                f"`subsets` tell what every group gains, which goes up to"
                f" {PROVEN_TASKS[self.overlap]} tasks; the matrix has {len(rows)}. Take fewer"
                " tasks, or leave `subsets` out."
            )
        predicts = PREDICTS
        if searched:
            found = self._searched(rows, k, seed)
        else:
            gains, predicts = self._gains(matrix)
            found = self._proven(gains, k)
        bound: float | None = float(found.gains.mean())
        if searched and k > 1:
            bound = self._bound(rows, k, float(found.gains.sum())) if self.bounded else None
        return ClusterSpec(
            clusters=clusters_of(matrix.tasks, found.serving),
            method="predicted-gain",
            k=len(found.groups),
            seed=seed if searched else None,
            silhouette=silhouette(rows, found.serving),
            provenance=self._provenance(matrix, found, k, bound, predicts),
        )

    def quick(self) -> "PredictedGain":
        """A copy whose search has one start, and no bound."""
        return replace(self, starts=1, bounded=False)

    def _gains(self, matrix: RelevanceMatrix) -> tuple[Float[np.ndarray, "task group"], str]:
        """Predicted gain of every task in every group, and how it is predicted."""
        gains = group_gains(matrix.values)
        if not self.subsets:
            return gains, PREDICTS
        gains, alike = surrogate_gains(gains, self.subsets, matrix.tasks)
        return gains, (
            f"predicted for a task: what all pairs and {len(self.subsets)} trained group(s) lead to"
            f" expect of its group (likeness of groups that differ by one task: {alike:.1f}); 0"
            " alone"
        )

    def _proven(self, gains: Float[np.ndarray, "task group"], k: int) -> Selection:
        worth = served_worth(gains) if self.overlap else gains.sum(axis=0)
        chosen = best_partition(worth, k)
        trained = [serving_group(gains, group) if self.overlap else group for group in chosen]
        serving = np.zeros(len(gains), dtype=int)
        for number, group in enumerate(chosen):
            serving[members(group)] = number
        tasks = np.arange(len(gains))
        groups = (np.array(trained)[:, None] >> tasks & 1).astype(bool)
        return Selection(groups, serving, gains[tasks, np.array(trained)[serving]])

    def _searched(self, rows: Float[np.ndarray, "source target"], k: int, seed: int) -> Selection:
        labels = search(rows, k, starts=self.starts, seed=seed)
        groups = np.unique(labels)[:, None] == labels
        return overlapping(rows, groups, k) if self.overlap else served(rows, groups)

    def _bound(self, rows: Float[np.ndarray, "source target"], k: int, reached: float) -> float:
        return upper_bound(rows, k, reached, overlap=self.overlap) / len(rows)

    def _provenance(
        self,
        matrix: RelevanceMatrix,
        found: Selection,
        budget: int,
        bound: float | None,
        predicts: str,
    ) -> dict[str, Any]:
        gain = float(found.gains.mean())
        what = "predicted gain" if is_gains(matrix) else f"{matrix.measure} in groups (no gain)"
        unit = "points" if matrix.unit == "points" else matrix.shown_in
        kind = "choice of overlapping groups" if self.overlap else "grouping"
        best = f"{what}: {100 * gain:.2f} {unit}, mean over tasks"
        if bound is not None:
            best += f"; no {kind} with at most {budget} has more"
            if bound - gain > PROVEN * abs(bound):
                gap = 100 * (bound - gain)
                best += f" than {100 * bound:.2f} (gap {gap:.2f}; the best of a search)"
        trained: list[list[str]] = []
        if self.overlap:
            first = {int(group): task for task, group in reversed(list(enumerate(found.serving)))}
            order = sorted(first, key=lambda group: first[group])
            trained = [
                [matrix.tasks[task] for task in np.flatnonzero(found.groups[group])]
                for group in order
            ]
        by_task = dict(zip(matrix.tasks, found.gains.tolist(), strict=True))
        lines = [f"trained for {n}: {', '.join(tasks)}" for n, tasks in enumerate(trained)]
        return {
            "predicted_gain": gain,
            "bound": bound,
            "budget": budget,
            "notes": [best, predicts, *lines],
            **({"predicted": by_task} if is_gains(matrix) else {}),
            **({"trained": trained} if self.overlap else {}),
        }


def group_gains(values: Float[np.ndarray, "source target"]) -> Float[np.ndarray, "task group"]:
    """Predicted gain of every task from every group that holds it.

    Args:
        values: Gains of pairs; the diagonal is ignored.

    Returns:
        Mean of what each other member gives the task; 0 for a task alone, and in groups that do
        not hold it. The bits of a group's number say who is in it.
    """
    count = len(values)
    groups = np.arange(1 << count)
    # A task alone has no partner, and its gain is 0 whatever it is divided by.
    partners = np.maximum(np.bitwise_count(groups).astype(float) - 1, 1)
    gains = np.zeros((count, len(groups)))
    for task in range(count):
        given = values[:, task].copy()
        given[task] = 0.0
        gains[task] = np.where(groups >> task & 1, subset_sums(given) / partners, 0.0)
    return gains


def served_worth(gains: Float[np.ndarray, "task group"]) -> WorthOfGroups:
    """Worth of every set of tasks that one group serves, the best group that holds them all.

    A choice of overlapping groups is a partition of the tasks into sets that one group serves, and
    the other way round, so the best partition by this worth gives the best choice.

    Args:
        gains: Gains from `group_gains`.

    Returns:
        For every set of tasks, their summed gains in the group where the sum is largest.
    """
    groups = range(1, gains.shape[1])
    return np.array([0.0, *(_totals(gains, served).max() for served in groups)])


def serving_group(gains: Float[np.ndarray, "task group"], served: int) -> int:
    """The group that serves a set of tasks best; the smallest number of several."""
    everything = gains.shape[1] - 1
    return served | int(_within(everything ^ served)[int(_totals(gains, served).argmax())])


def _totals(
    gains: Float[np.ndarray, "task group"], served: int
) -> Float[np.ndarray, " supergroup"]:
    """Summed gains of the served tasks in every group that holds them all."""
    holding = served | _within((gains.shape[1] - 1) ^ served)
    return np.asarray(gains[np.array(members(served))[:, None], holding].sum(axis=0))


def _within(group: int) -> Int[np.ndarray, " group"]:
    """Every group of some of a group's tasks, the empty one first."""
    return subset_sums([float(1 << task) for task in members(group)]).astype(int)

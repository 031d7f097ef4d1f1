"""Group selection: the groups whose members are predicted to gain most from each other."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from relevance.clustering.features import check_range, clusters_of, features, silhouette
from relevance.clustering.methods.method import ClusteringMethod
from relevance.clustering.partition import WorthOfGroups, best_partition, members, subset_sums
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.marks import is_gains
from relevance.matrices.matrix import RelevanceMatrix

MOST_TASKS = {False: 16, True: 14}  # with overlap 3^T sums are made, else 2^T


@dataclass(frozen=True)
class PredictedGain(ClusteringMethod):
    """The best groups there are, judged by pairwise gains; k is a budget.

    A task is predicted to gain from its group the mean of what each other member gives it, and 0 if
    it is alone. The groups found have the largest mean of this over tasks among all groupings with
    at most k groups: all are looked at for up to 8 tasks, and a bound rules out the others beyond.

    Attributes:
        overlap: Whether a group may be trained with further tasks that are served by another one:
            then at most k groups are chosen, and every task is served by the best that holds it.
    """

    overlap: bool = False

    def cluster(self, matrix: RelevanceMatrix, k: int, *, seed: int = 0) -> ClusterSpec:  # noqa: ARG002 - nothing is random
        """Choose the groups that are predicted to gain most.

        Args:
            matrix: A matrix without unknown values, 0 meaning no better than alone; the diagonal
                plays no part. At most 16 tasks, or 14 with overlap.
            k: Number of groups at most.
            seed: Ignored, as nothing is random.

        Returns:
            The groups, fewer than k where more would gain nothing. With overlap, each task stands
            in the group that serves it, and `provenance["trained"]` lists the groups to train, in
            the order of the clusters.

        Raises:
            RelevanceError: If a value is unknown, k is out of range, or there are too many tasks to
                prove that groups are the best.

        Source:
            Standley et al. (2020) and Fifty et al. (2021), network selection from pairwise values.
        """
        rows = features(matrix)
        check_range(len(rows), k)
        self._check_size(len(rows))
        gains = group_gains(rows)
        worth = served_worth(gains) if self.overlap else gains.sum(axis=0)
        groups = best_partition(worth, k)
        labels = np.zeros(len(rows), dtype=int)
        for number, group in enumerate(groups):
            labels[members(group)] = number
        trained = [serving_group(gains, group) for group in groups] if self.overlap else []
        return ClusterSpec(
            clusters=clusters_of(matrix.tasks, labels),
            method="predicted-gain",
            k=len(groups),
            silhouette=silhouette(rows, labels),
            provenance=self._provenance(
                matrix,
                float(worth[list(groups)].sum()) / len(rows),
                k,
                [[matrix.tasks[task] for task in members(group)] for group in trained],
            ),
        )

    def _check_size(self, count: int) -> None:
        most = MOST_TASKS[self.overlap]
        if count > most:
            with_overlap = " with `overlap=True`" if self.overlap else ""
            raise RelevanceError(
                f"Method 'predicted-gain' proves its groups to be the best of all{with_overlap},"
                f" which goes up to {most} tasks; the matrix has {count}. Take fewer tasks, or"
                ' `method="agglomerative"`.'
            )

    def _provenance(
        self, matrix: RelevanceMatrix, gain: float, budget: int, trained: list[list[str]]
    ) -> dict[str, Any]:
        what = "predicted gain" if is_gains(matrix) else f"{matrix.measure} in groups (no gain)"
        unit = "points" if matrix.unit == "points" else matrix.shown_in
        kind = "choice of overlapping groups" if self.overlap else "grouping"
        best = (
            f"{what}: {100 * gain:.2f} {unit}, mean over tasks; no {kind} with at most"
            f" {budget} has more"
        )
        lines = [f"trained for {n}: {', '.join(tasks)}" for n, tasks in enumerate(trained)]
        found = {"predicted_gain": gain, "budget": budget, "notes": [best, *lines]}
        return found | ({"trained": trained} if self.overlap else {})


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

"""Which columns of a matrix decide its groups: if few do, the groups hang on few tasks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relevance.clustering.kmeans import best_labels
from relevance.clustering.rows import clusters_of, features
from relevance.clustering.spec import ClusterSpec
from relevance.matrix import RelevanceMatrix

ENOUGH_VARIANCE = 0.9


@dataclass(frozen=True)
class DecidingColumns:
    """Targets whose columns the groups hang on.

    Attributes:
        carrying: The fewest columns that carry 90 % of the variance between rows, largest first.
        share: The share of the variance that they carry, in [0, 1].
        changing: Every column without which the groups are others.
    """

    carrying: tuple[str, ...]
    share: float
    changing: tuple[str, ...]

    def __str__(self) -> str:
        if not self.carrying:
            return "deciding columns: none, all rows are equal"
        carry = "carries" if len(self.carrying) == 1 else "carry"
        removal = f"removing {_any_of(self.changing)} changes the groups"
        if not self.changing:
            removal = "no column's removal changes the groups"
        columns = ", ".join(self.carrying)
        percent = round(100 * self.share)
        return f"deciding columns: {columns} {carry} {percent} % of the variance; {removal}"


def deciding_columns(
    matrix: RelevanceMatrix, spec: ClusterSpec, *, restarts: int = 100
) -> DecidingColumns:
    """Find the columns that carry the variance, and those whose removal changes the groups.

    Args:
        matrix: The matrix that was clustered.
        spec: Its groups by k-means.
        restarts: Of k-means without a column; as many as the groups were found with.

    Returns:
        The columns; a column is removed alone, and its task's row stays.

    Raises:
        RelevanceError: If a value is unknown, or the spec is one of other tasks.
    """
    rows = features(matrix)
    spec.check(matrix.tasks, owner="matrix")
    variance = rows.var(axis=0)
    order = np.argsort(-variance, kind="stable")
    shares = np.cumsum(variance[order]) / (variance.sum() or 1.0)
    count = int(np.searchsorted(shares, ENOUGH_VARIANCE)) + 1 if variance.any() else 0
    found = _groups(spec.clusters)
    changing = []
    for column, task in enumerate(matrix.tasks):
        left = np.delete(rows, column, axis=1)
        if len(np.unique(left, axis=0)) < len(found):
            changing.append(task)
            continue
        labels, _ = best_labels(left, len(found), seed=spec.seed or 0, restarts=restarts)
        if _groups(clusters_of(matrix.tasks, labels)) != found:
            changing.append(task)
    return DecidingColumns(
        carrying=tuple(matrix.tasks[column] for column in order[:count]),
        share=float(shares[count - 1]) if count else 0.0,
        changing=tuple(changing),
    )


def _groups(clusters: Sequence[Sequence[str]]) -> set[frozenset[str]]:
    return {frozenset(cluster) for cluster in clusters}


def _any_of(names: Sequence[str]) -> str:
    """Names as alternatives.

    >>> _any_of(["CB", "WNLI", "RTE"])
    'CB, WNLI or RTE'
    """
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))

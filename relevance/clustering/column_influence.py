"""Influence of columns on the groups of a matrix: if few decide, the groups hang on few tasks.

Whether groups change without a column takes a new search for each column, which hundreds of tasks
make long. There, a column decides if without it some task had better move to another group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from relevance.clustering.features import clusters_of, features
from relevance.clustering.methods.kmeans import best_labels
from relevance.clustering.spec import ClusterSpec
from relevance.matrices.matrix import RelevanceMatrix

# Share of the variance between rows that the carrying columns hold together.
ENOUGH_VARIANCE = 0.9
# A search takes as long as the clustering itself, and each column has one.
MOST_SEARCHED = 50
MOST_NAMES = 12
# Moves that pay by no more than rounding would name columns at random.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class DecidingColumns:
    """Targets whose columns the groups hang on.

    Attributes:
        carrying: The fewest columns that carry 90 % of the variance between rows, largest first.
        share: The share of the variance that they carry, in [0, 1].
        changing: Every column without which the groups are others; of more than 50 tasks those
            without which moving one task pays.
    """

    carrying: tuple[str, ...]
    share: float
    changing: tuple[str, ...]

    def __str__(self) -> str:
        if not self.carrying:
            return "deciding columns: none, all rows are equal"
        carry = "carries" if len(self.carrying) == 1 else "carry"
        removal = f"removing {listed(self.changing, ' or ')} changes the groups"
        if not self.changing:
            removal = "no column's removal changes the groups"
        columns = listed(self.carrying, ", ")
        percent = round(100 * self.share)
        return f"deciding columns: {columns} {carry} {percent} % of the variance; {removal}"


def deciding_columns(
    matrix: RelevanceMatrix, spec: ClusterSpec, *, restarts: int = 100
) -> DecidingColumns:
    """Find the columns that carry the variance, and those whose removal changes the groups.

    Args:
        matrix: The matrix that was clustered.
        spec: The groups that k-means made of it.
        restarts: Number of restarts of k-means without a column; as many as the groups were found
            with.

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
    if len(rows) > MOST_SEARCHED:
        changing = moving_pays(rows, np.array([spec.cluster_of(task) for task in matrix.tasks]))
    else:
        changing = np.array([_changes(matrix, spec, task, restarts) for task in matrix.tasks])
    return DecidingColumns(
        carrying=tuple(matrix.tasks[column] for column in order[:count]),
        share=float(shares[count - 1]) if count else 0.0,
        changing=tuple(matrix.tasks[column] for column in np.flatnonzero(changing)),
    )


def _changes(matrix: RelevanceMatrix, spec: ClusterSpec, task: str, restarts: int) -> bool:
    """Whether a new search without a task's column finds other groups."""
    left = np.delete(features(matrix), matrix.tasks.index(task), axis=1)
    found = _groups(spec.clusters)
    if left.shape[1] == 0 or len(np.unique(left, axis=0)) < len(found):
        return len(found) > 1
    labels, _ = best_labels(left, len(found), seed=spec.seed or 0, restarts=restarts)
    return _groups(clusters_of(matrix.tasks, labels)) != found


def moving_pays(
    rows: Float[np.ndarray, "task feature"], labels: Int[np.ndarray, " task"]
) -> Bool[np.ndarray, " feature"]:
    """Columns without which moving a single task to another group would lower the inertia.

    Args:
        rows: Features.
        labels: Number of each row's group, from 0.

    Returns:
        True where moving one row, all others staying, lowers the inertia of the other columns and
        does not lower that of all columns. Groups change without such a column; without others
        they may, by more moves than one.

    Source:
        Hartigan and Wong (1979), "A k-means clustering algorithm", step 4.
    """
    belongs = labels[:, None] == np.arange(labels.max() + 1)
    sizes = belongs.sum(axis=0)
    centres = np.stack([rows[group].mean(axis=0) for group in belongs.T])
    distances = np.stack([np.square(rows - centre).sum(axis=1) for centre in centres], axis=1)
    leaving = (sizes / np.maximum(sizes - 1, 1))[labels]  # alone in its group, its distance is 0
    # Moving a row shifts both centres: these factors turn its distances into changes of inertia.
    joining = sizes / (sizes + 1)

    def pays(squared: Float[np.ndarray, "task group"]) -> Bool[np.ndarray, "task group"]:
        saved = (leaving * squared[belongs])[:, None]
        return np.asarray(~belongs & (joining * squared < saved * (1 - TOLERANCE)))

    with_all = pays(distances)
    columns = [
        (pays(distances - np.square(values[:, None] - centre)) & ~with_all).any()
        for values, centre in zip(rows.T, centres.T, strict=True)
    ]
    return np.array(columns)


def _groups(clusters: Sequence[Sequence[str]]) -> set[frozenset[str]]:
    return {frozenset(cluster) for cluster in clusters}


def listed(names: Sequence[str], last: str) -> str:
    """Names as a list within a sentence; the first dozen of many.

    Args:
        names: Names in the order to be printed.
        last: Text before the last name, such as ` and `.

    Returns:
        One text.

    >>> listed(["CB", "WNLI", "RTE"], " or "), listed([f"T{n}" for n in range(99)], " or ")[-24:]
    ('CB, WNLI or RTE', ' T9, T10, T11 or 87 more')
    """
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    shown = [*names[:MOST_NAMES], *more]
    return last.join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))

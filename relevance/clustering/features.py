"""Features and checks that methods of clustering share, and groups made of labels."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.measure import measures

SHOWN_CELLS = 3


def features(matrix: RelevanceMatrix) -> Float[np.ndarray, "task feature"]:
    """The feature vector of every task: its raw row of the matrix, diagonal kept, nothing scaled.

    A task is described by the influence it has on every task. A constant added to a column moves no
    distance between rows, except through the diagonal.

    Args:
        matrix: A matrix without unknown values.

    Returns:
        One row per task.

    Raises:
        RelevanceError: If a value is unknown; the message names cells and what fills them.

    Source:
        Fei et al. (2022), section 3.2. Symmetrised, transposed or z-scored values, or a dropped
        diagonal, give other groups than those published for Table 3.
    """
    unknown = ~np.isfinite(matrix.values)
    if unknown.any():
        cells = [
            f"{matrix.tasks[row]} -> {matrix.tasks[column]}" for row, column in np.argwhere(unknown)
        ]
        more = f" and {len(cells) - SHOWN_CELLS} more" if len(cells) > SHOWN_CELLS else ""
        missing = f"The matrix has no value for {', '.join(cells[:SHOWN_CELLS])}{more}."
        raise RelevanceError(f"{missing} {_remedy(matrix, unknown)}")
    return matrix.values


def _remedy(matrix: RelevanceMatrix, unknown: Bool[np.ndarray, "source target"]) -> str:
    """Advice on how unknown cells get a value."""
    predict = "`relevance predict MATRIX --out FILE` predicts it from the cells that are measured."
    if "setting" in matrix.provenance:
        return (
            "Give the missing runs to `relevance import`, or import with `square=True`; or"
            f" {predict}"
        )
    scores = (matrix.joint or {}).get(matrix.provenance.get("metric", "gain"))
    if scores is not None and np.isfinite(np.asarray(scores, dtype=np.float64)[:, unknown]).all():
        return (
            "All runs are there, but the baseline is too near 0 to divide by: take"
            ' `normalise="absolute"`, which runs nothing, or measure more `single_seeds`.'
        )
    command = "pairwise"
    hint = f', with `normalise="absolute"` where a baseline is too near 0; or {predict}'
    if matrix.measure != "joint-training" and matrix.measure in measures.names():
        command, hint = f"estimate {matrix.measure}", "."
    return f"Fill it with `relevance {command} --tasks {','.join(matrix.tasks)} --out FILE`{hint}"


def check_range(count: int, k: int) -> None:
    """Refuse a number of clusters that is out of range.

    Args:
        count: Number of tasks.
        k: Number of clusters.

    Raises:
        RelevanceError: If k is not between 1 and the number of tasks.
    """
    if not 1 <= k <= count:
        raise RelevanceError(f"k must be between 1 and {count}, the number of tasks, got {k}.")


def check_k(rows: Float[np.ndarray, "task feature"], k: int) -> None:
    """Refuse a number of clusters that the rows cannot fill.

    Args:
        rows: Features.
        k: Number of clusters.

    Raises:
        RelevanceError: If k is not between 1 and the number of rows, or fewer than k rows differ.
    """
    check_range(len(rows), k)
    different = len(np.unique(rows, axis=0))
    if different < k:
        raise RelevanceError(
            f"Only {different} of {len(rows)} tasks have rows that differ: k must be between 1 and"
            f" {different}, got {k}."
        )


def clusters_of(
    tasks: Sequence[str], labels: Int[np.ndarray, " task"]
) -> tuple[tuple[str, ...], ...]:
    """Clusters in the order of their first tasks, whatever numbers they came with.

    >>> clusters_of(["RTE", "CB", "WNLI"], np.array([2, 0, 2]))
    (('RTE', 'WNLI'), ('CB',))
    """
    members: dict[int, list[str]] = {}
    for task, label in zip(tasks, labels.tolist(), strict=True):
        members.setdefault(label, []).append(task)
    return tuple(tuple(cluster) for cluster in members.values())


def silhouette(
    rows: Float[np.ndarray, "task feature"], labels: Int[np.ndarray, " task"]
) -> float | None:
    """Mean silhouette of the groups in [-1, 1]; None for one group, or one task in each."""
    from sklearn.metrics import silhouette_score

    # Outside of this the silhouette is undefined, and scikit-learn refuses.
    if not 1 < len(np.unique(labels)) < len(rows):
        return None
    return float(silhouette_score(rows, labels))

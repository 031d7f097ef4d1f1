"""Assigning a new task: to the cluster, and the one task, that help it most."""

from collections.abc import Collection, Mapping

import numpy as np

from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix

OF_GROUPS = frozenset({"gains", "predicted", "predicted_gain", "bound"})
"""What a spec's provenance says of its groups as they are."""


def relevance_to(
    target: str, matrix: RelevanceMatrix, sources: Collection[str]
) -> dict[str, float]:
    """Relevance of some tasks to a new one.

    Args:
        target: The new task.
        matrix: Holds it as a column.
        sources: The tasks that could help.

    Returns:
        Values of the matrix by source, the most relevant first; sources that the matrix lacks or
        whose value is unknown are left out.

    Raises:
        RelevanceError: If the matrix does not have the new task, or knows none of the values.
    """
    if target not in matrix.tasks:
        raise RelevanceError(
            f"The {matrix.measure} matrix does not have '{target}', only {', '.join(matrix.tasks)}."
            " Measure it with them, or leave the matrix out: vocabularies are then compared."
        )
    column = matrix.values[:, matrix.tasks.index(target)]
    known = {
        source: float(value)
        for source, value in zip(matrix.tasks, column, strict=True)
        if source in sources and source != target and not np.isnan(value)
    }
    if not known:
        raise RelevanceError(
            f"The {matrix.measure} matrix has no value of any of {', '.join(sources)} for"
            f" '{target}'. Measure these pairs, or leave the matrix out: vocabularies are then"
            " compared."
        )
    return dict(sorted(known.items(), key=lambda item: -item[1]))


def most_relevant_cluster(spec: ClusterSpec, relevance: Mapping[str, float]) -> int:
    """The cluster whose members help a new task most on average.

    Args:
        spec: The clusters.
        relevance: Relevance to the new task by source, of one member of a cluster at least. Members
            without one are left out of the average.

    Returns:
        Number of the cluster; the first of equal ones.

    >>> spec = ClusterSpec(clusters=(("RTE", "CB"), ("SST-2",)))
    >>> most_relevant_cluster(spec, {"RTE": 0.3, "CB": 0.1, "SST-2": 0.25})
    1
    """
    means = {
        number: np.mean([relevance[task] for task in cluster if task in relevance])
        for number, cluster in enumerate(spec.clusters)
        if any(task in relevance for task in cluster)
    }
    return max(means, key=lambda number: means[number])


def joined(spec: ClusterSpec, clusters: Mapping[str, int]) -> ClusterSpec:
    """The clusters with new tasks in them.

    Args:
        spec: The clusters so far.
        clusters: Cluster number of each new task.

    Returns:
        A new spec, the new tasks behind the members. How good the groups were found to be is left
        out, as that was said of the old ones.

    Raises:
        RelevanceError: If there is no cluster of a number.
    """
    grown = [list(cluster) for cluster in spec.clusters]
    for task, number in clusters.items():
        if not 0 <= number < len(grown):
            raise RelevanceError(
                f"There is no cluster {number}: the run has {len(grown)}, numbered from 0."
            )
        grown[number].append(task)
    return spec.model_copy(
        update={
            "clusters": tuple(map(tuple, grown)),
            "inertia": None,
            "silhouette": None,
            "stability": None,
            # Numbers about the old groups are not those of the new ones.
            "provenance": {
                **{key: value for key, value in spec.provenance.items() if key not in OF_GROUPS},
                "added": {**spec.provenance.get("added", {}), **clusters},
            },
        }
    )

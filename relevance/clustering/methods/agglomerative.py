"""Agglomerative clustering: the two closest groups are merged, again and again."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from relevance.clustering.features import check_k, clusters_of, features, silhouette
from relevance.clustering.methods.method import ClusteringMethod
from relevance.clustering.settings import Linkage
from relevance.clustering.spec import ClusterSpec
from relevance.matrices.matrix import RelevanceMatrix


@dataclass(frozen=True)
class Agglomerative(ClusteringMethod):
    """Groups by merging; those of k + 1 are those of k with one group split.

    Attributes:
        linkage: Distance of two groups: for `ward` the inertia that merging them adds, else the
            average, largest (`complete`) or smallest (`single`) distance of their rows.
    """

    linkage: Linkage = "ward"

    def cluster(self, matrix: RelevanceMatrix, k: int, *, seed: int = 0) -> ClusterSpec:  # noqa: ARG002 - nothing is random
        """Merge tasks whose rows are alike until k groups are left; nothing is random.

        Source:
            Ward (1963), on the raw rows, diagonal kept, as k-means is.
        """
        from scipy.cluster.hierarchy import cut_tree

        rows = features(matrix)
        check_k(rows, k)
        labels = np.zeros(len(rows), dtype=int)
        if len(rows) > 1:
            labels = cut_tree(merges(rows, self.linkage), n_clusters=[k])[:, 0]
        return ClusterSpec(
            clusters=clusters_of(matrix.tasks, labels),
            method="agglomerative",
            k=k,
            silhouette=silhouette(rows, labels),
            provenance={"features": "raw rows, diagonal kept", "linkage": self.linkage},
        )


def merges(
    rows: Float[np.ndarray, "task feature"], linkage: Linkage, *, ordered: bool = False
) -> Float[np.ndarray, "merge 4"]:
    """The tree of merged groups, in the order of their distance.

    Args:
        rows: Features of at least two tasks.
        linkage: Distance of two groups; see `Agglomerative`.
        ordered: Whether similar tasks should stand beside each other, which takes a while.

    Returns:
        Merges in scipy's form: numbers of both groups (tasks first, then merges), their distance,
        and the size of the group they make.
    """
    from scipy.cluster.hierarchy import linkage as merged
    from scipy.spatial.distance import pdist

    return np.asarray(merged(pdist(rows), method=linkage, optimal_ordering=ordered))

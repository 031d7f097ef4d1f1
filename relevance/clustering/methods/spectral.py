"""Spectral clustering: few strong ties between groups, many within."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from relevance.clustering.features import check_range, clusters_of, features, silhouette
from relevance.clustering.methods.method import ClusteringMethod
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix

AFFINITY = "exp(s / sd(s)), s = mean of both directions, sd over pairs of different tasks"
RESTARTS = 50
# Eigenvalues that are equal but for rounding leave their eigenvectors open to rotation.
SMALLEST_GAP = 1e-9


@dataclass(frozen=True)
class Spectral(ClusteringMethod):
    """Groups by scikit-learn's spectral clustering of the graph of tasks.

    The tie of two tasks grows with what they do for each other, both directions averaged, so it
    asks which tasks help one another where k-means asks which tasks are alike in whom they help.
    """

    def cluster(self, matrix: RelevanceMatrix, k: int, *, seed: int = 0) -> ClusterSpec:
        """Group tasks that help each other; the diagonal plays no part.

        Groups that equal values of pairs would leave to chance are refused.

        Source:
            Shi and Malik (2000); Ng et al. (2001).
        """
        rows = features(matrix)
        check_range(len(rows), k)
        labels = np.arange(len(rows)) if k == len(rows) else np.zeros(len(rows), dtype=int)
        if 1 < k < len(rows):
            labels = _labels(affinity(rows), k, seed)
        return ClusterSpec(
            clusters=clusters_of(matrix.tasks, labels),
            method="spectral",
            k=k,
            seed=seed,
            silhouette=silhouette(rows, labels),
            provenance={"affinity": AFFINITY, "restarts": RESTARTS},
        )


def affinity(values: Float[np.ndarray, "source target"]) -> Float[np.ndarray, "task task"]:
    """Affinity of every two tasks, from what they do for each other.

    A pair that harms each other is tied weakly, the more harm the more weakly, and never not at
    all: cut off at 0 instead, negative gains would break the graph into pieces whose grouping is
    arbitrary. A constant added to all values, or a factor, changes no group.

    Args:
        values: Any relevance, negative values too; the diagonal is ignored.

    Returns:
        Symmetric, in (0, 1], the best pair at 1; 0 on the diagonal. All pairs are tied equally
        where their values are equal.
    """
    mutual = (values + values.T) / 2
    others = ~np.eye(len(values), dtype=bool)
    spread = float(mutual[others].std())
    # The largest is subtracted first, so that no value overflows.
    ties = np.exp((mutual - mutual[others].max()) / (spread or 1.0))
    return np.where(others, ties, 0.0)


def _labels(ties: Float[np.ndarray, "task task"], k: int, seed: int) -> Int[np.ndarray, " task"]:
    from scipy.sparse.csgraph import laplacian
    from sklearn.cluster import SpectralClustering
    from threadpoolctl import threadpool_limits

    eigenvalues = np.linalg.eigvalsh(np.asarray(laplacian(ties, normed=True)))
    if eigenvalues[k] - eigenvalues[k - 1] < SMALLEST_GAP:  # the eigenvectors could be any
        raise RelevanceError(
            f"Pairs of tasks have equal values, which leaves {k} spectral groups to chance."
            " Choose another `k` or `method`."
        )
    model = SpectralClustering(k, affinity="precomputed", n_init=RESTARTS, random_state=seed)
    with threadpool_limits(1):  # so few tasks are slower on several threads
        return np.asarray(model.fit(ties).labels_)

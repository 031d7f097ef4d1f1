"""k-means on the raw rows, the paper's method."""

from dataclasses import dataclass, replace

from relevance.clustering.kmeans import kmeans
from relevance.clustering.methods.method import ClusteringMethod
from relevance.clustering.spec import ClusterSpec
from relevance.matrices.matrix import RelevanceMatrix

QUICK_RESTARTS = 20


@dataclass(frozen=True)
class KMeans(ClusteringMethod):
    """The groups of least inertia among many random starts.

    Attributes:
        restarts: How many starts the best is taken from.
    """

    restarts: int = 100

    def cluster(self, matrix: RelevanceMatrix, k: int, *, seed: int = 0) -> ClusterSpec:
        """Group tasks whose rows are alike, as `relevance.clustering.kmeans` does."""
        return kmeans(matrix, k, seed=seed, restarts=self.restarts)

    def quick(self) -> "KMeans":
        """With fewer starts, 20 of which miss the paper's best groups in about 1 % of cases."""
        return replace(self, restarts=min(self.restarts, QUICK_RESTARTS))

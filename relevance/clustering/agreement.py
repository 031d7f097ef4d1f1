"""Agreement of two matrices: rank correlation of values, adjusted Rand index of groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float

from relevance.clustering.families import family_clusters, has_families
from relevance.clustering.methods.kmeans import kmeans
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError, told_of
from relevance.matrices.matrix import RelevanceMatrix


@dataclass(frozen=True)
class Agreement:
    """Agreement of two matrices on the tasks they share.

    Attributes:
        first: Name of one matrix.
        second: Name of the other matrix.
        tasks: Number of common tasks.
        pairs: Ordered pairs of different tasks that both matrices know.
        left_out: Ordered pairs of common tasks that one of them does not know.
        spearman: Rank correlation of the values of those pairs in [-1, 1]; NaN where undefined,
            that is with fewer than two pairs or all values of a matrix equal.
        kendall: Kendall's tau-b of those values.
        adjusted_rand: Adjusted Rand index of the groups, 1 for equal ones, about 0 for chance; None
            if not asked for.
    """

    first: str
    second: str
    tasks: int
    pairs: int
    left_out: int
    spearman: float
    kendall: float
    adjusted_rand: float | None = None


def compare(
    matrices: Sequence[RelevanceMatrix],
    names: Sequence[str] | None = None,
    k: int | None = None,
    *,
    seed: int = 0,
) -> tuple[Agreement, ...]:
    """Compare every two matrices on their common tasks.

    Args:
        matrices: Two matrices or more.
        names: Names for the matrices, all different; None for the names of their measures.
        k: Number of clusters for comparing groups too, found on the common tasks; a matrix with
            families has those as its groups whatever k is.
        seed: Seed of k-means.

    Returns:
        One agreement per two matrices, in the order given.

    Raises:
        RelevanceError: If there are fewer than two matrices, two of one name, two that share fewer
            than two tasks, or one that cannot be clustered.
    """
    if len(matrices) < 2:
        raise RelevanceError(f"Comparing takes at least two matrices, got {len(matrices)}.")
    names = names_of(matrices, names)
    return tuple(
        _agreement(first, second, k, seed)
        for first, second in combinations(zip(names, matrices, strict=True), 2)
    )


def names_of(matrices: Sequence[RelevanceMatrix], names: Sequence[str] | None) -> Sequence[str]:
    """The names that matrices are compared under.

    Args:
        matrices: The matrices.
        names: Names for them; None for those of their measures.

    Returns:
        One name per matrix.

    Raises:
        RelevanceError: If two are the same.
    """
    names = [matrix.measure for matrix in matrices] if names is None else names
    if len(set(names)) < len(names):
        raise RelevanceError(f"Matrices to compare need different names, got {', '.join(names)}.")
    return names


def _agreement(
    first: tuple[str, RelevanceMatrix],
    second: tuple[str, RelevanceMatrix],
    k: int | None,
    seed: int,
) -> Agreement:
    common = [task for task in first[1].tasks if task in second[1].tasks]
    if len(common) < 2:
        raise RelevanceError(
            f"{first[0]} and {second[0]} share {len(common)} of {len(first[1].tasks)} and"
            f" {len(second[1].tasks)} tasks; comparing takes at least two."
        )
    one, other = first[1].select(common), second[1].select(common)
    known = one.known & other.known
    spearman, kendall = rank_correlations(one.values[known], other.values[known])
    return Agreement(
        first[0],
        second[0],
        tasks=len(common),
        pairs=int(known.sum()),
        left_out=len(common) * (len(common) - 1) - int(known.sum()),
        spearman=spearman,
        kendall=kendall,
        adjusted_rand=None
        if k is None
        else adjusted_rand(groups_of(first[0], one, k, seed), groups_of(second[0], other, k, seed)),
    )


def rank_correlations(
    first: Float[np.ndarray, " pair"], second: Float[np.ndarray, " pair"]
) -> tuple[float, float]:
    """Spearman's rho and Kendall's tau-b.

    Args:
        first: Finite values.
        second: Values of the same pairs.

    Returns:
        Both in [-1, 1]; NaN for fewer than two pairs, or where one side is constant.
    """
    from scipy.stats import kendalltau, spearmanr

    # Undefined there; scipy would warn, and warnings are for users.
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan"), float("nan")
    return (float(spearmanr(first, second).statistic), float(kendalltau(first, second).statistic))


def adjusted_rand(first: ClusterSpec, second: ClusterSpec) -> float:
    """Adjusted Rand index of two groupings over their common tasks.

    Args:
        first: Groups.
        second: Groups, possibly of other tasks as well.

    Returns:
        1 for equal groups, 0 on average for random ones; can be negative.

    Raises:
        RelevanceError: If they share fewer than two tasks.

    Source:
        Hubert and Arabie (1985).
    """
    from sklearn.metrics import adjusted_rand_score

    one, other = (
        {task: place for place, cluster in enumerate(spec.clusters) for task in cluster}
        for spec in (first, second)
    )
    common = one.keys() & other.keys()
    if len(common) < 2:
        raise RelevanceError(
            f"The groups share {len(common)} tasks; comparing them takes at least two."
        )
    return float(
        adjusted_rand_score(*([places[task] for task in common] for places in (one, other)))
    )


def groups_of(name: str, matrix: RelevanceMatrix, k: int, seed: int) -> ClusterSpec:
    """The groups that a matrix is compared by: its families where it carries some, else k-means.

    Args:
        name: Name of the matrix in errors.
        matrix: A matrix without unknown values, unless it carries families.
        k: Number of clusters.
        seed: Seed of k-means.

    Returns:
        The groups.

    Raises:
        RelevanceError: If the matrix cannot be clustered.
    """
    with told_of(name):
        return family_clusters(matrix) if has_families(matrix) else kmeans(matrix, k, seed=seed)

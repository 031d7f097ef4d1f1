"""Groups of the tasks of a matrix, by whichever method and number of groups."""

from typing import Any, Literal

from relevance.clustering.choose_k import ChoiceOfK, choose_k
from relevance.clustering.families import family_clusters
from relevance.clustering.methods.method import make_method
from relevance.clustering.spec import ClusterSpec
from relevance.clustering.stability import grouped
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix


def cluster(
    matrix: RelevanceMatrix,
    k: int | Literal["auto"] | None = None,
    *,
    method: str | None = None,
    seed: int = 0,
    max_k: int | None = None,
    **options: Any,
) -> ClusterSpec:
    """Group the tasks, and measure how stable the groups are.

    Args:
        matrix: A matrix without unknown values.
        k: Number of groups; `auto` for the one that `choose_k` finds best; None for the families
            that the matrix of a taxonomy holds.
        method: `kmeans`, `spectral`, `agglomerative` or `predicted-gain`; None for `kmeans`.
        seed: Seed of random starts and resampling.
        max_k: The largest number that `auto` tries; None for one less than the number of tasks.
        **options: Options of the method, such as `linkage` of `agglomerative`.

    Returns:
        The groups, in the order of their first tasks.

    Raises:
        RelevanceError: If a value is unknown, there is no such method or option, k is out of range,
            or it is None and the matrix holds no families.
    """
    spec, _ = cluster_and_choice(matrix, k, method=method, seed=seed, max_k=max_k, **options)
    return spec


def cluster_and_choice(
    matrix: RelevanceMatrix,
    k: int | Literal["auto"] | None = None,
    *,
    method: str | None = None,
    seed: int = 0,
    max_k: int | None = None,
    **options: Any,
) -> tuple[ClusterSpec, ChoiceOfK | None]:
    """The groups that `cluster` gives, and how their number was chosen where it was."""
    how = make_method(method or "kmeans", **options)
    if k == "auto":
        choice = choose_k(matrix, how, seed=seed, largest=max_k)
        return choice.spec, choice
    if max_k is not None:
        raise RelevanceError('`max_k` goes with `k="auto"`.')
    if k is not None:
        return grouped(matrix, how, k, seed=seed), None
    if method is not None:
        raise RelevanceError(f'`method="{method}"` needs `k=N`, or `k="auto"` to choose one.')
    return family_clusters(matrix), None

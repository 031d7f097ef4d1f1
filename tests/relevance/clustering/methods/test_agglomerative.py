"""Agglomerative clustering against a plain oracle that merges whatever is closest."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.clustering.methods.agglomerative import Agglomerative, Linkage
from relevance.clustering.methods.kmeans import kmeans
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix


def inertia(rows: np.ndarray) -> float:
    return float(((rows - rows.mean(axis=0)) ** 2).sum())


def apart(one: np.ndarray, other: np.ndarray, linkage: Linkage) -> float:
    if linkage == "ward":
        return inertia(np.concatenate([one, other])) - inertia(one) - inertia(other)
    distances = [float(np.linalg.norm(a - b)) for a in one for b in other]
    return {"average": float(np.mean(distances)), "complete": max(distances)}.get(
        linkage, min(distances)
    )


def merged(rows: np.ndarray, k: int, linkage: Linkage) -> set[frozenset[int]]:
    """The closest two groups merged until k are left."""
    groups = [frozenset([task]) for task in range(len(rows))]
    while len(groups) > k:
        one, other = min(
            combinations(groups, 2),
            key=lambda pair: apart(rows[sorted(pair[0])], rows[sorted(pair[1])], linkage),
        )
        groups = [group for group in groups if group not in (one, other)] + [one | other]
    return set(groups)


@pytest.mark.parametrize("linkage", ["ward", "average", "complete", "single"])
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 8), data=st.data())
def test_the_closest_groups_are_merged(
    linkage: Linkage, seed: int, count: int, data: st.DataObject
) -> None:
    rows = np.random.default_rng(seed).normal(size=(count, count))
    k = data.draw(st.integers(1, count))
    matrix = RelevanceMatrix(rows, tuple(map(str, range(count))), "test")
    spec = Agglomerative(linkage).cluster(matrix, k)
    found = {frozenset(map(int, cluster)) for cluster in spec.clusters}
    assert found == merged(rows, k, linkage)


def test_ward_finds_the_papers_groups_of_table_3() -> None:
    matrix = load_matrix("paper:table3")
    spec = Agglomerative().cluster(matrix, 3)
    assert spec.clusters == kmeans(matrix, 3).clusters
    assert spec.provenance == {"features": "raw rows, diagonal kept", "linkage": "ward"}
    assert (spec.inertia, spec.seed) == (None, None)


def test_more_clusters_split_one_group() -> None:
    matrix = load_matrix("paper:table2")
    specs = [Agglomerative().cluster(matrix, k) for k in range(1, 14)]
    for few, many in pairwise(specs):
        assert len(set(few.clusters) - set(many.clusters)) == 1


def test_more_clusters_than_different_rows() -> None:
    values = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    with pytest.raises(RelevanceError, match="Only 2 of 3 tasks have rows that differ: k must"):
        Agglomerative().cluster(RelevanceMatrix(values, tuple("ABC"), "test"), 3)


def test_rows_that_look_like_distances_are_rows() -> None:
    values = 1.0 - np.kron(np.eye(2), np.ones((2, 2)))  # symmetric, not negative, 0 on the diagonal
    spec = Agglomerative().cluster(RelevanceMatrix(values, tuple("ABCD"), "test"), 2)
    assert spec.clusters == (("A", "B"), ("C", "D"))

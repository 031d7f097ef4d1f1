"""Spectral clustering: its affinity in closed form, invariances, and a plain eigenvector oracle."""

import math

import numpy as np
import pytest

from relevance.clustering.methods.spectral import Spectral, affinity
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TABLE3 = load_matrix("paper:table3")


def matrix_of(values: np.ndarray) -> RelevanceMatrix:
    return RelevanceMatrix(values, tuple(f"T{n}" for n in range(len(values))), "joint-training")


def test_ties_grow_with_the_gain_of_both_and_harm_leaves_a_weak_one() -> None:
    values = np.array([[9.0, 0.3, -0.1], [0.1, 9.0, -0.6], [-0.1, -0.2, 9.0]])
    mutual = [0.2, -0.1, -0.4]  # of the pairs (0, 1), (0, 2), (1, 2)
    spread = math.sqrt(0.06)
    expected = [math.exp((each - 0.2) / spread) for each in mutual]
    ties = affinity(values)
    np.testing.assert_allclose([ties[0, 1], ties[0, 2], ties[1, 2]], expected)
    np.testing.assert_array_equal(ties, ties.T)
    np.testing.assert_array_equal(np.diag(ties), 0)


def test_a_constant_or_a_factor_changes_nothing() -> None:
    ties = affinity(TABLE3.values)
    np.testing.assert_allclose(affinity(7 * TABLE3.values - 3), ties)
    changed = RelevanceMatrix(7 * TABLE3.values - 3, TABLE3.tasks, "test")
    assert Spectral().cluster(changed, 3).clusters == Spectral().cluster(TABLE3, 3).clusters


def test_two_groups_are_split_by_the_second_eigenvector() -> None:
    rng = np.random.default_rng(1)
    family = np.repeat([0, 1], [4, 6])
    values = np.where(family[:, None] == family, 0.3, -0.1) + rng.normal(scale=0.1, size=(10, 10))
    ties = affinity(values)
    scale = 1 / np.sqrt(ties.sum(axis=0))
    laplacian = np.eye(10) - scale[:, None] * ties * scale
    _, vectors = np.linalg.eigh(laplacian)
    side = (scale * vectors[:, 1] > 0).tolist()
    found = [Spectral().cluster(matrix_of(values), 2).cluster_of(f"T{n}") for n in range(10)]
    assert found == [int(each != side[0]) for each in side] == family.tolist()


def test_groups_are_the_same_for_every_seed_on_the_papers_tables() -> None:
    for table in ("table2", "table3"):
        matrix = load_matrix(f"paper:{table}")
        assert len({Spectral().cluster(matrix, 3, seed=s).clusters for s in range(4)}) == 1


@pytest.mark.parametrize(
    ("values", "k"),
    [(np.eye(4), 2), (np.kron(np.eye(2), np.ones((3, 3))), 4)],
    ids=["all pairs equal", "two blocks"],
)
def test_groups_that_would_be_arbitrary(values: np.ndarray, k: int) -> None:
    with pytest.raises(RelevanceError) as raised:
        Spectral().cluster(matrix_of(values), k)
    assert str(raised.value) == (
        f"Pairs of tasks have equal values, which leaves {k} spectral groups to chance."
        " Choose another `k` or `method`."
    )


def test_blocks_without_noise() -> None:
    blocks = matrix_of(np.kron(np.eye(3), np.ones((2, 2))))
    assert Spectral().cluster(blocks, 3).clusters == (("T0", "T1"), ("T2", "T3"), ("T4", "T5"))

"""Groups by k-means: the published ones, the true optimum on small cases, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float

from relevance.clustering.agreement import adjusted_rand
from relevance.clustering.methods.kmeans import best_labels, clusters_of, kmeans
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

Rows = Float[np.ndarray, "task feature"]


def matrix_of(values: Rows) -> RelevanceMatrix:
    return RelevanceMatrix(values, tuple(f"T{number}" for number in range(len(values))), "test")


def published(paper_dir: Path, name: str) -> list[set[str]]:
    return [set(group) for group in json.loads((paper_dir / "groups.json").read_text())[name]]


@pytest.mark.parametrize(
    ("table", "groups", "inertia"),
    [("table2", "vocabulary_k3", 1.5952), ("table3", "joint_training_k3", 0.1888)],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_published_groups(
    paper_dir: Path, table: str, groups: str, inertia: float, seed: int
) -> None:
    spec = kmeans(load_matrix(f"paper:{table}"), 3, seed=seed)
    found = [set(cluster) for cluster in spec.clusters]
    assert sorted(found, key=sorted) == sorted(published(paper_dir, groups), key=sorted)
    assert spec.inertia == pytest.approx(inertia, abs=5e-5)
    assert (spec.method, spec.k, spec.seed) == ("kmeans", 3, seed)


def symmetrised(values: Rows) -> Rows:
    return (values + values.T) / 2


def columns(values: Rows) -> Rows:
    return values.T


def standardised(values: Rows) -> Rows:
    return (values - values.mean(axis=0)) / values.std(axis=0)


def without_diagonal(values: Rows) -> Rows:
    return values[~np.eye(len(values), dtype=bool)].reshape(len(values), -1)


@pytest.mark.parametrize(
    ("change", "agreement"),
    [(symmetrised, 0.59), (columns, 0.06), (standardised, -0.04), (without_diagonal, 0.33)],
)
def test_other_features_would_give_other_groups(change, agreement: float) -> None:  # type: ignore[no-untyped-def]
    matrix = load_matrix("paper:table3")
    labels, _ = best_labels(change(matrix.values), 3, seed=0, restarts=100)
    other = ClusterSpec(clusters=clusters_of(matrix.tasks, labels))
    assert adjusted_rand(other, kmeans(matrix, 3)) == pytest.approx(agreement, abs=0.006)


def groupings(count: int, k: int) -> Iterator[list[int]]:
    """Every way to put tasks into k groups that are not empty."""

    def extend(labels: list[int], used: int) -> Iterator[list[int]]:
        if len(labels) == count:
            if used == k:
                yield labels
            return
        for label in range(min(used + 1, k)):
            yield from extend([*labels, label], max(used, label + 1))

    return extend([], 0)


def inertia_of(rows: Rows, labels: list[int]) -> float:
    groups = (rows[np.array(labels) == label] for label in set(labels))
    return float(sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups))


@settings(max_examples=25)
@given(st.integers(2, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))), st.data())
def test_nothing_beats_the_groups_found(size: tuple[int, int], data: st.DataObject) -> None:
    count, k = size
    cells = st.integers(-20, 20).map(lambda value: value / 10)
    values = data.draw(
        st.lists(st.lists(cells, min_size=count, max_size=count), min_size=count, max_size=count)
    )
    rows = np.array(values)
    different = len(np.unique(rows, axis=0))
    if different < k:
        with pytest.raises(RelevanceError, match=f"Only {different} of {count} tasks"):
            kmeans(matrix_of(rows), k)
        return
    spec = kmeans(matrix_of(rows), k)
    best = min(inertia_of(rows, labels) for labels in groupings(count, k))
    labels = [spec.cluster_of(f"T{number}") for number in range(count)]
    assert spec.inertia == pytest.approx(best, abs=1e-9)
    assert inertia_of(rows, labels) == pytest.approx(best, abs=1e-9)
    assert labels[0] == 0
    assert len(spec.clusters) == k


def test_clusters_stand_in_the_order_of_the_matrix() -> None:
    spec = kmeans(load_matrix("paper:table3"), 3)
    order = load_matrix("paper:table3").tasks
    firsts = [order.index(cluster[0]) for cluster in spec.clusters]
    assert firsts == sorted(firsts)
    assert all(list(cluster) == sorted(cluster, key=order.index) for cluster in spec.clusters)


def test_a_constant_added_to_a_column_moves_no_group() -> None:
    matrix = load_matrix("paper:table3")
    offsets = np.linspace(-1, 1, len(matrix.tasks))
    shifted = RelevanceMatrix(matrix.values + offsets, matrix.tasks, "test")
    assert kmeans(shifted, 3).clusters == kmeans(matrix, 3).clusters


def test_silhouette_is_undefined_at_both_ends() -> None:
    matrix = matrix_of(np.random.default_rng(0).normal(size=(5, 5)))
    assert kmeans(matrix, 1).silhouette is None
    assert kmeans(matrix, 5).silhouette is None
    assert kmeans(matrix, 5).inertia == pytest.approx(0)
    assert -1 <= (kmeans(matrix, 2).silhouette or 0) <= 1


@pytest.mark.parametrize("k", [-1, 0, 14])
def test_k_out_of_range(k: int) -> None:
    with pytest.raises(RelevanceError) as raised:
        kmeans(load_matrix("paper:table3"), k)
    assert str(raised.value) == f"k must be between 1 and 13, the number of tasks, got {k}."


def test_more_clusters_than_different_rows() -> None:
    same = matrix_of(np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    assert kmeans(same, 2).clusters == (("T0", "T1"), ("T2",))
    with pytest.raises(RelevanceError) as raised:
        kmeans(same, 3)
    assert str(raised.value) == (
        "Only 2 of 3 tasks have rows that differ: k must be between 1 and 2, got 3."
    )


def test_unknown_values_are_not_guessed_at() -> None:
    values = np.zeros((3, 3))
    values[0, 1] = values[1, 2] = values[2, 0] = values[2, 1] = np.nan
    with pytest.raises(RelevanceError) as raised:
        kmeans(RelevanceMatrix(values, ("RTE", "CB", "WNLI"), "joint-training"), 2)
    assert str(raised.value) == (
        "The matrix has no value for RTE -> CB, CB -> WNLI, WNLI -> RTE and 1 more. Fill it with"
        ' `relevance pairwise --tasks RTE,CB,WNLI --out FILE`, with `normalise="absolute"` where a'
        " baseline is too near 0; or `relevance predict MATRIX --out FILE` predicts it from the"
        " cells that are measured."
    )
    with pytest.raises(RelevanceError) as raised:
        kmeans(RelevanceMatrix(values, ("RTE", "CB", "WNLI"), "logme"), 2)
    assert str(raised.value) == (
        "The matrix has no value for RTE -> CB, CB -> WNLI, WNLI -> RTE and 1 more. Fill it with"
        " `relevance estimate logme --tasks RTE,CB,WNLI --out FILE`."
    )

"""What holds for every method of clustering."""

from pathlib import Path

import numpy as np
import pytest

from relevance.clustering.agreement import adjusted_rand
from relevance.clustering.methods.method import ClusteringMethod, make_method, methods
from relevance.clustering.spec import ClusterSpec
from relevance.clustering.stability import grouped
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

PLANTED = ClusterSpec(clusters=(("T0", "T1", "T2"), ("T3", "T4", "T5"), ("T6", "T7", "T8")))
every_method = pytest.mark.parametrize("name", methods.names())


def planted(noise: float = 0.02) -> RelevanceMatrix:
    """Three groups of tasks that help each other by 10 % and harm the others by 5 %."""
    family = np.repeat([0, 1, 2], 3)
    values = np.where(family[:, None] == family, 0.1, -0.05)
    values += np.random.default_rng(0).normal(scale=noise, size=values.shape)
    np.fill_diagonal(values, 0.0)
    return RelevanceMatrix(values, PLANTED.tasks, "joint-training")


@every_method
def test_it_finds_planted_groups(name: str) -> None:
    spec = make_method(name).cluster(planted(), 3)
    assert spec.clusters == PLANTED.clusters
    assert (spec.method, spec.k) == (name, 3)
    assert spec.silhouette is not None
    assert spec.silhouette > 0.4


@every_method
@pytest.mark.parametrize("k", [1, 2, 5, 13])
def test_every_task_is_in_one_of_k_groups(name: str, k: int) -> None:
    matrix = load_matrix("paper:table3")
    spec = make_method(name).cluster(matrix, k)
    spec.check(matrix.tasks, owner="matrix")
    assert len(spec.clusters) == spec.k
    assert len(spec.clusters) <= k
    assert len(spec.clusters) == k or name == "predicted-gain"
    order = [matrix.tasks.index(cluster[0]) for cluster in spec.clusters]
    assert order == sorted(order)
    assert all(list(group) == sorted(group, key=matrix.tasks.index) for group in spec.clusters)


@every_method
def test_the_same_again_and_in_any_order_of_the_tasks(name: str) -> None:
    matrix, method = planted(), make_method(name)
    assert method.cluster(matrix, 3, seed=5) == method.cluster(matrix, 3, seed=5)
    turned = matrix.select(matrix.tasks[::-1])
    assert adjusted_rand(method.cluster(turned, 3), PLANTED) == 1


@every_method
def test_less_effort_finds_the_same_where_it_is_easy(name: str) -> None:
    method = make_method(name)
    assert isinstance(method.quick(), type(method))
    assert method.quick().cluster(planted(), 3).clusters == PLANTED.clusters


@every_method
@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_tasks(name: str, count: int) -> None:
    matrix = load_matrix("paper:table3").select(("MNLI", "CB")[:count])
    for k in range(1, count + 1):
        assert len(make_method(name).cluster(matrix, k).clusters) <= k


@every_method
@pytest.mark.parametrize("k", [-1, 0, 10])
def test_k_out_of_range(name: str, k: int) -> None:
    with pytest.raises(RelevanceError) as raised:
        make_method(name).cluster(planted(), k)
    assert str(raised.value) == f"k must be between 1 and 9, the number of tasks, got {k}."


@every_method
def test_unknown_values(name: str) -> None:
    matrix = planted()
    matrix.values[0, 1] = np.nan
    with pytest.raises(RelevanceError, match=r"^The matrix has no value for T0 -> T1\. Fill it "):
        make_method(name).cluster(matrix, 3)


@every_method
def test_a_file_holds_all_of_it(name: str, tmp_path: Path) -> None:
    spec = grouped(planted(), make_method(name), 3, resamples=5)
    spec.save(tmp_path / "out.json")
    assert ClusterSpec.load(tmp_path / "out.json") == spec
    assert spec.stability is not None


@every_method
def test_it_says_what_it_is(name: str) -> None:
    kind = methods.find(name)
    assert issubclass(kind, ClusteringMethod)
    assert (kind.__doc__ or "").strip()

"""`cluster` is the one way to groups, whatever the method and however many."""

import pytest

from relevance.clustering.choose_k import choose_k
from relevance.clustering.cluster import cluster
from relevance.clustering.methods.kmeans import kmeans
from relevance.errors import RelevanceError
from relevance.matrices.matrix import load_matrix
from relevance.measures.measure import measure
from relevance.tasks.find import find_tasks

TABLE = load_matrix("paper:table3")


def test_a_number_gives_kmeans_with_stability() -> None:
    spec = cluster(TABLE, 3, seed=1)
    assert spec.clusters == kmeans(TABLE, 3, seed=1).clusters
    assert spec.method == "kmeans"
    assert spec.stability is not None


def test_auto_is_what_choose_k_finds_best() -> None:
    spec = cluster(TABLE, "auto", method="agglomerative", max_k=4)
    assert spec.method == "agglomerative"
    assert spec == choose_k(TABLE, "agglomerative", largest=4).spec
    assert [each["k"] for each in spec.provenance["choice_of_k"]["candidates"]] == [2, 3, 4]


def test_options_go_to_the_method() -> None:
    assert cluster(TABLE, 3, method="agglomerative", linkage="single").provenance["linkage"] == (
        "single"
    )
    with pytest.raises(RelevanceError, match="Method 'kmeans' takes no `linkage`"):
        cluster(TABLE, 3, linkage="ward")


def test_families_need_no_number() -> None:
    matrix = measure("taxonomy", find_tasks(["RTE", "CB", "SST-2"]))
    assert cluster(matrix).clusters == (("RTE", "CB"), ("SST-2",))
    with pytest.raises(RelevanceError, match="names no families"):
        cluster(TABLE)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"method": "spectral"},
            '`method="spectral"` needs `k=N`, or `k="auto"` to choose one.',
        ),
        ({"k": 3, "max_k": 4}, '`max_k` goes with `k="auto"`.'),
        ({"k": 3, "method": "kmens"}, "Did you mean 'kmeans'?"),
        ({"k": 14}, "14"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(RelevanceError) as error:
        cluster(TABLE, **options)  # type: ignore[arg-type]
    assert said in str(error.value)

"""Families as clusters."""

import numpy as np
import pytest

from relevance.clustering.families import family_clusters, has_families
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TASKS = ("SST-2", "RTE", "IMDB", "CB")
FAMILIES = {"inference": ["CB", "RTE"], "sentiment": ["SST-2", "IMDB"]}


def taxonomy(families: dict[str, list[str]]) -> RelevanceMatrix:
    return RelevanceMatrix(np.eye(4), TASKS, "taxonomy", provenance={"families": families})


def test_families_are_the_clusters() -> None:
    spec = family_clusters(taxonomy(FAMILIES))
    assert spec.clusters == (("SST-2", "IMDB"), ("RTE", "CB"))
    assert spec.names == ("sentiment", "inference")
    assert (spec.method, spec.k, spec.inertia) == ("taxonomy", None, None)


def test_some_tasks_of_a_matrix_keep_their_families() -> None:
    spec = family_clusters(taxonomy(FAMILIES).select(["CB", "IMDB"]))
    assert spec.clusters == (("CB",), ("IMDB",))


def test_a_matrix_without_families() -> None:
    matrix = load_matrix("paper:table3")
    assert not has_families(matrix)
    with pytest.raises(RelevanceError) as raised:
        family_clusters(matrix)
    assert str(raised.value) == (
        "This matrix of measure 'joint-training' names no families. Say how many clusters with `k`."
    )


def test_a_task_without_a_family() -> None:
    with pytest.raises(RelevanceError, match=r"names no family of 'SST-2'\. Measure it again\."):
        family_clusters(taxonomy({"inference": ["CB", "RTE"]}))

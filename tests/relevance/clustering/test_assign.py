"""Where a new task belongs, against a matrix made by hand."""

import numpy as np
import pytest

from relevance.clustering.assign import joined, most_relevant_cluster, relevance_to
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix

UNKNOWN = np.nan
MATRIX = RelevanceMatrix(
    # row = source, column = target: NEW is helped by C most, and helps A most
    values=np.array(
        [
            [1.0, 0.2, 0.3, 0.1],
            [0.4, 1.0, 0.5, 0.3],
            [0.6, 0.7, 1.0, 0.8],
            [0.9, 0.0, 0.0, 1.0],
        ]
    ),
    tasks=("A", "B", "C", "NEW"),
    measure="by-hand",
)


def test_relevance_is_the_column_of_the_new_task() -> None:
    found = relevance_to("NEW", MATRIX, ["A", "B", "C"])
    assert found == {"C": 0.8, "B": 0.3, "A": 0.1}
    assert list(found) == ["C", "B", "A"]
    assert relevance_to("NEW", MATRIX, ["B", "D"]) == {"B": 0.3}


def test_unknown_values_are_left_out() -> None:
    values = MATRIX.values.copy()
    values[2, 3] = UNKNOWN
    holey = RelevanceMatrix(values=values, tasks=MATRIX.tasks, measure="by-hand")
    assert relevance_to("NEW", holey, ["A", "B", "C"]) == {"B": 0.3, "A": 0.1}
    with pytest.raises(RelevanceError) as error:
        relevance_to("NEW", holey, ["C"])
    assert str(error.value) == (
        "The by-hand matrix has no value of any of C for 'NEW'. Measure these pairs, or leave the"
        " matrix out: vocabularies are then compared."
    )


def test_a_matrix_without_the_new_task() -> None:
    with pytest.raises(RelevanceError) as error:
        relevance_to("D", MATRIX, ["A"])
    assert str(error.value) == (
        "The by-hand matrix does not have 'D', only A, B, C, NEW. Measure it with them, or leave"
        " the matrix out: vocabularies are then compared."
    )


@pytest.mark.parametrize(
    ("clusters", "number"),
    [
        ((("A", "B"), ("C",)), 1),
        ((("A", "C"), ("B",)), 0),  # 0.45 on average against 0.3
        ((("A", "D"), ("E",)), 0),  # members that are not measured count for nothing
        ((("A",), ("B", "C", "D")), 1),
    ],
)
def test_the_cluster_is_the_best_on_average(
    clusters: tuple[tuple[str, ...], ...], number: int
) -> None:
    relevance = relevance_to("NEW", MATRIX, ["A", "B", "C", "D", "E"])
    assert most_relevant_cluster(ClusterSpec(clusters=clusters), relevance) == number


def test_a_grown_spec_has_the_new_tasks_last_and_says_so() -> None:
    spec = ClusterSpec(
        clusters=(("A", "B"), ("C",)),
        names=("one", "other"),
        method="kmeans",
        k=2,
        inertia=0.5,
        silhouette=0.4,
        provenance={"why": "test"},
    )
    grown = joined(joined(spec, {"NEW": 1}), {"D": 0})
    assert grown.clusters == (("A", "B", "D"), ("C", "NEW"))
    assert grown.provenance == {"why": "test", "added": {"NEW": 1, "D": 0}}
    assert (grown.method, grown.k, grown.names) == ("kmeans", 2, ("one", "other"))
    assert grown.inertia is grown.silhouette is None
    assert ClusterSpec.model_validate(grown.model_dump()) == grown
    with pytest.raises(RelevanceError, match="There is no cluster 2: the run has 2, numbered"):
        joined(spec, {"NEW": 2})

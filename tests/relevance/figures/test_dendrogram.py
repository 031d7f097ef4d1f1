"""Dendrograms: what is laid out, and that nothing is cut off."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from fitting import fits
from relevance.clustering.methods.agglomerative import Agglomerative
from relevance.errors import RelevanceError
from relevance.figures.dendrogram import dendrogram, lay_out
from relevance.figures.figure import figure_of
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TABLE3 = load_matrix("paper:table3")


def line(*places: float) -> RelevanceMatrix:
    """Tasks whose rows lie on a line."""
    values = np.zeros((len(places), len(places)))
    values[:, 0] = places
    return RelevanceMatrix(values, tuple("ABCDE")[: len(places)], "test")


def test_brackets_of_four_tasks_on_a_line() -> None:
    layout = lay_out(line(0.0, 10.0, 1.0, 14.0), 2, linkage="single")
    assert layout.tasks in {("A", "C", "B", "D"), ("C", "A", "B", "D"), ("D", "B", "C", "A")}
    assert [merge.distance for merge in layout.merges] == [1, 4, 9]
    first, second, last = layout.merges
    assert {first.starts, second.starts, last.starts} <= {(0, 0), (1, 4), (4, 1)}
    assert sorted(last.places) == [0.5, 2.5]
    assert (first.cluster, last.cluster) != (None, None)
    assert last.cluster is None
    assert layout.cut == (4 + 9) / 2
    assert layout.quantity == "smallest distance of merged groups"


@pytest.mark.parametrize("k", [1, 2, 3, 7, 12, 13])
def test_its_clusters_are_those_of_the_method(k: int) -> None:
    layout = lay_out(TABLE3, k)
    spec = Agglomerative().cluster(TABLE3, k)
    shown: dict[int, set[str]] = {}
    for task, cluster in zip(layout.tasks, layout.clusters, strict=True):
        shown.setdefault(cluster, set()).add(task)
    assert sorted(map(sorted, shown.values())) == sorted(map(sorted, spec.clusters))
    assert list(shown) == list(range(k))
    assert list(layout.clusters) == sorted(layout.clusters)  # so that no two brackets cross
    assert layout.tasks == lay_out(TABLE3, 1).tasks
    assert sum(merge.cluster is None for merge in layout.merges) == k - 1
    for merge in layout.merges:
        assert (merge.distance < layout.cut) == (merge.cluster is not None)
        assert max(merge.starts) <= merge.distance


@pytest.mark.parametrize(
    "matrix",
    [
        TABLE3,
        line(0.0, 3.0),
        line(0.0, 0.0),
        RelevanceMatrix(np.eye(25), tuple(f"a_task_of_long_name{n}" for n in range(25)), "test"),
    ],
    ids=["table3", "two", "equal", "long"],
)
def test_nothing_is_cut_off(matrix: RelevanceMatrix) -> None:
    figure = figure_of(dendrogram(matrix, 1))
    assert fits(figure, slack=0)


def test_names_have_the_colour_of_their_cluster() -> None:
    axes = dendrogram(TABLE3, 3)
    colours = {label.get_text(): label.get_color() for label in axes.get_yticklabels()}
    assert len(set(map(str, colours.values()))) == 3
    for cluster in Agglomerative().cluster(TABLE3, 3).clusters:
        assert len({str(colours[task]) for task in cluster}) == 1


def test_own_axes_are_used() -> None:
    axes = Figure().subplots()
    assert dendrogram(TABLE3, 3, ax=axes) is axes


def test_one_task_has_none() -> None:
    with pytest.raises(RelevanceError) as raised:
        dendrogram(line(0.0), 1)
    assert str(raised.value) == "A dendrogram takes at least two tasks, got 1."

"""The number of clusters by silhouette and stability."""

from dataclasses import replace

import numpy as np
import pytest

from relevance.clustering.choose_k import Candidate, ChoiceOfK, choose_k
from relevance.clustering.methods.agglomerative import Agglomerative
from relevance.clustering.methods.method import make_method
from relevance.clustering.methods.predicted_gain import PredictedGain
from relevance.clustering.spec import ClusterSpec
from relevance.clustering.stability import grouped
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

KMEANS = make_method("kmeans")


def planted(groups: int, size: int = 3, noise: float = 0.02) -> RelevanceMatrix:
    family = np.repeat(np.arange(groups), size)
    values = np.where(family[:, None] == family, 0.2, 0.0)
    values += np.random.default_rng(0).normal(scale=noise, size=values.shape)
    return RelevanceMatrix(values, tuple(map(str, range(len(family)))), "joint-training")


@pytest.mark.parametrize("groups", [2, 3, 4])
def test_planted_groups_are_counted(groups: int) -> None:
    choice = choose_k(planted(groups), Agglomerative())
    assert choice.best.k == groups
    assert [len(cluster) for cluster in choice.spec.clusters] == [3] * groups


@pytest.mark.parametrize(
    ("table", "method", "k", "score"),
    [
        pytest.param("table2", "kmeans", 2, 0.59, marks=pytest.mark.process),
        ("table3", "agglomerative", 2, 0.57),
    ],
)
def test_the_papers_tables(table: str, method: str, k: int, score: float) -> None:
    matrix, how = load_matrix(f"paper:{table}"), make_method(method)
    choice = choose_k(matrix, how, largest=7)
    assert [each.k for each in choice.candidates] == list(range(2, 8))
    assert choice.best.k == k
    assert str(choice) == f"k = {k}: largest silhouette ({score}) among k = 2 to 7"
    for each in choice.candidates[:3]:
        assert each.silhouette == how.cluster(matrix, each.k).silhouette
        expected = grouped(matrix, how, each.k)
        assert each.spec.clusters == expected.clusters
        if each is choice.best:
            assert each.spec == expected
    assert choice.best.score == max(each.score for each in choice.candidates)


def test_the_spec_tells_how_it_was_chosen() -> None:
    choice = choose_k(planted(2), KMEANS, largest=4)
    told = choice.spec.provenance["choice_of_k"]
    assert told["rule"] == str(choice)
    assert [row["k"] for row in told["candidates"]] == [2, 3, 4]
    assert told["candidates"][0]["mean"] == choice.best.score
    assert told["left_out"] == {}
    assert choice.spec.provenance["features"] == "raw rows, diagonal kept"
    assert choice.spec.stability is not None


def test_stability_has_a_say_where_it_is_known() -> None:
    matrix = planted(3)
    per_seed = matrix.values + np.random.default_rng(0).normal(scale=0.05, size=(4, 9, 9))
    noisy = replace(matrix, values=per_seed.mean(axis=0), per_seed=per_seed, seeds=(0, 1, 2, 3))
    choice = choose_k(noisy, Agglomerative(), largest=4, resamples=3)
    assert str(choice).startswith("k = 3: largest mean of silhouette and stability (")
    for each in choice.candidates:
        assert each.stability is not None
        assert each.score == pytest.approx((each.silhouette + each.stability) / 2)


def test_of_equal_scores_the_smallest_k() -> None:
    values = -np.ones((5, 5))
    values[:2, :2] = values[2:4, 2:4] = 1.0
    choice = choose_k(RelevanceMatrix(values, tuple("ABCDE"), "test"), PredictedGain())
    scores = {each.k: each.score for each in choice.candidates}
    assert scores[3] == scores[4]
    assert choice.best.k == min(k for k, score in scores.items() if score == max(scores.values()))


def test_a_k_that_cannot_be_had_is_left_out() -> None:
    values = np.repeat(np.eye(3), 2, axis=0) @ np.repeat(np.eye(3), 2, axis=1)
    choice = choose_k(RelevanceMatrix(values, tuple("ABCDEF"), "test"), KMEANS)
    assert [each.k for each in choice.candidates] == [2, 3]
    assert choice.left_out[4] == (
        "Only 3 of 6 tasks have rows that differ: k must be between 1 and 3, got 4."
    )
    assert str(choice).endswith("among k = 2 to 3, without 4, 5")


def test_of_many_tasks_the_smaller_k_are_tried_unless_more_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("relevance.clustering.choose_k.LARGEST", 4)
    choice = choose_k(planted(3), Agglomerative())
    assert [each.k for each in choice.candidates] == [2, 3, 4]
    assert str(choice).endswith(
        "among k = 2 to 4; 4 larger ones were not tried, which `max_k` does"
    )
    assert choice.best.k == 3
    assert len(choose_k(planted(3), Agglomerative(), largest=8).candidates) == 7


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_tasks_to_choose(count: int) -> None:
    matrix = load_matrix("paper:table3").select(("CB", "RTE")[:count])
    with pytest.raises(RelevanceError) as raised:
        choose_k(matrix, KMEANS)
    assert str(raised.value) == (
        '`k="auto"` tries 2 to T - 1 clusters of T tasks, so it takes at least 3; the matrix has'
        f" {count}. Say how many clusters with `k=N`."
    )


@pytest.mark.parametrize(
    ("method", "values", "words"),
    [
        ("kmeans", np.ones((4, 4)), "Only 1 of 4 tasks have rows that differ: k must be"),
        ("predicted-gain", np.ones((4, 4)), "One group, or one task in each, is what the method"),
    ],
)
def test_no_groups_at_all(method: str, values: np.ndarray, words: str) -> None:
    with pytest.raises(RelevanceError) as raised:
        choose_k(RelevanceMatrix(values, tuple("ABCD"), "test"), make_method(method))
    assert str(raised.value).startswith(f'`k="auto"` found no groups. For k = 2: {words}')


def test_unknown_values_are_said_at_once() -> None:
    values = np.zeros((4, 4))
    values[0, 1] = np.nan
    with pytest.raises(RelevanceError, match=r"^The matrix has no value for A -> B\."):
        choose_k(RelevanceMatrix(values, tuple("ABCD"), "test"), KMEANS)


def test_rows_of_a_table() -> None:
    candidate = Candidate(2, ClusterSpec(clusters=(("A",), ("B",))), 0.5, 0.7)
    (row,) = ChoiceOfK((candidate,), candidate, {}).rows()
    assert row == {"k": 2, "silhouette": 0.5, "stability": 0.7, "mean": pytest.approx(0.6)}

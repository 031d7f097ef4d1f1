"""Stability: what is varied, what comes out in closed cases, and what a spec says of it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from relevance.clustering.agreement import adjusted_rand
from relevance.clustering.features import clusters_of
from relevance.clustering.methods.agglomerative import Agglomerative
from relevance.clustering.methods.method import ClusteringMethod, make_method
from relevance.clustering.spec import ClusterSpec, Stability
from relevance.clustering.stability import grouped, resampling, stability
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

FAMILY = np.repeat([0, 1, 2], 3)
TASKS = tuple("ABCDEFGHI")


def gains(noise: float, seeds: int = 5) -> RelevanceMatrix:
    """Three planted groups, measured with noise in every seed."""
    truth = np.where(FAMILY[:, None] == FAMILY, 0.2, 0.0)
    shape = (seeds, 9, 9)
    per_seed = truth + np.random.default_rng(1).normal(scale=noise, size=shape)
    return RelevanceMatrix(
        per_seed.mean(axis=0),
        TASKS,
        "joint-training",
        standard_errors=per_seed.std(axis=0, ddof=1) / np.sqrt(seeds),
        seeds=tuple(range(seeds)),
        per_seed=per_seed,
    )


@dataclass(frozen=True)
class Scripted(ClusteringMethod):
    """Two groups: tasks that gain in the column of A and tasks that do not."""

    def cluster(self, matrix: RelevanceMatrix, k: int, *, seed: int = 0) -> ClusterSpec:
        labels = (matrix.values[:, 0] > 0).astype(int)
        if len(set(labels.tolist())) < 2:
            raise RelevanceError("all on one side")
        return ClusterSpec(clusters=clusters_of(matrix.tasks, labels))


def test_what_is_varied() -> None:
    full = gains(0.1)
    assert resampling(full) == "seeds"
    assert resampling(replace(full, per_seed=None)) == "noise"
    assert resampling(replace(full, per_seed=full.per_seed[:1])) == "noise"  # type: ignore[index]
    assert resampling(replace(full, per_seed=None, seeds=(0,))) == "examples"
    assert resampling(replace(full, per_seed=None, standard_errors=None)) == "tasks"
    unknown = np.full((2, 9, 9), np.nan)
    assert resampling(replace(full, per_seed=unknown, standard_errors=unknown[0])) == "tasks"


def test_without_noise_the_same_groups_come_every_time() -> None:
    matrix = replace(gains(0.0), values=gains(0.001).values)
    for varied in (gains(0.001), matrix):
        found = grouped(varied, make_method("kmeans"), 3, resamples=20).stability
        assert found is not None
        assert (found.resampling, found.resamples, found.skipped) == ("seeds", 20, 0)
        assert (found.adjusted_rand, found.leave_one_out) == (1, 1)
        np.testing.assert_array_equal(found.consensus, FAMILY[:, None] == FAMILY)


@pytest.mark.parametrize("kind", ["seeds", "noise"])
def test_more_noise_is_less_stable(kind: str) -> None:
    found = []
    for noise in (0.01, 0.4, 4.0):
        matrix = gains(noise)
        matrix = replace(matrix, per_seed=None) if kind == "noise" else matrix
        spec = ClusterSpec(clusters=clusters_of(TASKS, FAMILY))
        known = stability(matrix, spec, Agglomerative(), 3, resamples=40)
        assert known is not None
        found.append(known.adjusted_rand)
    assert found[0] == 1 > found[1] > found[2]
    assert found[2] < 0.25


def test_the_consensus_is_a_share_that_is_known_in_closed_form() -> None:
    """Seeds +1 and -3 by the column of A: its mean is above 0 only if both draws are +1."""
    per_seed = np.zeros((2, 3, 3))
    per_seed[0, :, 0] = [-1, -1, 1]
    per_seed[1, :, 0] = [-1, -1, -3]
    values = per_seed.mean(axis=0)
    values[2, 0] = 1.0  # one group of its own, so that there are two
    matrix = RelevanceMatrix(values, ("A", "B", "C"), "test", per_seed=per_seed, seeds=(0, 1))
    known = grouped(matrix, Scripted(), 2, resamples=500).stability
    assert known is not None
    # values drawn for C -> A: 1 + (mean of draws + 1), that is 3, 1 or -1 at odds 1 : 2 : 1
    assert known.skipped / 500 == pytest.approx(0.25, abs=0.06)
    assert known.resamples + known.skipped == 500
    assert known.adjusted_rand == 1
    np.testing.assert_array_equal(known.consensus, [[1, 1, 0], [1, 1, 0], [0, 0, 1]])


def test_noise_has_the_size_of_the_standard_errors() -> None:
    errors = np.zeros((3, 3))
    errors[1, 0] = 0.5
    values = np.array([[-9.0, 0, 0], [-0.5, 0, 0], [9.0, 0, 0]])
    matrix = RelevanceMatrix(values, ("A", "B", "C"), "test", standard_errors=errors, seeds=(0, 1))
    known = grouped(matrix, Scripted(), 2, resamples=500).stability
    assert known is not None
    assert known.consensus[0][1] == pytest.approx(0.841, abs=0.06)  # one standard error below 0
    assert known.consensus[1][2] == pytest.approx(0.159, abs=0.06)
    assert known.consensus[0][2] == 0


def test_leaving_one_task_out_is_done_for_every_task() -> None:
    matrix, method = load_matrix("paper:table3"), make_method("kmeans")
    spec = grouped(matrix, method, 3)
    known = spec.stability
    assert known is not None
    indices = [
        adjusted_rand(spec, method.cluster(matrix.select([t for t in matrix.tasks if t != out]), 3))
        for out in matrix.tasks
    ]
    assert known.adjusted_rand == known.leave_one_out == pytest.approx(np.mean(indices))
    assert (known.resampling, known.resamples) == ("tasks", 13)
    consensus = np.array(known.consensus)
    np.testing.assert_array_equal(consensus, consensus.T)
    np.testing.assert_array_equal(np.diag(consensus), 1)
    assert known.tasks == matrix.tasks


def test_a_task_alone_takes_its_group_along() -> None:
    values = np.zeros((5, 5))
    values[:2], values[2:4], values[4] = 1.0, 2.0, 50.0
    values += np.random.default_rng(0).normal(scale=0.01, size=values.shape)
    spec = grouped(RelevanceMatrix(values, tuple("ABCDE"), "test"), make_method("kmeans"), 3)
    assert spec.clusters == (("A", "B"), ("C", "D"), ("E",))
    assert spec.stability is not None
    assert spec.stability.adjusted_rand == 1  # with three groups, leaving E out would split a pair


def test_of_many_tasks_some_are_left_out() -> None:
    values = np.random.default_rng(0).normal(size=(51, 51))
    matrix = RelevanceMatrix(values, tuple(map(str, range(51))), "test")
    known = grouped(matrix, Agglomerative(), 3).stability
    assert known is not None
    assert known.resamples == 20


def test_groups_that_any_matrix_gives_have_no_stability() -> None:
    for k in (1, 9):
        assert grouped(gains(0.1), make_method("kmeans"), k).stability is None


def test_the_same_seed_gives_the_same() -> None:
    first, again, other = (
        grouped(gains(0.3), Agglomerative(), 3, seed=seed, resamples=20) for seed in (0, 0, 1)
    )
    assert first == again
    assert first.stability != other.stability


def test_nothing_that_can_be_clustered() -> None:
    per_seed = np.zeros((2, 3, 3))
    matrix = RelevanceMatrix(
        np.array([[0.0, 0, 0], [-1, 0, 0], [1, 0, 0]]), tuple("ABC"), "test", per_seed=per_seed
    )
    spec = Scripted().cluster(matrix, 2)
    flat = replace(matrix, values=np.zeros((3, 3)))
    with pytest.raises(RelevanceError, match="all on one side"):
        stability(flat, spec, Scripted(), 2)


@pytest.mark.parametrize(
    ("known", "line"),
    [
        (Stability(adjusted_rand=0.7), "stability: adjusted Rand index 0.70"),
        (
            Stability(adjusted_rand=0.7, resampling="seeds", resamples=98, skipped=2).model_copy(
                update={"leave_one_out": 0.5}
            ),
            (
                "stability: adjusted Rand index 0.70 over 98 bootstraps of the seeds; 0.50 with one"
                " task left out; 2 more could not be grouped"
            ),
        ),
        (
            Stability(adjusted_rand=0.7, resampling="tasks", resamples=13, leave_one_out=0.7),
            (
                "stability: adjusted Rand index 0.70 over 13 matrices with one task left out (no"
                " seeds or standard errors to vary)"
            ),
        ),
    ],
)
def test_the_line(known: Stability, line: str) -> None:
    assert str(known) == line

"""Stability: what is varied, what comes out in closed cases, and what a spec says of it."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from relevance.clustering.agreement import adjusted_rand
from relevance.clustering.features import clusters_of
from relevance.clustering.methods.agglomerative import Agglomerative
from relevance.clustering.methods.method import ClusteringMethod, make_method
from relevance.clustering.replication import replication_model
from relevance.clustering.spec import ClusterSpec, Stability
from relevance.clustering.stability import grouped, stability
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


@dataclass(frozen=True)
class Counting(Agglomerative):
    """Counts how often tasks were grouped."""

    seen: list[int] = field(default_factory=list)

    def cluster(self, matrix: RelevanceMatrix, k: int, *, seed: int = 0) -> ClusterSpec:
        self.seen.append(k)
        return super().cluster(matrix, k, seed=seed)


def test_what_the_index_is_from() -> None:
    full = gains(0.1)
    few = replace(full, seeds=(0, 1, 2), per_seed=full.per_seed[:3])  # type: ignore[index]
    errors = replace(full, per_seed=None)
    for matrix, kind, seeds in ((full, "halves", 5), (few, "draws", 3), (errors, "draws", 5)):
        found = grouped(matrix, Agglomerative(), 3, resamples=3).stability
        assert found is not None
        assert (found.resampling, found.seeds) == (kind, seeds)


@pytest.mark.parametrize("what", ["one seed", "the evaluation's errors", "values alone"])
def test_what_cannot_tell_its_noise_has_no_stability_but_a_sensitivity(what: str) -> None:
    matrix = replace(gains(0.1), seeds=(0,), per_seed=gains(0.1).per_seed[:1])  # type: ignore[index]
    if what == "one seed":
        matrix = replace(matrix, standard_errors=None)
    elif what == "the evaluation's errors":
        matrix = replace(matrix, standard_errors=np.full((9, 9), 0.1))
    else:
        matrix = replace(matrix, standard_errors=None, per_seed=None)
    found = grouped(matrix, Agglomerative(), 3).stability
    assert found is not None
    assert (found.adjusted_rand, found.resampling, found.resamples) == (None, None, 0)
    assert found.sensitivity == 1
    assert str(found).startswith("stability: unknown")


def test_one_seed_with_repeated_single_runs_has_the_noise_of_those() -> None:
    single = [[0.5] * 9, [0.6] * 9, [0.7] * 9]
    joint = 0.6 + np.where(FAMILY[:, None] == FAMILY, 0.3, 0.0)
    matrix = RelevanceMatrix(
        joint - 0.6,
        TASKS,
        "joint-training",
        unit="points",
        seeds=(0,),
        per_seed=(joint - 0.6)[None],
        single={"gain": single},
        joint={"gain": joint[None].tolist()},
        provenance={"metric": "gain", "normalise": "absolute"},
    )
    model = replication_model(matrix)
    assert model is not None
    np.testing.assert_allclose(model.noise[~np.eye(9, dtype=bool)], 0.1)
    found = grouped(matrix, Agglomerative(), 3).stability
    assert found is not None
    assert (found.resampling, found.seeds) == ("draws", 1)


def test_without_noise_the_same_groups_come_every_time() -> None:
    for seeds in (2, 3, 5, 8):
        found = grouped(gains(1e-6, seeds), make_method("kmeans"), 3, resamples=10).stability
        assert found is not None
        assert (found.resamples, found.skipped) == (20, 0)
        assert (found.adjusted_rand, found.sensitivity) == (1, 1)
        np.testing.assert_array_equal(found.consensus, FAMILY[:, None] == FAMILY)


@pytest.mark.parametrize("kind", ["halves", "draws"])
def test_more_noise_is_less_stable(kind: str) -> None:
    found = []
    for noise in (0.01, 0.4, 4.0):
        matrix = gains(noise)
        matrix = replace(matrix, per_seed=None) if kind == "draws" else matrix
        spec = ClusterSpec(clusters=clusters_of(TASKS, FAMILY))
        known = stability(matrix, spec, Agglomerative(), 3, resamples=40)
        assert known is not None
        assert known.adjusted_rand is not None
        found.append(known.adjusted_rand)
    assert found[0] == 1 > found[1] > found[2]
    assert found[2] < 0.25


@pytest.mark.process
@pytest.mark.parametrize("seeds", [2, 4])
def test_what_is_printed_is_what_a_replication_finds(seeds: int) -> None:
    """Means over truths: what a study says of itself, and its index with a second study."""
    method, said, found = Agglomerative(), [], []
    for number in range(40):
        random = np.random.default_rng(number)
        truth = random.normal(scale=0.2, size=(9, 9))
        one, other = (study_of(truth, seeds, random) for _ in range(2))
        groups = method.cluster(one, 3)
        known = stability(one, groups, method, 3, resamples=3)
        assert known is not None
        said.append(known.adjusted_rand)
        found.append(adjusted_rand(groups, method.cluster(other, 3)))
    assert 0.2 < np.mean(found) < 0.6
    assert np.mean(said) == pytest.approx(np.mean(found), abs=0.15)


def study_of(truth: np.ndarray, seeds: int, random: np.random.Generator) -> RelevanceMatrix:
    noisy = truth + random.normal(scale=0.15, size=(seeds, 9, 9))
    per_seed = np.where(np.eye(9, dtype=bool), 0.0, noisy)
    return RelevanceMatrix(
        per_seed.mean(axis=0), TASKS, "test", seeds=tuple(range(seeds)), per_seed=per_seed
    )


def test_leaving_one_task_out_is_done_for_every_task() -> None:
    matrix, method = load_matrix("paper:table3"), make_method("kmeans")
    spec = grouped(matrix, method, 3)
    known = spec.stability
    assert known is not None
    indices = [
        adjusted_rand(spec, method.cluster(matrix.select([t for t in matrix.tasks if t != out]), 3))
        for out in matrix.tasks
    ]
    assert known.sensitivity == pytest.approx(np.mean(indices))
    assert (known.adjusted_rand, known.resampling, known.resamples) == (None, None, 0)
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
    assert spec.stability.sensitivity == 1  # with three groups, leaving E out would split a pair


def test_as_many_groups_at_most_as_there_are_tasks() -> None:
    values = np.full((4, 4), -0.1)
    values[:2, :2], values[2:, 2:] = 0.2, 0.3
    spec = grouped(RelevanceMatrix(values, tuple("ABCD"), "test"), make_method("predicted-gain"), 4)
    assert spec.clusters == (("A", "B"), ("C", "D"))
    assert spec.stability is not None  # three tasks are left, which four groups were refused for
    assert (spec.stability.sensitivity, spec.stability.skipped) == (1, 0)


def test_of_many_tasks_some_are_left_out() -> None:
    values = np.random.default_rng(0).normal(size=(51, 51))
    matrix = RelevanceMatrix(values, tuple(map(str, range(51))), "test")
    counted = Counting()
    known = grouped(matrix, counted, 3).stability
    assert known is not None
    assert len(counted.seen) == 1 + 20


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
    flat = RelevanceMatrix(np.zeros((3, 3)), tuple("ABC"), "test", per_seed=np.zeros((2, 3, 3)))
    spec = ClusterSpec(clusters=(("A", "B"), ("C",)))
    with pytest.raises(RelevanceError, match="all on one side"):
        stability(flat, spec, Scripted(), 2)


def test_files_of_earlier_versions_are_read() -> None:
    told = {"adjusted_rand": 0.9, "resampling": "tasks", "resamples": 13, "leave_one_out": 0.9}
    known = Stability.model_validate(told)
    assert (known.adjusted_rand, known.sensitivity, known.resampling) == (None, 0.9, None)
    known = Stability.model_validate({**told, "resampling": "seeds", "leave_one_out": 0.8})
    assert str(known) == (
        "stability: adjusted Rand index 0.90 over 13 bootstraps of the seeds around this one;"
        " sensitivity: 0.80 with one task left out"
    )


@pytest.mark.parametrize(
    ("known", "line"),
    [
        (Stability(adjusted_rand=0.7), "stability: adjusted Rand index 0.70"),
        (
            Stability(
                adjusted_rand=0.7,
                resampling="halves",
                seeds=4,
                resamples=98,
                skipped=2,
                sensitivity=0.5,
            ),
            (
                "stability: adjusted Rand index 0.70 expected between two studies of 4 seed(s), by"
                " halves of the seeds, extrapolated; 2 could not be grouped; sensitivity: 0.50 with"
                " one task left out"
            ),
        ),
        (
            Stability(adjusted_rand=None, sensitivity=0.7),
            (
                "stability: unknown, as nothing here tells noise from what tasks do to each other;"
                " sensitivity: 0.70 with one task left out"
            ),
        ),
    ],
)
def test_the_line(known: Stability, line: str) -> None:
    assert str(known) == line

"""Group selection against every grouping there is, scored straight from the definition."""

import time
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.clustering.methods.predicted_gain import PREDICTS, PredictedGain, group_gains
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

Group = tuple[int, ...]


def matrix_of(values: np.ndarray) -> RelevanceMatrix:
    return RelevanceMatrix(values, tuple(map(str, range(len(values)))), "joint-training")


def gain(values: np.ndarray, task: int, group: Group) -> float:
    """What a task is predicted to gain: the mean of what each other member gives it."""
    given = [values[source, task] for source in group if source != task]
    return sum(given) / len(given) if given else 0.0


def predicted(values: np.ndarray, groups: tuple[Group, ...]) -> float:
    """Mean over tasks of what the best of the groups that hold it gives."""
    served = [
        max(gain(values, task, group) for group in groups if task in group)
        for task in range(len(values))
    ]
    return sum(served) / len(served)


def groupings(count: int, k: int) -> Iterator[tuple[Group, ...]]:
    """Every way to split tasks into at most k groups: each task joins a group or founds one."""
    if count == 0:
        yield ()
        return
    for groups in groupings(count - 1, k):
        for place, group in enumerate(groups):
            yield (*groups[:place], (*group, count - 1), *groups[place + 1 :])
        if len(groups) < k:
            yield (*groups, (count - 1,))


def selections(count: int, k: int) -> Iterator[tuple[Group, ...]]:
    """Every choice of at most k groups, overlapping or not, that holds all tasks."""
    every = [g for size in range(1, count + 1) for g in combinations(range(count), size)]
    for size in range(1, k + 1):
        for groups in combinations(every, size):
            if len({task for group in groups for task in group}) == count:
                yield groups


def matrices(most: int) -> st.SearchStrategy[np.ndarray]:
    cells = st.one_of(st.integers(-3, 3).map(float), st.floats(-1, 1, width=32))
    return st.integers(1, most).flatmap(
        lambda count: st.lists(cells, min_size=count**2, max_size=count**2).map(
            lambda flat: np.array(flat).reshape(count, count)
        )
    )


@settings(max_examples=40)
@given(matrices(7), st.data())
def test_no_grouping_has_more(values: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(values)))
    spec = PredictedGain().cluster(matrix_of(values), k)
    groups = tuple(tuple(map(int, cluster)) for cluster in spec.clusters)
    best = max(predicted(values, grouping) for grouping in groupings(len(values), k))
    assert len(groups) <= k
    assert predicted(values, groups) == pytest.approx(best, abs=1e-5)
    assert spec.provenance["predicted_gain"] == pytest.approx(predicted(values, groups))


@settings(max_examples=25)
@given(matrices(5), st.integers(1, 3))
def test_no_choice_of_overlapping_groups_has_more(values: np.ndarray, k: int) -> None:
    k = min(k, len(values))
    spec = PredictedGain(overlap=True).cluster(matrix_of(values), k)
    trained = tuple(tuple(map(int, group)) for group in spec.provenance["trained"])
    best = max(predicted(values, groups) for groups in selections(len(values), k))
    assert len(trained) == len(spec.clusters) <= k
    assert predicted(values, trained) == pytest.approx(best, abs=1e-5)
    assert spec.provenance["predicted_gain"] == pytest.approx(best, abs=1e-5)
    for served, group in zip(spec.clusters, trained, strict=True):
        assert set(map(int, served)) <= set(group)
        for task in map(int, served):
            others = [gain(values, task, other) for other in trained if task in other]
            assert gain(values, task, group) == pytest.approx(max(others), abs=1e-5)


def test_gains_of_groups() -> None:
    values = np.array([[5.0, 1.0, 2.0], [3.0, 5.0, 4.0], [6.0, 8.0, 5.0]])
    gains = group_gains(values)
    np.testing.assert_allclose(gains[0], [0, 0, 0, 3, 0, 6, 0, 4.5])
    np.testing.assert_allclose(gains[1], [0, 0, 0, 1, 0, 0, 8, 4.5])
    np.testing.assert_allclose(gains[2], [0, 0, 0, 0, 0, 2, 4, 3])


def test_more_groups_or_overlap_never_gain_less() -> None:
    matrix = load_matrix("paper:table3").select(["MNLI", "RTE", "WNLI", "CB", "BoolQ", "QQP"])
    plain, overlapping = (
        [
            PredictedGain(overlap).cluster(matrix, k).provenance["predicted_gain"]
            for k in range(1, 7)
        ]
        for overlap in (False, True)
    )
    assert plain == sorted(plain)
    assert overlapping == sorted(overlapping)
    assert all(b >= a - 1e-9 for a, b in zip(plain, overlapping, strict=True))
    assert overlapping[1] > plain[1]


def test_harm_leaves_every_task_alone() -> None:
    values = -np.ones((4, 4))
    spec = PredictedGain().cluster(matrix_of(values), 4)
    assert len(spec.clusters) == 4
    assert spec.provenance["predicted_gain"] == 0


def test_no_more_groups_than_gain_something() -> None:
    family = np.repeat([0, 1, 2], 4)
    values = (family[:, None] == family).astype(float)
    for count, k in ((8, 6), (12, 9)):
        spec = PredictedGain().cluster(matrix_of(values[:count, :count]), k)
        assert [len(cluster) for cluster in spec.clusters] == [4] * (count // 4)
        assert (spec.k, spec.provenance["budget"]) == (count // 4, k)


@pytest.mark.process
@pytest.mark.parametrize("overlap", [False, True])
def test_thirteen_tasks_take_seconds(overlap: bool) -> None:
    start_s = time.process_time()
    spec = PredictedGain(overlap).cluster(load_matrix("paper:table3"), 3)
    assert time.process_time() - start_s < 10
    expected = 0.0955 if overlap else 0.0926
    assert spec.provenance["predicted_gain"] == pytest.approx(expected, abs=5e-5)


def test_what_a_reader_is_told() -> None:
    matrix = load_matrix("paper:table3").select(["MNLI", "CB", "WNLI", "MultiRC"])
    best = max(predicted(matrix.values, groups) for groups in selections(4, 2))
    assert PredictedGain(overlap=True).cluster(matrix, 2).provenance["notes"] == [
        (
            f"predicted gain: {100 * best:.2f} %, mean over tasks; no choice of overlapping groups"
            " with at most 2 has more"
        ),
        PREDICTS,
        "trained for 0: MNLI, CB",
        "trained for 1: WNLI, MultiRC",
    ]


def many(count: int = 40, groups: int = 5, noise: float = 0.02) -> RelevanceMatrix:
    random = np.random.default_rng(0)
    family = np.arange(count) % groups
    values = np.where(family[:, None] == family, 0.1, -0.05)
    return matrix_of(values + random.normal(scale=noise, size=values.shape))


@pytest.mark.parametrize("overlap", [False, True])
def test_many_tasks_are_searched_and_bounded(overlap: bool) -> None:
    matrix = many(noise=0.08)
    spec = PredictedGain(overlap).cluster(matrix, 5)
    family = tuple(tuple(str(task) for task in range(first, 40, 5)) for first in range(5))
    told = spec.provenance
    if not overlap:
        assert spec.clusters == family
    groups = tuple(tuple(map(int, group)) for group in told.get("trained", spec.clusters))
    assert told["predicted_gain"] == pytest.approx(predicted(matrix.values, groups))
    planted = predicted(matrix.values, tuple(tuple(map(int, group)) for group in family))
    assert told["predicted_gain"] >= planted - 1e-9
    assert told["predicted_gain"] < told["bound"] < 1.5 * told["predicted_gain"]
    assert told["notes"][0].endswith(
        f" has more than {100 * told['bound']:.2f} (gap"
        f" {100 * (told['bound'] - told['predicted_gain']):.2f}; the best of a search)"
    )


def test_where_bound_and_groups_meet_they_are_proven() -> None:
    told = PredictedGain().cluster(many(noise=0.0), 5).provenance
    assert told["bound"] == pytest.approx(0.1)
    assert told["notes"][0] == (
        "predicted gain: 10.00 %, mean over tasks; no grouping with at most 5 has more"
    )


def test_one_group_of_many_needs_no_bound() -> None:
    told = PredictedGain().cluster(many(), 1).provenance
    assert told["bound"] == told["predicted_gain"] < 0


def test_what_each_task_is_predicted_to_gain() -> None:
    for overlap in (False, True):
        spec = PredictedGain(overlap).cluster(load_matrix("paper:table3"), 3)
        gains = spec.provenance["predicted"]
        assert list(gains) == list(load_matrix("paper:table3").tasks)
        assert np.mean(list(gains.values())) == pytest.approx(spec.provenance["predicted_gain"])
        assert spec.provenance["bound"] == spec.provenance["predicted_gain"]


@pytest.mark.process
def test_two_hundred_tasks_take_seconds() -> None:
    matrix = many(200, 15)
    start_s = time.process_time()
    spec = PredictedGain().cluster(matrix, 15)
    assert time.process_time() - start_s < 30
    assert len(spec.clusters) == 15

"""Gains learned from trained groups: closed forms, and planted gains that pairs do not tell."""

import numpy as np
import pytest

from relevance.clustering.measured_groups import MeasuredGroup
from relevance.clustering.methods.predicted_gain import PredictedGain, group_gains
from relevance.clustering.partition import best_partition, members
from relevance.clustering.surrogate import ALIKE, NOISE, surrogate_gains
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix

TASKS = tuple("ABCDEF")


def pairs(seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(6, 6))
    np.fill_diagonal(values, 0.0)
    return values


def group_of(names: str, gains: dict[str, float]) -> MeasuredGroup:
    return MeasuredGroup(frozenset(names), gains)


def test_without_trained_groups_pairs_say_it_all() -> None:
    pairwise = group_gains(pairs())
    gains, alike = surrogate_gains(pairwise, (), TASKS)
    np.testing.assert_array_equal(gains, pairwise)
    assert alike == 0


def test_one_trained_group_by_the_formula() -> None:
    pairwise = group_gains(pairs())
    gains, alike = surrogate_gains(pairwise, (group_of("ABC", {"A": 3.0}),), TASKS)
    assert alike in ALIKE
    known = [0b1, 0b11, 0b101, 0b1001, 0b10001, 0b100001, 0b111]
    apart = np.array([[(one ^ other).bit_count() for other in known] for one in known])
    deviations = np.zeros(7)
    deviations[-1] = 3.0 - pairwise[0, 0b111]
    weights = np.linalg.solve(alike**apart + NOISE * np.eye(7), deviations)
    for group in (0b111, 0b1111, 0b11):
        near = alike ** np.array([(group ^ other).bit_count() for other in known], dtype=float)
        assert gains[0, group] == pytest.approx(pairwise[0, group] + near @ weights)
    np.testing.assert_array_equal(gains[1:], pairwise[1:])  # of them nothing was measured
    assert gains[0, 0b1] == gains[0, 0b110] == 0


def test_a_trained_group_is_nearly_what_was_measured_and_far_ones_are_as_before() -> None:
    pairwise = group_gains(pairs())
    everyone = group_of("ABCDEF", dict.fromkeys(TASKS, 5.0))
    gains, _ = surrogate_gains(pairwise, (everyone,), TASKS)
    assert np.abs(gains[:, 63] - 5.0).max() < 0.2 * np.abs(pairwise[:, 63] - 5.0).max()
    moved = np.abs(gains - pairwise)
    assert moved[0, 0b111].max() < moved[0, 63]


def test_groups_that_help_only_as_three_are_found_by_training_some() -> None:
    """No pair gains, three of one family do: only trained groups can tell."""
    truth = np.zeros((64, 6))
    for group in range(64):
        for family in (0b111, 0b111000):
            if group & family == family:
                truth[group, members(family)] = 1.0 / len(members(group))
    matrix = RelevanceMatrix(np.full((6, 6), -0.01), TASKS, "joint-training")
    trained = (0b111, 0b111000, 0b110001, 0b111111, 0b101101, 0b010011)
    subsets = tuple(
        group_of(
            "".join(TASKS[task] for task in members(group)),
            {TASKS[task]: float(truth[group, task]) for task in members(group)},
        )
        for group in trained
    )
    assert PredictedGain().cluster(matrix, 2).clusters != (tuple("ABC"), tuple("DEF"))
    spec = PredictedGain(subsets=subsets).cluster(matrix, 2)
    assert spec.clusters == (tuple("ABC"), tuple("DEF"))
    assert "all pairs and 6 trained group(s)" in spec.provenance["notes"][1]
    of_groups = truth.sum(axis=1)
    assert set(best_partition(of_groups, 2)) == {0b111, 0b111000}


def test_pairs_that_were_trained_again_count_as_trained() -> None:
    pairwise = group_gains(pairs())
    gains, _ = surrogate_gains(pairwise, (group_of("AB", {"A": 9.0}),), TASKS)
    assert gains[0, 0b11] > 7


def test_groups_of_tasks_that_are_not_there_are_left_out() -> None:
    pairwise = group_gains(pairs())
    gains, _ = surrogate_gains(pairwise, (group_of("ABZ", {"A": 9.0}),), TASKS)
    np.testing.assert_array_equal(gains, pairwise)


def test_too_many_tasks() -> None:
    matrix = RelevanceMatrix(np.zeros((17, 17)), tuple(map(str, range(17))), "joint-training")
    subsets = (MeasuredGroup(frozenset({"0", "1", "2"}), {"0": 1.0}),)
    with pytest.raises(RelevanceError, match=r"goes up to 16 tasks; the matrix has 17\. Take"):
        PredictedGain(subsets=subsets).cluster(matrix, 3)

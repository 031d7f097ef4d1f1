"""Intervals of a matrix's values, and cells that no run makes worth reading."""

import numpy as np
import pytest
from scipy import stats

from relevance.matrices.intervals import beats_no_majority, covers_zero, half_widths, over_examples
from relevance.matrices.matrix import RelevanceMatrix

VALUES = np.array([[0.0, 0.10], [-0.02, 0.0]])
ERRORS = np.array([[0.0, 0.02], [0.01, 0.0]])


def matrix(**fields: object) -> RelevanceMatrix:
    return RelevanceMatrix(VALUES, ("RTE", "CB"), "joint-training", **fields)  # type: ignore[arg-type]


def test_several_seeds_take_students_t() -> None:
    widths = half_widths(matrix(standard_errors=ERRORS, seeds=(0, 1, 2)))
    assert widths == pytest.approx(stats.t.ppf(0.975, df=2) * ERRORS)


def test_a_cell_takes_the_t_of_its_own_seeds() -> None:
    """With two seeds of five an interval is 12.7 standard errors wide and not 2.8."""
    per_seed = np.zeros((5, 2, 2))
    per_seed[2:, 1, 0] = np.nan
    found = half_widths(matrix(standard_errors=ERRORS, seeds=tuple(range(5)), per_seed=per_seed))
    expected = np.array([[0, stats.t.ppf(0.975, 4) * 0.02], [stats.t.ppf(0.975, 1) * 0.01, 0]])
    assert found == pytest.approx(expected)


def test_one_seed_takes_the_normal_distribution() -> None:
    widths = half_widths(matrix(standard_errors=ERRORS, seeds=(0,)))
    assert widths == pytest.approx(stats.norm.ppf(0.975) * ERRORS)
    half = half_widths(matrix(standard_errors=ERRORS, seeds=(0,)), confidence=0.5)
    assert half == pytest.approx(stats.norm.ppf(0.75) * ERRORS)


def test_noise_over_examples_takes_the_normal_distribution_whatever_the_seeds() -> None:
    found = matrix(standard_errors=ERRORS, seeds=(0,), provenance={"noise": "examples"})
    assert over_examples(found)
    assert half_widths(found) == pytest.approx(stats.norm.ppf(0.975) * ERRORS)
    assert not over_examples(matrix(standard_errors=ERRORS, seeds=(0,)))
    assert not over_examples(matrix(seeds=(0, 1), provenance={"noise": "seeds"}))


def test_two_seeds_say_little() -> None:
    two, twenty = tuple(range(2)), tuple(range(20))
    assert covers_zero(matrix(standard_errors=ERRORS, seeds=two)).tolist() == [
        [False, True],
        [True, False],
    ]
    assert covers_zero(matrix(standard_errors=ERRORS, seeds=twenty)).tolist() == [
        [False, False],
        [True, False],
    ]


def test_without_standard_errors_nothing_is_uncertain() -> None:
    assert half_widths(matrix()) is None
    assert not covers_zero(matrix()).any()


def test_unknown_values_are_not_marked() -> None:
    unknown = matrix(standard_errors=np.full((2, 2), np.nan), seeds=(0, 1))
    assert not covers_zero(unknown).any()


@pytest.mark.parametrize(
    ("single", "joint", "marked"),
    [(0.2, 0.34, True), (0.2, 0.60, False), (0.60, 0.2, False), (0.563, 0.563, True)],
)
def test_cells_where_no_run_beats_the_majority(single: float, joint: float, marked: bool) -> None:
    found = beats_no_majority(
        matrix(
            single={"primary": [[0.9, single]]},
            joint={"primary": [[[None, joint], [0.9, None]]]},
            majority={"primary": [0.5, 0.563]},
        )
    )
    assert found.tolist() == [[False, marked], [False, False]]


@pytest.mark.parametrize(
    ("single", "joint", "marked"),
    [(0.8, 0.75, True), (0.8, 0.6, False), (0.6, 0.8, False), (0.69, 0.69, True)],
)
def test_gains_in_loss_are_judged_by_the_loss(single: float, joint: float, marked: bool) -> None:
    found = beats_no_majority(
        matrix(
            single={"primary": [[0.9, 0.9]], "loss": [[0.1, single]]},
            joint={
                "primary": [[[None, 0.9], [0.9, None]]],
                "loss": [[[None, joint], [0.1, None]]],
            },
            majority={"primary": [0.95, 0.95], "loss": [0.69, 0.69]},
            provenance={"metric": "loss"},
        )
    )
    assert found.tolist() == [[False, marked], [False, False]]


def test_seeds_are_averaged_and_unknown_scores_left_out() -> None:
    found = beats_no_majority(
        matrix(
            single={"gain": [[0.9, 0.5], [0.9, 0.4], [0.9, None]]},
            joint={"gain": [[[None, 0.7], [0.9, None]], [[None, 0.3], [None, None]]]},
            majority={"gain": [0.5, 0.49]},
        )
    )
    assert found.tolist() == [[False, False], [False, False]]
    without = matrix(single={"gain": [[0.9, 0.5]]}, joint=None, majority={"gain": [0.5, 0.6]})
    assert not beats_no_majority(without).any()

"""Intervals of baselines, and standard errors where there is nothing to resample."""

import math

import numpy as np
import pytest
from scipy import stats

from relevance.gains.baselines import half_widths, own_error, undefined
from relevance.gains.gain_choice import GainChoice
from relevance.tasks.find import catalogue


def test_several_seeds_take_students_t_and_one_the_normal_distribution() -> None:
    single = np.array([[0.5, 0.2], [0.6, 0.2], [0.7, 0.2]])
    expected = stats.t.ppf(0.975, df=2) * 0.1 / math.sqrt(3)
    assert half_widths(single, np.ones(2)) == pytest.approx([expected, 0])
    errors = np.array([0.1, np.nan])
    assert half_widths(single[:1], errors) == pytest.approx([stats.norm.ppf(0.975) * 0.1, 0])
    assert half_widths(single[:1]).tolist() == [0, 0]


def test_a_missing_seed_leaves_the_others_to_judge_by() -> None:
    single = np.array([[0.02, 0.5, 0.5], [0.9, 0.6, np.nan], [np.nan, 0.7, np.nan]])
    expected = stats.t.ppf(0.975, 1) * stats.sem(single[:2, 0])
    assert half_widths(single) == pytest.approx(
        [expected, stats.t.ppf(0.975, 2) * stats.sem(single[:, 1]), 0]
    )
    assert undefined(single, GainChoice()).tolist() == [True, False, False]


def test_a_missing_run_makes_a_gain_unknown_and_not_undefined() -> None:
    single = np.array([[0.5, -0.1], [np.nan, -0.1]])
    assert undefined(single, GainChoice()).tolist() == [False, True]


@pytest.mark.parametrize(
    ("task", "metric", "scores", "error"),
    [
        ("RTE", "gain", {"accuracy": 0.8}, math.sqrt(0.8 * 0.2 / 400)),
        ("CoLA", "primary", {"matthews": 0.6}, (1 - 0.36) / math.sqrt(399)),
        ("STS-B", "gain", {"pearson": 0.0, "spearman": 0.6}, (1 + 0.64) / 2 / math.sqrt(399)),
        ("RTE", "primary", {"accuracy": 0.0}, 0.0),
    ],
)
def test_formulas(task: str, metric: str, scores: dict[str, float], error: float) -> None:
    assert own_error(catalogue()[task], metric, scores, 400) == pytest.approx(error)


def test_losses_have_no_formula() -> None:
    assert math.isnan(own_error(catalogue()["RTE"], "loss", {}, 400))

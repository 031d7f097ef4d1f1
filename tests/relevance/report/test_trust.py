"""What is said about reliability, word by word."""

from dataclasses import replace

import numpy as np
import pytest

from relevance.gains.gain_choice import METRICS
from relevance.gains.study_scores import StudyScores
from relevance.matrices.gains_matrix import gains_matrix
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.report.trust import distrust, reliability_lines


def matrix(between_seeds: float | None, of_mean: float | None, seeds: int = 3) -> RelevanceMatrix:
    part = {"between_seeds": between_seeds, "of_mean": of_mean}
    column = {"between_seeds": 0.414, "of_mean": 0.679}
    other = {"between_seeds": 1.0, "of_mean": 1.0}
    return RelevanceMatrix(
        np.zeros((2, 2)),
        ("A", "B"),
        "joint-training",
        seeds=tuple(range(seeds)),
        joint={"loss": np.zeros((seeds, 2, 2)).tolist()},
        reliability={
            "loss": {"all_cells": other, "column_effect": column, "within_target": part},
            "gain": {"all_cells": other, "column_effect": other, "within_target": other},
        },
        provenance={"metric": "loss"},
    )


def test_both_parts_have_a_line() -> None:
    column, within = reliability_lines(matrix(0.12, 0.29))
    assert column == (
        "column effect (how much a target gains at all): reliability 0.68 of the mean of 3 seeds;"
        " two seeds correlate at 0.41"
    )
    assert within == (
        "within target (which source helps it more): reliability 0.29 of the mean of 3 seeds;"
        " two seeds correlate at 0.12"
    )
    assert reliability_lines(matrix(None, None))[1] == (
        "within target (which source helps it more): reliability unknown, too few gains known that"
        " differ"
    )


@pytest.mark.parametrize(
    ("between_seeds", "of_mean", "advice"),
    [
        (0.12, "0.29", "Seeds needed by Spearman-Brown: 5 more for 0.5, 15 for 0.7."),
        (-0.2, "-0.20", "These seeds do not agree at all, so how many would do is not to be told."),
    ],
)
def test_when_groups_should_not_be_trusted(between_seeds: float, of_mean: str, advice: str) -> None:
    assert distrust(matrix(between_seeds, float(of_mean))) == (
        f"The reliability within targets is {of_mean}, below 0.5: groups made from these gains"
        f" should not be trusted. {advice}"
    )


def test_when_nothing_is_to_be_said() -> None:
    assert distrust(matrix(0.25, 0.5)) is None


def test_several_seeds_whose_reliability_is_unknown() -> None:
    assert distrust(matrix(None, None)) == (
        "How reliable these gains are within targets is not known, as too few of them differ:"
        " groups made from them should not be trusted."
    )


def test_one_seed() -> None:
    one = replace(matrix(None, None, seeds=1), reliability=None)
    assert distrust(one) == (
        "One seed tells nothing about how reliable gains are, so groups made from them should not"
        " be trusted. Add seeds, such as `seeds=(0, 1, 2)`; runs that are done are kept."
    )
    assert reliability_lines(one) == []


@pytest.mark.parametrize("name", ["paper:table2", "paper:table3"])
def test_a_matrix_without_scores_is_not_judged(name: str) -> None:
    assert distrust(load_matrix(name)) is None
    assert reliability_lines(load_matrix(name)) == []


def test_an_older_file_is_judged_by_its_scores() -> None:
    random = np.random.default_rng(0)
    scores = {metric: random.uniform(0.4, 0.6, (3, 5)) for metric in METRICS}
    joint = {metric: random.uniform(0.4, 0.6, (3, 5, 5)) for metric in METRICS}
    new = gains_matrix(StudyScores("ABCDE", (0, 1, 2), scores, joint))
    old = replace(new, reliability=None)
    assert distrust(new) is not None
    assert distrust(old) == distrust(new)
    assert reliability_lines(old) == reliability_lines(new)

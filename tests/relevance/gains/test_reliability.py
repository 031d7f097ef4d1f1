"""Reliability over seeds: by hand, against textbook values, and recovered from simulated seeds."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from relevance.gains.formulas import own_baseline_gains
from relevance.gains.gain_choice import METRICS, GainChoice
from relevance.gains.reliability import (
    PARTS,
    between_seeds,
    reliabilities,
    reliability,
    seeds_needed,
    spearman_brown,
    split,
)
from relevance.gains.study_scores import StudyScores
from relevance.matrices.gains_matrix import gains_matrix
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.matrices.merge import merge_matrices

OFF = ~np.eye(3, dtype=bool)


def of_cells(*rows: list[float]) -> np.ndarray:
    """Gains of three tasks from the six cells off the diagonal, row by row, one seed a list."""
    gains = np.zeros((len(rows), 3, 3))
    gains[:, OFF] = rows
    return gains


def study(single_seeds: int = 6, seeds: int = 2, tasks: int = 4) -> RelevanceMatrix:
    random = np.random.default_rng(3)
    single = {name: random.uniform(0.4, 0.8, (single_seeds, tasks)) for name in METRICS}
    joint = {name: random.uniform(0.4, 0.8, (seeds, tasks, tasks)) for name in METRICS}
    names = [f"T{number}" for number in range(tasks)]
    return gains_matrix(StudyScores(names, range(seeds), single, joint))


def test_a_column_has_a_mean_and_what_is_left() -> None:
    column, within = split(of_cells([1, 2, 3, 4, 5, 9])[0])
    assert column.tolist() == [4, 5, 3]
    np.testing.assert_array_equal(within[OFF], [-4, -1, -1, 1, 1, 4])
    np.testing.assert_array_equal(np.isnan(within), ~OFF)


def test_two_seeds_by_hand() -> None:
    one, other = [1.0, 2.0, 3.0, 4.0, 5.0, 9.0], [2.0, 1.0, 4.0, 4.0, 5.0, 5.0]
    found = reliability(of_cells(one, other))
    r_all = np.corrcoef(one, other)[0, 1]
    # columns: 0 has cells 2 and 4, 1 has 0 and 5, 2 has 1 and 3
    columns = [[4.0, 5.0, 3.0], [4.5, 3.5, 2.5]]
    r_column = np.corrcoef(*columns)[0, 1]
    left = [[-4, -1, -1, 1, 1, 4], [-1.5, -1.5, -0.5, 1.5, 0.5, 1.5]]
    r_within = np.corrcoef(*left)[0, 1]
    for part, r in zip(PARTS, (r_all, r_column, r_within), strict=True):
        assert found[part]["between_seeds"] == pytest.approx(r)
        assert found[part]["of_mean"] == pytest.approx(2 * r / (1 + r))


@pytest.mark.parametrize(
    ("correlation", "seeds", "reliable"),
    [(0.6, 2, 0.75), (0.7, 2, 1.4 / 1.7), (0.2, 4, 0.5), (0.34, 1, 0.34), (1.0, 9, 1.0)],
)
def test_spearman_brown(correlation: float, seeds: int, reliable: float) -> None:
    assert spearman_brown(correlation, seeds) == pytest.approx(reliable)


@pytest.mark.parametrize("correlation", [0.0, -0.03, -1.0])
def test_what_no_seeds_share_no_mean_brings_out(correlation: float) -> None:
    assert spearman_brown(correlation, 2) == correlation
    assert seeds_needed(correlation, 0.5) is None


@given(st.floats(0.001, 0.999), st.floats(0.05, 0.95))
def test_the_seeds_needed_reach_what_is_wanted_and_one_less_does_not(
    correlation: float, wanted: float
) -> None:
    number = seeds_needed(correlation, wanted)
    assert number is not None
    assert spearman_brown(correlation, number) >= wanted - 1e-8
    assert number == 1 or spearman_brown(correlation, number - 1) < wanted


@pytest.mark.parametrize("seeds", [2, 5])
def test_known_reliability_is_recovered(seeds: int) -> None:
    """Column effects, effects within targets, and noise of each seed, with known variances."""
    random, tasks = np.random.default_rng(0), 60
    column, within = random.normal(0, 2, tasks), random.normal(0, 1, (tasks, tasks))
    noise = random.normal(0, 1.5, (seeds, tasks, tasks))
    luck = random.normal(0, 3, (seeds, 1, tasks))  # of the one baseline under a whole column
    found = reliability(column + within + noise + luck)
    r_within = 1 / (1 + 1.5**2)
    r_column = 4 / (4 + 9)
    r_all = (4 + 1) / (4 + 1 + 1.5**2 + 9)
    assert found["within_target"]["between_seeds"] == pytest.approx(r_within, abs=0.03)
    assert found["within_target"]["of_mean"] == pytest.approx(1 / (1 + 1.5**2 / seeds), abs=0.04)
    assert found["column_effect"]["between_seeds"] == pytest.approx(r_column, abs=0.2)
    assert found["all_cells"]["between_seeds"] == pytest.approx(r_all, abs=0.15)


def test_the_reliability_of_the_mean_is_the_correlation_of_two_such_means() -> None:
    random, tasks = np.random.default_rng(1), 80
    true = random.normal(0, 1, (tasks, tasks))
    gains = true + random.normal(0, 2, (8, tasks, tasks))
    found = reliability(gains[:4])["within_target"]["of_mean"]
    _, halves = split(np.stack([gains[:4].mean(axis=0), gains[4:].mean(axis=0)]))
    assert found == pytest.approx(between_seeds(halves.reshape(2, -1)), abs=0.03)


def test_seeds_that_share_no_run_do_not_share_its_luck() -> None:
    """Scores without any effect: with a mean baseline for all the columns would look reliable."""
    random, tasks, seeds = np.random.default_rng(2), 200, 3
    single = 0.6 + random.normal(0, 0.02, (9, tasks))
    joint = 0.6 + random.normal(0, 0.02, (seeds, tasks, tasks))
    own = reliability(own_baseline_gains(single, joint, GainChoice(normalise="absolute")))
    assert abs(own["column_effect"]["between_seeds"]) < 0.15
    shared = reliability(joint - single.mean(axis=0))
    assert shared["column_effect"]["between_seeds"] > 0.8


@pytest.mark.parametrize("single_seeds", [2, 5, 6])
def test_each_seed_has_its_paired_baseline_and_disjoint_others(single_seeds: int) -> None:
    single = np.arange(1.0, single_seeds + 1)[:, None] ** 2 * np.ones(3)
    joint = np.zeros((2, 3, 3))
    gains = own_baseline_gains(single, joint, GainChoice(normalise="absolute"))
    turns = {2: 1, 5: 2, 6: 3}[single_seeds]
    own = [np.mean([(seed + 2 * turn + 1) ** 2 for turn in range(turns)]) for seed in (0, 1)]
    assert gains[:, 0, 1].tolist() == [-own[0], -own[1]]
    np.testing.assert_array_equal(gains[:, 1, 1], 0)


@given(
    arrays(np.float64, (3, 5, 5), elements=st.floats(-1, 1, width=16)),
    st.permutations(range(5)),
    st.permutations(range(3)),
)
def test_order_of_tasks_and_seeds_does_not_matter(
    gains: np.ndarray, order: list[int], seeds: list[int]
) -> None:
    one, other = reliability(gains), reliability(gains[np.ix_(seeds, order, order)])
    for part in PARTS:
        for key, value in one[part].items():
            again = other[part][key]
            assert (value is None) == (again is None)
            if value is not None and again is not None:
                assert again == pytest.approx(value, abs=1e-6)


@given(arrays(np.float64, (2, 4, 4), elements=st.floats(-1, 1, width=16)))
def test_equal_seeds_are_fully_reliable_and_what_is_known_lies_within_bounds(
    gains: np.ndarray,
) -> None:
    for part in reliability(gains).values():
        if part["between_seeds"] is not None:
            assert -1 - 1e-9 <= part["of_mean"] <= 1 + 1e-9
    for part in reliability(np.stack([gains[0], gains[0]])).values():
        assert part["between_seeds"] is None or part["of_mean"] == pytest.approx(1)


def test_unknown_cells_are_left_out_for_all_seeds() -> None:
    random = np.random.default_rng(0)
    gains = random.normal(size=(2, 5, 5))
    gains[0, 1, 2] = np.nan
    holes = gains.copy()
    holes[1, 1, 2] = np.nan
    assert reliability(gains) == reliability(holes)
    assert all(math.isfinite(part["of_mean"]) for part in reliability(gains).values())
    whole_column = holes.copy()
    whole_column[:, :, 0] = np.nan
    column, within = split(whole_column)
    assert np.isnan(column).tolist() == [[True, False, False, False, False]] * 2
    rest = reliability(whole_column)["within_target"]["between_seeds"]
    assert rest == pytest.approx(between_seeds(within[:, :, 1:].reshape(2, -1)))


def test_too_little_to_correlate_is_unknown() -> None:
    nothing = {"between_seeds": None, "of_mean": None}
    assert reliability(np.ones((1, 4, 4))) == dict.fromkeys(PARTS, nothing)
    assert reliability(np.ones((2, 4, 4))) == dict.fromkeys(PARTS, nothing)
    assert reliability(np.full((2, 4, 4), np.nan)) == dict.fromkeys(PARTS, nothing)
    two_tasks = np.random.default_rng(0).normal(size=(3, 2, 2))
    assert reliability(two_tasks)["within_target"] == nothing


# In the matrix


def test_every_metric_has_its_reliability() -> None:
    found = study().reliability
    assert found is not None
    assert tuple(found) == METRICS
    assert all(tuple(of) == PARTS for of in found.values())
    scores = study()
    assert scores.single is not None
    assert scores.joint is not None
    gains = own_baseline_gains(scores.single["loss"], scores.joint["loss"], GainChoice("loss"))
    assert found["loss"] == reliability(gains)


def test_one_seed_says_nothing() -> None:
    assert study(3, 1).reliability is None
    assert reliabilities(None, None) is None
    assert reliabilities({"gain": [[0.5]]}, {"gain": [[[None]], [[None]]]}) is None


def test_it_survives_the_file_and_older_files_are_read(tmp_path: Path) -> None:
    study().save(tmp_path / "new.json")
    assert load_matrix(tmp_path / "new.json").reliability == study().reliability
    content = json.loads(study().to_json())
    del content["reliability"]
    (tmp_path / "old.json").write_text(json.dumps(content))
    assert load_matrix(tmp_path / "old.json") == replace(study(), reliability=None)


def test_a_selection_has_the_reliability_of_its_own(tmp_path: Path) -> None:
    study().save(tmp_path / "m.json")
    picked = load_matrix(tmp_path / "m.json").select(["T3", "T0", "T1"])
    assert picked.single is not None
    assert picked.joint is not None
    assert picked.reliability == reliabilities(picked.single, picked.joint)
    assert picked.reliability != study().reliability
    assert study().select(["T0"]).reliability is not None


def test_merged_seeds_are_judged_together() -> None:
    whole = study(6, 2)
    assert whole.single is not None
    assert whole.joint is not None
    parts = [
        gains_matrix(
            StudyScores(
                whole.tasks,
                (seed,),
                {name: table[seed::2] for name, table in whole.single.items()},
                {name: table[[seed]] for name, table in whole.joint.items()},
            ),
            provenance={"single_seeds": [seed, seed + 1000, seed + 2000]},
        )
        for seed in (0, 1)
    ]
    merged = merge_matrices(parts)
    assert merged.reliability is not None
    assert whole.reliability is not None
    for metric in METRICS:
        for part in PARTS:
            expected = whole.reliability[metric][part]
            assert merged.reliability[metric][part] == pytest.approx(expected)

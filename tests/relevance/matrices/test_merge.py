"""Matrices laid over each other: by seed, by task, and never over a contradiction."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import RelevanceError
from relevance.gains.gain_choice import METRICS, GainChoice
from relevance.gains.study_scores import StudyScores
from relevance.matrices.gains_matrix import gains_matrix, renormalised
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.matrices.merge import merge_matrices
from relevance.studies.study import single_run_seeds

TASKS = ("A", "B", "C", "D")


def study(
    seeds: tuple[int, ...], tasks: tuple[str, ...] = TASKS, **provenance: object
) -> RelevanceMatrix:
    """A study whose scores depend on task and seed alone, as those of real runs do."""
    alone = single_run_seeds(seeds)
    single = np.array([[_score(seed, task) for task in tasks] for seed in alone])
    joint = np.array(
        [
            [[_score(seed, s, t) if s != t else np.nan for t in tasks] for s in tasks]
            for seed in seeds
        ]
    )
    return gains_matrix(
        StudyScores(
            tasks,
            seeds,
            {metric: single + i for i, metric in enumerate(METRICS)},
            {metric: joint + i for i, metric in enumerate(METRICS)},
            {metric: [ord(task) / 100 for task in tasks] for metric in METRICS},
        ),
        cost={"seconds": float(len(alone))},
        provenance={
            "single_seeds": list(alone),
            "data": {task: task.lower() for task in tasks},
            "devices": ["cpu"],
            "shared_texts": {s: {t: 0 for t in tasks if t != s} for s in tasks},
            **provenance,
        },
    )


def _score(seed: int, *tasks: str) -> float:
    return float(np.random.default_rng([seed, *map(ord, tasks)]).uniform(0.5, 0.7))


def test_studies_of_different_seeds_make_one_study_of_all() -> None:
    merged = merge_matrices([study((0,)), study((1,)), study((2,))], ["one", "two", "three"])
    whole = study((0, 1, 2))
    np.testing.assert_allclose(merged.values, whole.values)
    np.testing.assert_allclose(merged.standard_errors, whole.standard_errors)
    np.testing.assert_allclose(merged.per_seed, whole.per_seed)
    assert merged.seeds == (0, 1, 2)
    assert merged.cost == {"seconds": 9.0}
    assert merged.provenance["merged"] == ["one", "two", "three"]
    assert sorted(merged.provenance["single_seeds"]) == sorted(whole.provenance["single_seeds"])


@given(first=st.permutations(TASKS), size=st.integers(1, 4))
def test_studies_of_different_tasks_fill_what_they_have(first: list[str], size: int) -> None:
    left, right = tuple(first[:size]), tuple(first[size - 1 :])
    merged = merge_matrices([study((0,), left), study((0,), right)])
    assert merged.tasks == tuple(first)
    whole = study((0,), tuple(first))
    for i, source in enumerate(merged.tasks):
        for j, target in enumerate(merged.tasks):
            together = {source, target} <= set(left) or {source, target} <= set(right)
            if together:
                assert merged.values[i, j] == pytest.approx(whole.values[i, j])
            else:
                assert np.isnan(merged.values[i, j])
    assert merged.majority is not None
    np.testing.assert_allclose(merged.majority["gain"], [ord(task) / 100 for task in first])
    assert merged.provenance["data"] == whole.provenance["data"]
    assert merged.provenance["shared_texts"].keys() == set(first)


def test_a_failed_run_is_filled_in_from_another_file() -> None:
    broken = study((0,), failed={"A & B, seed 0": "killed"})
    assert broken.joint is not None
    for metric in METRICS:
        broken.joint[metric][0, 0, 1] = broken.joint[metric][0, 1, 0] = np.nan
    merged = merge_matrices([broken, study((0,), ("B", "A"))])
    np.testing.assert_allclose(merged.values, study((0,)).values)
    assert "failed" not in merged.provenance


def test_a_single_run_done_twice_counts_with_its_mean() -> None:
    one, two = study((0,), ("A", "B")), study((0,), ("A", "C"))
    assert one.single is not None
    assert two.single is not None
    for metric in METRICS:
        two.single[metric][:, 0] += 0.1
    merged = merge_matrices([one, two])
    assert merged.single is not None
    np.testing.assert_allclose(merged.single["gain"][:, 0], one.single["gain"][:, 0] + 0.05)


def test_files_of_different_devices_say_so() -> None:
    merged = merge_matrices([study((0,)), study((1,), devices=["cuda"])])
    assert merged.provenance["warnings"] == [
        "The runs mix devices: cpu, cuda. Differences of devices may pass for gains."
    ]


@pytest.mark.parametrize("choice", [{}, {"metric": "loss"}, {"normalise": "absolute"}])
def test_merging_keeps_the_choice_of_gains_and_survives_the_file(
    tmp_path: Path, choice: dict[str, str]
) -> None:
    paths = [tmp_path / "0.json", tmp_path / "1.json"]
    for seed, path in enumerate(paths):
        renormalised(study((seed,)), GainChoice(**choice)).save(path)
    merged = merge_matrices([load_matrix(path) for path in paths])
    expected = renormalised(study((0, 1)), GainChoice(**choice))
    np.testing.assert_allclose(merged.values, expected.values)
    assert merged.unit == expected.unit


def with_noise(tasks: tuple[str, ...], seed: int = 0) -> RelevanceMatrix:
    """A study of one seed with standard errors over examples, each cell its own."""
    one = study((seed,), tasks)
    assert one.single is not None
    assert one.joint is not None
    errors = [[(ord(s) * ord(t)) / 1e5 if s != t else 0 for t in tasks] for s in tasks]
    return gains_matrix(
        StudyScores(tasks, one.seeds, one.single, one.joint, one.majority),
        provenance=one.provenance,
        evaluation_noise=np.array(errors),
    )


def test_noise_over_examples_is_kept_where_there_is_one_seed(tmp_path: Path) -> None:
    paths = [tmp_path / "0.json", tmp_path / "1.json"]
    with_noise(("A", "B", "C")).save(paths[0])
    with_noise(("D", "B", "A")).save(paths[1])
    merged = merge_matrices([load_matrix(path) for path in paths])
    expected = with_noise(TASKS).standard_errors
    assert expected is not None
    assert merged.standard_errors is not None
    expected[2, 3] = expected[3, 2] = np.nan
    np.testing.assert_allclose(merged.standard_errors, expected)
    assert merged.provenance["noise"] == "examples"
    assert merged.provenance["warnings"] == with_noise(TASKS).provenance["warnings"]
    picked = merged.select(["D", "A"])
    assert picked.provenance["noise"] == "examples"
    assert picked.standard_errors is not None
    assert picked.standard_errors[0, 1] == expected[3, 0]


def test_several_seeds_know_better_than_noise_over_examples() -> None:
    merged = merge_matrices([with_noise(TASKS, 0), with_noise(TASKS, 1)])
    np.testing.assert_allclose(merged.standard_errors, study((0, 1)).standard_errors)
    assert merged.provenance["noise"] == "seeds"
    assert merged.provenance["warnings"] == []


def test_estimates_of_one_seed_each_make_one_with_standard_errors() -> None:
    """As an estimate of both seeds has them: the deviation over seeds by the root of 2."""
    one, other = (
        RelevanceMatrix(np.array(values), ("A", "B"), "fisher", seeds=(seed,))
        for seed, values in enumerate(([[1.0, 0.2], [0.4, 1.0]], [[1.0, 0.4], [np.nan, 1.0]]))
    )
    merged = merge_matrices([one, other])
    assert merged.seeds == (0, 1)
    np.testing.assert_allclose(merged.values, [[1.0, 0.3], [np.nan, 1.0]])
    np.testing.assert_allclose(merged.standard_errors, [[0.0, 0.1], [np.nan, 0.0]])


def plain(values: list[list[float]], tasks: str, **more: object) -> RelevanceMatrix:
    return RelevanceMatrix(np.array(values), tuple(tasks), "joint-training", **more)  # type: ignore[arg-type]


def test_one_matrix_stays_what_it_is() -> None:
    one = plain([[0, 0.1], [0.2, 0]], "AB")
    assert replace(merge_matrices([one]), provenance={}) == one


def test_values_without_scores_fill_each_other_in() -> None:
    nan = float("nan")
    one = plain([[0, 0.1], [nan, 0]], "AB")
    two = plain([[0, 0.2, 0.3], [nan, 0, nan], [nan, 0.5, 0]], "BAC")
    merged = merge_matrices([one, two])
    assert merged.tasks == ("A", "B", "C")
    expected = [[0, 0.1, nan], [0.2, 0, 0.3], [0.5, nan, 0]]
    np.testing.assert_array_equal(merged.values, expected)


def test_values_of_different_seeds_are_averaged() -> None:
    one = plain([[0, 0.1], [0.2, 0]], "AB", seeds=(0,))
    two = plain([[0, 0.3], [0.4, 0]], "AB", seeds=(1,))
    merged = merge_matrices([one, two])
    np.testing.assert_allclose(merged.values, [[0, 0.2], [0.3, 0]])
    assert merged.per_seed is not None
    assert merged.per_seed.shape == (2, 2, 2)
    assert merged.seeds == (0, 1)


def test_means_over_seeds_count_as_often_as_they_have_seeds() -> None:
    one = plain([[0, 0.1], [0.2, 0]], "AB", seeds=(0, 1))
    two = plain([[0, 0.4], [0.2, 0]], "AB", seeds=(2,))
    merged = merge_matrices([one, two])
    np.testing.assert_allclose(merged.values, [[0, 0.2], [0.2, 0]])
    assert merged.per_seed is None


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        (
            plain([[0, 0.1], [0.2, 0]], "AB"),
            plain([[0, 0.25], [0.1, 0]], "BA"),
            (
                "one and two differ in B -> A: 0.2 and 0.25."
                " Measure it anew, or merge files of different seeds."
            ),
        ),
        (
            plain([[0.0]], "A"),
            replace(plain([[0.0]], "A"), measure="vocabulary"),
            "one has measure 'joint-training' and two 'vocabulary'.",
        ),
        (
            plain([[0.0]], "A"),
            plain([[0.0]], "A", unit="points"),
            "one has unit 'ratio' and two 'points'.",
        ),
        (
            study((0,)),
            study((1,), data={"B": "other"}),
            "one and two were measured on different data of task 'B'.",
        ),
        (
            plain([[0.0]], "A", seeds=(0, 1)),
            plain([[0.0]], "A", seeds=(1,)),
            (
                "one and two have seeds in common, and their values are means over different"
                " seeds. Merge files that keep `per_seed`."
            ),
        ),
    ],
)
def test_what_cannot_be_merged(one: RelevanceMatrix, two: RelevanceMatrix, message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        merge_matrices([one, two], ["one", "two"])
    assert str(error.value) == message


def test_scores_that_contradict_each_other() -> None:
    one, two = study((0,)), study((0,))
    assert two.joint is not None
    two.joint["gain"][0, 2, 1] = 0.5
    with pytest.raises(RelevanceError, match=r"^one and two differ in C -> B: 0\.\d+ and 0\.5\."):
        merge_matrices([one, two], ["one", "two"])

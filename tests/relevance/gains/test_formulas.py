"""Joint-training gains against closed forms, the paper's equations and simulated noise."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from relevance.errors import RelevanceError
from relevance.gains.formulas import gains, own_baseline_gains, scores
from relevance.gains.gain_choice import METRICS, NORMALISATIONS, GainChoice
from relevance.gains.study_scores import StudyScores
from relevance.interfaces.trainer import Result
from relevance.matrices.gains_matrix import gains_matrix, renormalised
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.tasks.find import catalogue

CHOICES = [
    (metric, normalise)
    for metric in METRICS
    for normalise in NORMALISATIONS
    if (metric, normalise) != ("loss", "absolute")
]
positive = st.floats(0.05, 0.95)


def matrix(
    single: np.ndarray, joint: np.ndarray, *choice: GainChoice, **more: Any
) -> RelevanceMatrix:
    tasks = [f"T{i}" for i in range(joint.shape[-1])]
    tables = dict.fromkeys(METRICS, single), dict.fromkeys(METRICS, joint)
    seeds = range(len(joint))
    return gains_matrix(StudyScores(tasks, seeds, *tables), *choice, **more)


def test_a_row_is_a_source() -> None:
    single = np.array([[0.5, 0.8]])
    joint = np.array([[[np.nan, 0.6], [0.75, np.nan]]])  # T1 does worse with T0, T0 better with T1
    np.testing.assert_allclose(matrix(single, joint).values, [[0, -0.25], [0.5, 0]])


def test_wnli_of_the_paper() -> None:
    """Its single run got 14 of 71 right and the best joint run 24."""
    single = np.array([[0.9, 14 / 71]])
    joint = np.array([[[np.nan, 24 / 71], [0.9, np.nan]]])
    assert matrix(single, joint).values[0, 1] == pytest.approx(10 / 14)
    printed = load_matrix("paper:table3").to_frame()["WNLI"]
    assert printed.max() == pytest.approx(10 / 14, abs=1e-4)


@pytest.mark.parametrize(
    ("metric", "normalise", "gain"),
    [
        ("gain", "relative", (0.7 - 0.6) / 0.6),
        ("primary", "absolute", 0.7 - 0.6),
        ("gain", "error", (0.7 - 0.6) / (1 - 0.6)),
        ("loss", "relative", (0.6 - 0.7) / 0.6),
        ("loss", "error", (0.6 - 0.7) / 0.6),
    ],
)
def test_closed_forms(metric: str, normalise: str, gain: float) -> None:
    per_seed, _ = gains(
        np.array([[0.6, 0.6]]), np.full((1, 2, 2), 0.7), GainChoice(metric, normalise)
    )
    np.testing.assert_allclose(per_seed, [[[0, gain], [gain, 0]]], rtol=1e-12)


@given(
    joint=arrays(np.float64, (3, 4, 4), elements=positive),
    single=arrays(np.float64, (6, 4), elements=st.floats(0.45, 0.55)),
    choice=st.sampled_from(CHOICES),
)
def test_properties(joint: np.ndarray, single: np.ndarray, choice: tuple[str, str]) -> None:
    found = matrix(single, joint, GainChoice(*choice))
    assert found.per_seed is not None
    assert found.standard_errors is not None
    np.testing.assert_array_equal(np.diag(found.values), 0)
    np.testing.assert_array_equal(np.diag(found.standard_errors), 0)
    np.testing.assert_allclose(found.values, found.per_seed.mean(axis=0))
    assert (found.standard_errors >= 0).all()
    better = joint.mean(axis=0) - single.mean(axis=0)
    off = ~np.eye(4, dtype=bool) & (np.abs(better) > 1e-9)
    sign = -1 if choice[0] == "loss" else 1
    np.testing.assert_array_equal(np.sign(found.values)[off], sign * np.sign(better)[off])


@given(
    joint=arrays(np.float64, (3, 3, 3), elements=positive),
    single=arrays(np.float64, (3, 3), elements=positive),
)
def test_with_equal_seeds_the_error_is_that_of_paired_differences(
    joint: np.ndarray, single: np.ndarray
) -> None:
    _, errors = gains(single, joint, GainChoice(normalise="absolute"))
    assert errors is not None
    differences = joint - single[:, None, :]
    expected = differences.std(axis=0, ddof=1) / np.sqrt(3)
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(errors[off], expected[off], atol=1e-12)


@pytest.mark.parametrize("single_seeds", [8, 24])
@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_standard_errors_are_the_spread_of_repeated_studies(
    single_seeds: int, normalise: str
) -> None:
    random = np.random.default_rng(0)
    values, errors = [], []
    for _ in range(600):
        luck = random.normal(0, 0.02, (single_seeds, 2))
        single = 0.6 + luck
        shared = 0.5 * luck[:8, None, :]  # joint and single runs of one seed have luck in common
        joint = 0.7 + shared + random.normal(0, 0.02, (8, 2, 2))
        per_seed, error = gains(single, joint, GainChoice(normalise=normalise))
        assert error is not None
        values.append(per_seed.mean(axis=0)[0, 1])
        errors.append(error[0, 1] ** 2)
    assert np.sqrt(np.mean(errors)) == pytest.approx(np.std(values), rel=0.1)


def test_one_seed_has_no_standard_errors() -> None:
    assert matrix(np.full((3, 2), 0.5), np.full((1, 2, 2), 0.5)).standard_errors is None


def test_one_seed_says_that_it_knows_the_noise_of_the_evaluation_only() -> None:
    single, joint = np.full((3, 2), 0.5), np.full((1, 2, 2), 0.5)
    errors = np.array([[0, 0.1], [np.nan, 0]])
    found = matrix(single, joint, evaluation_noise=errors)
    assert found.provenance["noise"] == "examples"
    np.testing.assert_array_equal(found.standard_errors, errors)
    assert found.provenance["warnings"] == [
        (
            "The standard errors come from one seed, by a bootstrap over held-out examples: they"
            " hold evaluation noise only, not that of training, which takes several seeds to tell."
        ),
        "1 gains have no standard error: a run behind them kept nothing for each row.",
    ]
    again = renormalised(found)
    assert again == found
    other = renormalised(found, GainChoice(normalise="absolute"))
    assert (other.standard_errors, other.provenance["noise"]) == (None, None)
    assert other.provenance["warnings"] == []


def test_where_no_run_kept_anything_there_are_no_standard_errors() -> None:
    errors = np.array([[0, np.nan], [np.nan, 0]])
    found = matrix(np.full((3, 2), 0.5), np.full((1, 2, 2), 0.5), evaluation_noise=errors)
    assert (found.standard_errors, found.provenance["noise"]) == (None, None)


def test_several_seeds_need_no_noise_over_examples() -> None:
    single, joint = np.full((3, 2), 0.5), np.full((2, 2, 2), 0.5)
    found = matrix(single, joint, evaluation_noise=np.ones((2, 2)))
    assert found.provenance["noise"] == "seeds"
    np.testing.assert_array_equal(found.standard_errors, 0)


def test_a_missing_run_leaves_its_cells_unknown() -> None:
    single, joint = np.full((3, 3), 0.5), np.full((2, 3, 3), 0.6)
    joint[1, 0, 1] = np.nan
    single[2, 2] = np.nan
    unknown = np.isnan(matrix(single, joint).values)
    assert unknown.tolist() == [[False, True, True], [False, False, True], [False, False, False]]


@pytest.mark.parametrize(
    ("baseline", "choice", "warning"),
    [
        (
            -0.02,
            {},
            (
                "T1: the mean single-task gain is -0.0200, which leaves its relative gains"
                ' undefined; `normalise="absolute"` is defined.'
            ),
        ),
        (
            1.0,
            {"metric": "primary", "normalise": "error"},
            (
                "T1: the mean single-task primary is 1.0000, which leaves its error gains"
                ' undefined; `normalise="absolute"` is defined.'
            ),
        ),
        (
            0.0,
            {"metric": "loss"},
            "T1: the mean single-task loss is 0.0000, which leaves its relative gains undefined.",
        ),
        (-0.02, {"normalise": "absolute"}, None),
    ],
)
def test_an_undefined_gain_is_unknown_and_said(
    baseline: float, choice: dict[str, str], warning: str | None
) -> None:
    found = matrix(np.array([[0.5, baseline]]), np.full((1, 2, 2), 0.6), GainChoice(**choice))
    assert found.provenance["warnings"] == ([] if warning is None else [warning])
    assert np.isnan(found.values[0, 1]) == (warning is not None)
    assert not np.isnan(found.values[1, 0])


@pytest.mark.parametrize(
    ("single", "choice", "said"),
    [
        (
            [0.038, -0.013],  # t(1) = 12.706, standard error .0255
            {},
            (
                "T1: the mean single-task gain is 0.0125 ± 0.3240 (95 % interval), too near 0: its"
                ' relative gains are undefined; `normalise="absolute"` is defined, more'
                " `single_seeds` narrow the interval."
            ),
        ),
        (
            [0.98, 0.94, 0.99],  # t(2) = 4.303, standard error .0153: 1 - .97 is less than .0657
            {"metric": "primary", "normalise": "error"},
            (
                "T1: the mean single-task primary is 0.9700 ± 0.0657 (95 % interval), too near 1:"
                ' its error gains are undefined; `normalise="absolute"` is defined, more'
                " `single_seeds` narrow the interval."
            ),
        ),
        (
            [0.1, 0.9, 0.2],
            {"metric": "loss"},
            (
                "T1: the mean single-task loss is 0.4000 ± 1.0828 (95 % interval), too near 0: its"
                " relative gains are undefined; more `single_seeds` narrow the interval."
            ),
        ),
        ([0.038, -0.013], {"normalise": "absolute"}, None),
        ([0.98, 0.94, 0.99], {}, None),
    ],
)
def test_a_baseline_whose_interval_holds_zero_is_not_divided_by(
    single: list[float], choice: dict[str, str], said: str | None
) -> None:
    scores = np.array([[0.5, score] for score in single])
    found = matrix(scores, np.full((2, 2, 2), 0.146), GainChoice(**choice))
    assert found.provenance["warnings"] == ([] if said is None else [said])
    assert found.per_seed is not None
    assert found.standard_errors is not None
    for cells in (found.values, found.per_seed, found.standard_errors):
        assert np.isnan(cells[..., 0, 1]).all() == (said is not None)
        assert np.isfinite(cells[..., 1, 0]).all()
    assert renormalised(found, GainChoice(**choice)) == found


def test_a_column_without_a_baseline_has_no_reliability_either() -> None:
    random = np.random.default_rng(0)
    joint = random.uniform(0.5, 0.6, (3, 4, 4))
    single = random.uniform(0.5, 0.6, (9, 4))
    single[:, 3] = np.linspace(-0.1, 0.2, 9)
    cells = own_baseline_gains(single, joint)
    assert np.isnan(cells[:, :3, 3]).all()
    assert np.isfinite(cells[:, :, :3]).all()


@pytest.mark.parametrize(("error", "defined"), [(0.03, True), (0.05, False)])
def test_one_single_run_has_the_interval_of_its_examples(error: float, defined: bool) -> None:
    tables = np.array([[0.5, 0.08]]), np.full((1, 2, 2), 0.6)
    found = gains_matrix(
        StudyScores(("T0", "T1"), [0], *(dict.fromkeys(METRICS, table) for table in tables)),
        provenance={"baseline_noise": {"gain": {"T1": error}}},
    )
    assert np.isfinite(found.values).all() == defined
    assert len(found.provenance["warnings"]) == (not defined)
    assert np.isfinite(found.select(["T1", "T0"]).values).all() == defined


def test_mixed_devices_and_trainers_are_said() -> None:
    tables = dict.fromkeys(METRICS, np.ones((1, 1))), dict.fromkeys(METRICS, np.ones((1, 1, 1)))
    mixed = {"devices": ["cpu", "cuda"], "trainers": ["a", "b"]}
    found = gains_matrix(StudyScores(["A"], [0], *tables), provenance=mixed)
    assert found.provenance["warnings"] == [
        "The runs mix devices: cpu, cuda. Differences of devices may pass for gains.",
        "The runs mix trainers: a, b. Differences of trainers may pass for gains.",
    ]


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        ({"A": {"B": 0}, "B": {"A": 0}}, []),
        ({"A": {"B": 12}, "drop_overlap": True}, []),
        (
            {"A": {"B": 12, "C": 1, "D": 0}, "B": {"A": 3, "C": 2}, "C": {"E": 99}},
            [
                (
                    "A trains on 12 of the texts that B is scored on; B trains on 3 of the texts"
                    " that A is scored on; B trains on 2 of the texts that C is scored on; 1 more"
                    " pair(s) share some. Such gains may be memory: `drop_overlap=True` leaves"
                    " these training rows out."
                )
            ],
        ),
    ],
)
def test_shared_texts_are_told_with_the_option_that_drops_them(
    shared: dict[str, Any], said: list[str]
) -> None:
    tables = dict.fromkeys(METRICS, np.ones((1, 4))), dict.fromkeys(METRICS, np.ones((1, 4, 4)))
    provenance = {"drop_overlap": shared.pop("drop_overlap", False), "shared_texts": shared}
    found = gains_matrix(StudyScores("ABCD", [0], *tables), provenance=provenance)
    assert found.provenance["warnings"] == said


@pytest.mark.parametrize(("metric", "normalise"), CHOICES)
def test_every_choice_can_be_made_later_from_the_file(
    tmp_path_factory: pytest.TempPathFactory, metric: str, normalise: str
) -> None:
    random = np.random.default_rng(1)
    single, joint = random.uniform(0.2, 0.9, (6, 3)), random.uniform(0.2, 0.9, (2, 3, 3))
    joint[:, np.eye(3, dtype=bool)] = np.nan
    file = tmp_path_factory.mktemp("matrix") / "gains.json"
    matrix(single, joint).save(file)
    later = renormalised(load_matrix(file), GainChoice(metric, normalise))
    assert later == matrix(single, joint, GainChoice(metric, normalise))
    assert later.unit == ("points" if normalise == "absolute" else "ratio")


def test_scores_of_a_result() -> None:
    result = Result({"accuracy": 0.8, "f1": 0.6}, 0.4)
    assert scores(catalogue()["MRPC"], result) == {
        "gain": pytest.approx(0.7),
        "primary": 0.8,
        "loss": 0.4,
    }


def test_a_matrix_without_scores_has_no_other_gains() -> None:
    with pytest.raises(RelevanceError) as error:
        renormalised(load_matrix("paper:table2"), GainChoice("loss"))
    assert str(error.value) == (
        "This vocabulary matrix holds no scores of single and joint training, which `metric`"
        " and `normalise` go by. The JSON that `relevance pairwise` writes does."
    )

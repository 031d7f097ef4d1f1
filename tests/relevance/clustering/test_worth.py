"""Mean gains within and across groups against closed forms, and harm that is always told."""

import numpy as np
import pytest

from relevance.clustering.assign import joined
from relevance.clustering.resting import resting_on
from relevance.clustering.spec import ClusterSpec
from relevance.clustering.worth import group_worth
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TASKS = ("A", "B", "C", "D")
SPEC = ClusterSpec(clusters=(("A", "C"), ("B", "D")))
VALUES = np.array(
    [  # A     B      C     D
        [0.00, 0.04, 0.10, 0.04],
        [0.04, 0.00, 0.04, -0.1],
        [-0.02, 0.04, 0.00, 0.04],
        [np.nan, -0.2, 0.01, 0.00],
    ]
)


def gains(values: np.ndarray = VALUES, unit: str = "ratio") -> RelevanceMatrix:
    return RelevanceMatrix(values, TASKS, "joint-training", unit=unit)


def test_means_of_tasks_groups_and_all() -> None:
    worth = group_worth(gains(), SPEC)
    assert worth is not None
    known = [(part.name, part.within, part.across) for part in (*worth.tasks, *worth.groups)]
    expected = [
        ("A", -0.02, 0.04),
        ("C", 0.10, 0.025),
        ("B", -0.2, 0.04),
        ("D", -0.1, 0.04),
        ("A, C", 0.04, 0.03),
        ("B, D", -0.15, 0.04),
    ]
    for (name, *means), (wanted, *numbers) in zip(known, expected, strict=True):
        assert name == wanted
        assert means == pytest.approx(numbers)
    assert worth.whole.within == pytest.approx(-0.055)
    assert worth.whole.across == pytest.approx(0.25 / 7)
    assert worth.overall == pytest.approx(0.03 / 11)
    assert [(row["group"], row["task"]) for row in worth.rows()] == [
        ("0", "A"),
        ("0", "C"),
        ("0", "mean"),
        ("1", "B"),
        ("1", "D"),
        ("1", "mean"),
    ]
    assert worth.rows()[2]["within (%)"] == pytest.approx(4.0)


def test_harm_is_told() -> None:
    worth = group_worth(gains(), SPEC)
    assert worth is not None
    assert worth.lines() == [
        "mean gain within groups -5.50 %, across groups +3.57 %; training alone is 0",
        "alone is better: in these groups tasks gain -5.50 %",
        "tasks gain more from other groups than from their own",
        "group 1 (B, D) harms itself: -15.00 %, so alone is better",
        "alone is better than its group for A (-2.00 %), B (-20.00 %) and D (-10.00 %)",
        "in one group but harm each other: B & D (-20.00 %, -10.00 %)",
        "1 unknown gains are left out of these means",
    ]


def test_groups_that_help_are_told_in_one_line() -> None:
    good = np.where(np.eye(4, dtype=bool), 0, 0.01)
    good[0, 2] = 0.05
    worth = group_worth(gains(good, "points"), SPEC)
    assert worth is not None
    assert worth.lines() == [
        "mean gain within groups +2.00 points, across groups +1.00 points; training alone is 0"
    ]


def test_tasks_that_are_all_alone_have_no_gain_within() -> None:
    bad = np.where(np.eye(4, dtype=bool), 0, -0.01)
    worth = group_worth(gains(bad), ClusterSpec(clusters=tuple((task,) for task in TASKS)))
    assert worth is not None
    assert worth.whole.within is None
    assert worth.lines() == [
        "mean gain across groups -1.00 %; training alone is 0",
        "alone is better: any two tasks gain -1.00 % together",
    ]
    assert [row["within (%)"] for row in worth.rows()] == [None] * 4


def test_many_tasks_have_a_row_for_each_group() -> None:
    names = tuple(f"T{n}" for n in range(40))
    matrix = RelevanceMatrix(np.zeros((40, 40)), names, "joint-training")
    worth = group_worth(matrix, ClusterSpec(clusters=(names[:39], names[39:])))
    assert worth is not None
    assert [row["task"] for row in worth.rows()] == ["mean", "mean"]


def test_likenesses_say_nothing_about_training_alone() -> None:
    matrix = load_matrix("paper:table2")
    assert group_worth(matrix, ClusterSpec(clusters=(matrix.tasks,))) is None


def test_the_groups_must_be_those_of_the_tasks() -> None:
    with pytest.raises(RelevanceError, match="leaves out 'B'"):
        group_worth(gains(), ClusterSpec(clusters=(("A",),)))


def test_a_spec_keeps_the_numbers_until_it_grows() -> None:
    worth = group_worth(gains(), SPEC)
    assert worth is not None
    spec = worth.kept_in(SPEC)
    kept = spec.provenance["gains"]
    assert kept["tasks"]["B"] == {"within": pytest.approx(-0.2), "across": pytest.approx(0.04)}
    assert kept["lines"] == worth.lines()
    assert ClusterSpec.model_validate_json(spec.model_dump_json()) == spec
    assert "gains" not in joined(spec, {"E": 0}).provenance


def test_what_groups_rest_on() -> None:
    assert resting_on(gains()) is None
    marked = RelevanceMatrix(
        VALUES,
        TASKS,
        "joint-training",
        standard_errors=np.full((4, 4), 0.01),  # normal: .0196
        seeds=(0,),
        single={"primary": [[0.7, 0.7, 0.7, 0.5]]},
        joint={"primary": [[[0.7, 0.7, 0.7, 0.52]] * 3 + [[0.7, -0.1, 0.7, 0.52]]]},
        majority={"primary": [0.6, 0.6, 0.6, 0.6]},
    )
    line = "resting on marked cells: 5 of 11 (1 noise, 3 below the majority class, 1 collapsed)"
    assert resting_on(marked) == line
    assert resting_on(marked, ["B", "D"]) == f"{line}; of deciding columns B 1 of 3 and D 3 of 3"

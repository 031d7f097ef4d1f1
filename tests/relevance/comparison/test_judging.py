"""Measures beside a reference, by hand on three tasks."""

import math

import numpy as np
import pytest

from relevance.comparison.judging import compare_with, different_names
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TABLE2, TABLE3 = load_matrix("paper:table2"), load_matrix("paper:table3")
NAN = float("nan")
GAINS = RelevanceMatrix(
    np.array([[0, 0.1, -0.2], [0.3, 0, 0.4], [-0.1, 0.2, 0]]),
    ("A", "B", "C"),
    "joint-training",
    cost={"seconds": 800.0},
)
CHEAP = RelevanceMatrix(
    np.array([[1, 0.5, 0.1], [0.2, 1, 0.6], [0.4, 0.3, 1]]),
    ("A", "B", "C"),
    "vocabulary",
    cost={"seconds": 2.0},
)


def test_three_tasks_by_hand() -> None:
    (row,) = compare_with(GAINS, [CHEAP], ["vocabulary"]).rows
    assert (row.measure, row.pairs, row.left_out) == ("vocabulary", 6, 0)
    # ranks 3 1 5 6 2 4 of the gains and 5 1 2 6 4 3 of the measure, pairs row by row
    assert row.spearman == pytest.approx(1 - 6 * 18 / (6 * 35))
    assert row.kendall == pytest.approx((10 - 5) / 15)
    # within targets the measure's ranks are 4.5 1 2.5 6 4.5 2.5
    assert row.spearman_within == pytest.approx(8.5 / math.sqrt(17.5 * 16.5))
    assert row.kendall_within == pytest.approx((9 - 4) / math.sqrt(15 * 13))
    assert row.precision == 1 / 2  # called negative: A -> C, which is, and B -> A, which is not
    assert (row.seconds, row.cost_share) == (2.0, 1 / 400)
    assert row.share_of_ceiling is None


def test_a_measure_is_judged_the_same_whatever_its_order_and_scale() -> None:
    (row,) = compare_with(TABLE3, [TABLE2], ["measure"], k=3).rows
    turned = TABLE2.select(sorted(TABLE2.tasks, reverse=True))
    (same,) = compare_with(TABLE3, [turned], ["measure"], k=3).rows
    assert same == row
    grown = RelevanceMatrix(np.exp(TABLE2.values), TABLE2.tasks, "other")
    (other,) = compare_with(TABLE3, [grown], ["measure"], k=3).rows
    assert (other.spearman, other.kendall) == pytest.approx((row.spearman, row.kendall))
    assert other.precision == row.precision


def test_the_reference_itself_is_right_in_everything() -> None:
    (row,) = compare_with(TABLE3, [TABLE3], ["itself"]).rows
    assert (row.spearman, row.kendall_within, row.precision) == pytest.approx((1, 1, 1))
    assert row.adjusted_rand == 1


def test_groups_are_the_papers_at_three() -> None:
    comparison = compare_with(TABLE3, [TABLE2], ["vocabulary"], k=3)
    assert comparison.groups is not None
    assert [len(group) for group in comparison.groups.clusters] == [4, 5, 4]
    assert comparison.rows[0].adjusted_rand == pytest.approx(-0.02, abs=1e-9)


def test_without_k_the_best_silhouette_of_the_reference() -> None:
    planted = np.kron(np.eye(3), np.ones((3, 3))) + 0.01 * np.arange(81).reshape(9, 9) % 0.05
    reference = RelevanceMatrix(planted, tuple("ABCDEFGHI"), "gains")
    groups = compare_with(reference, [reference], ["same"]).groups
    assert groups is not None
    assert groups.clusters == (("A", "B", "C"), ("D", "E", "F"), ("G", "H", "I"))


def test_families_of_a_reference_are_its_groups_and_their_number_is_k() -> None:
    families = {"one": ["A", "C"], "two": ["B", "D"]}
    values = np.array([[1.0, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]])
    taxonomy = RelevanceMatrix(values, tuple("ABCD"), "taxonomy", provenance={"families": families})
    plain = RelevanceMatrix(values, tuple("ABCD"), "plain")
    comparison = compare_with(taxonomy, [plain], ["plain"])
    assert comparison.groups is not None
    assert comparison.groups.names == ("one", "two")
    assert comparison.rows[0].adjusted_rand == 1


def test_only_the_tasks_that_all_share_count() -> None:
    few = TABLE2.select(["CB", "MNLI", "QQP", "RTE"])
    comparison = compare_with(TABLE3, [TABLE2, few], ["all", "few"])
    assert comparison.reference.tasks == ("MNLI", "RTE", "CB", "QQP")
    assert [matrix.tasks for matrix in comparison.measures] == [("MNLI", "RTE", "CB", "QQP")] * 2
    assert comparison.left_out == tuple(t for t in TABLE3.tasks if t not in few.tasks)
    first, second = comparison.rows
    assert (first.spearman, first.pairs) == (second.spearman, second.pairs)


def test_unknown_pairs_are_left_out_and_counted() -> None:
    values = CHEAP.values.copy()
    values[0, 2] = values[1, 1] = NAN
    comparison = compare_with(GAINS, [RelevanceMatrix(values, CHEAP.tasks, "m")], ["m"], k=2)
    (row,) = comparison.rows
    assert (row.pairs, row.left_out) == (5, 1)
    # A -> C is gone, so one negative pair is left, C -> A, and B -> A has the lowest value
    assert row.precision == 0
    assert row.adjusted_rand is None
    (reason,) = comparison.ungrouped
    assert reason.startswith("m: The matrix has no value for A -> C, B -> B. ")


def test_a_reference_with_unknown_pairs_has_no_groups() -> None:
    values = GAINS.values.copy()
    values[2, 1] = NAN
    comparison = compare_with(RelevanceMatrix(values, GAINS.tasks, "g"), [CHEAP], ["m"])
    assert comparison.groups is None
    assert comparison.rows[0].adjusted_rand is None
    (reason,) = comparison.ungrouped
    assert reason.startswith("the reference: The matrix has no value for C -> B. ")


def test_constant_matrices() -> None:
    constant = RelevanceMatrix(np.ones((3, 3)), GAINS.tasks, "constant")
    comparison = compare_with(GAINS, [constant], ["constant"], k=2)
    (row,) = comparison.rows
    assert math.isnan(row.spearman)
    assert math.isnan(row.spearman_within)
    assert row.precision == pytest.approx(2 / 6)
    assert row.adjusted_rand is None
    assert comparison.ungrouped == (
        "constant: Only 1 of 3 tasks have rows that differ: k must be between 1 and 1, got 2.",
    )
    (row,) = compare_with(constant, [GAINS], ["gains"]).rows
    assert math.isnan(row.precision)
    assert row.cost_share is None


def test_matrices_of_one_measure_are_called_after_their_files() -> None:
    matrices = [TABLE2, TABLE3, TABLE2.select(["CB", "RTE"])]
    assert different_names(matrices, ["a.json", "b.json", "c.json"]) == [
        "a.json",
        "joint-training",
        "c.json",
    ]


@pytest.mark.parametrize(
    ("measures", "names", "k", "message"),
    [
        ([], [], None, "Comparing with a reference takes at least one matrix, got none."),
        (
            [TABLE2, TABLE2],
            ["a", "a"],
            None,
            "Matrices to compare need different names, got a, a.",
        ),
        (
            [TABLE2, TABLE2.select(["CB", "RTE"])],
            ["a", "b"],
            None,
            "The reference and a, b share 2 tasks; comparing them takes at least 3.",
        ),
        ([TABLE2], ["a"], 14, "k must be between 1 and 13, the number of tasks, got 14."),
    ],
)
def test_what_cannot_be_compared(
    measures: list[RelevanceMatrix], names: list[str], k: int | None, message: str
) -> None:
    with pytest.raises(RelevanceError) as raised:
        compare_with(TABLE3, measures, names, k=k)
    assert str(raised.value) == message

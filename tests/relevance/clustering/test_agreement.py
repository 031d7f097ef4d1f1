"""Agreement of matrices and of groups."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.clustering.agreement import adjusted_rand, compare, rank_correlations
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TABLE2, TABLE3 = load_matrix("paper:table2"), load_matrix("paper:table3")


def test_the_papers_tables() -> None:
    (row,) = compare([TABLE2, TABLE3], ["vocabulary", "gains"], 3)
    assert (row.first, row.second, row.tasks, row.pairs, row.left_out) == (
        "vocabulary",
        "gains",
        13,
        156,
        0,
    )
    assert row.spearman == pytest.approx(0.1669, abs=1e-4)
    assert row.kendall == pytest.approx(0.1222, abs=1e-4)
    assert row.adjusted_rand == pytest.approx(-0.02, abs=1e-9)


def test_a_matrix_agrees_with_itself_and_any_increasing_change_of_it() -> None:
    changed = RelevanceMatrix(np.exp(TABLE3.values), TABLE3.tasks, "changed")
    for row in compare([TABLE3, TABLE3, changed], ["a", "b", "c"]):
        assert row.spearman == pytest.approx(1)
        assert row.kendall == pytest.approx(1)
        assert row.adjusted_rand is None


def test_only_common_tasks_in_any_order_and_known_values_count() -> None:
    values = TABLE3.values.copy()
    values[0, 1] = values[0, 0] = np.nan
    unknown = RelevanceMatrix(values, TABLE3.tasks, "gains").select(
        ["CB", "MNLI", "QNLI", "WNLI", "RTE"]
    )
    (row,) = compare([TABLE3.select(["MNLI", "QNLI", "CB", "IMDB"]), unknown], ["a", "b"])
    assert (row.tasks, row.pairs, row.left_out) == (3, 5, 1)
    assert row.spearman == pytest.approx(1)


def test_constant_values_have_no_ranks() -> None:
    constant = RelevanceMatrix(np.zeros((13, 13)), TABLE3.tasks, "zeros")
    (row,) = compare([TABLE3, constant], ["a", "b"])
    assert math.isnan(row.spearman)
    assert math.isnan(row.kendall)
    assert all(math.isnan(value) for value in rank_correlations(np.ones(1), np.ones(1)))


def test_families_are_the_groups_of_a_taxonomy() -> None:
    families = {"one": ["A", "B"], "two": ["C", "D"]}
    same = np.kron(np.eye(2), np.ones((2, 2)))
    taxonomy = RelevanceMatrix(
        np.eye(4), tuple("ABCD"), "taxonomy", provenance={"families": families}
    )
    (row,) = compare([taxonomy, RelevanceMatrix(same, tuple("ABCD"), "test")], ["t", "m"], 2)
    assert row.adjusted_rand == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=9))
def test_the_adjusted_rand_index_counts_pairs(labels: list[tuple[int, int]]) -> None:
    def spec(side: int) -> ClusterSpec:
        groups: dict[int, list[str]] = {}
        for number, pair in enumerate(labels):
            groups.setdefault(pair[side], []).append(f"T{number}")
        return ClusterSpec(clusters=tuple(map(tuple, groups.values())))

    pairs = list(combinations(labels, 2))
    first = sum(one[0] == other[0] for one, other in pairs)
    second = sum(one[1] == other[1] for one, other in pairs)
    both = sum(one == other for one, other in pairs)
    expected, largest = first * second / len(pairs), (first + second) / 2
    index = 1.0 if largest == expected else (both - expected) / (largest - expected)
    assert adjusted_rand(spec(0), spec(1)) == pytest.approx(index)


def test_groups_are_compared_on_common_tasks() -> None:
    first = ClusterSpec(clusters=(("A", "B", "X"), ("C",)))
    second = ClusterSpec(clusters=(("C", "Y"), ("A", "B")))
    assert adjusted_rand(first, second) == 1


@pytest.mark.parametrize(
    ("matrices", "names", "k", "message"),
    [
        ([TABLE2], ["a"], None, "Comparing takes at least two matrices, got 1."),
        (
            [TABLE2, TABLE3],
            ["a", "a"],
            None,
            "Matrices to compare need different names, got a, a.",
        ),
        (
            [TABLE2, RelevanceMatrix(np.eye(2), ("CB", "mine"), "test")],
            ["a", "b"],
            None,
            "a and b share 1 of 13 and 2 tasks; comparing takes at least two.",
        ),
        (
            [TABLE2.select(["CB", "RTE"]), TABLE3],
            ["a", "b"],
            3,
            "a: k must be between 1 and 2, the number of tasks, got 3.",
        ),
    ],
)
def test_what_cannot_be_compared(
    matrices: list[RelevanceMatrix], names: list[str], k: int | None, message: str
) -> None:
    with pytest.raises(RelevanceError) as raised:
        compare(matrices, names, k)
    assert str(raised.value) == message


def test_groups_with_too_little_in_common() -> None:
    with pytest.raises(RelevanceError, match="The groups share 1 tasks; comparing them takes"):
        adjusted_rand(ClusterSpec(clusters=(("A", "B"),)), ClusterSpec(clusters=(("A",), ("C",))))

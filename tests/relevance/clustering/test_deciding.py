"""Columns that decide the groups."""

import time

import numpy as np
import pytest

from relevance.clustering.deciding import deciding_columns
from relevance.clustering.kmeans import kmeans
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrix import RelevanceMatrix, load_matrix


def test_table_3_hangs_on_two_columns() -> None:
    matrix = load_matrix("paper:table3")
    columns = deciding_columns(matrix, kmeans(matrix, 3))
    assert columns.carrying == ("WNLI", "CB")
    assert columns.share == pytest.approx(0.9518, abs=1e-3)
    assert columns.changing == ("WNLI",)
    assert str(columns) == (
        "deciding columns: WNLI, CB carry 95 % of the variance; removing WNLI changes the groups"
    )


def test_table_2_changes_without_snli() -> None:
    matrix = load_matrix("paper:table2")
    columns = deciding_columns(matrix, kmeans(matrix, 3))
    assert columns.changing == ("SNLI",)
    assert len(columns.carrying) == 11
    assert str(columns).endswith("; removing SNLI changes the groups")


def test_the_fewest_columns_that_reach_90_percent() -> None:
    matrix = load_matrix("paper:table2")
    columns = deciding_columns(matrix, kmeans(matrix, 3))
    variance = dict(zip(matrix.tasks, matrix.values.var(axis=0), strict=True))
    total = sum(variance.values())
    carried = [variance[task] / total for task in columns.carrying]
    assert carried == sorted(carried, reverse=True)
    assert sum(carried) >= 0.9 > sum(carried[:-1])
    assert columns.share == pytest.approx(sum(carried))


@pytest.mark.parametrize(
    ("values", "k", "line"),
    [
        (
            [[0, 0, 0], [0, 0, 0], [1, 0, 0]],
            2,
            "A carries 100 % of the variance; removing A changes the groups",
        ),
        (
            [[0, 0, 0], [5, 5, 0], [5, 5, 0]],
            2,
            "A, B carry 100 % of the variance; no column's removal changes the groups",
        ),
        ([[1, 2, 3], [1, 2, 3], [1, 2, 3]], 1, "none, all rows are equal"),
        (
            [[0, 0, 0], [1, 0, 0], [0, 1, 0]],
            3,
            "A, B carry 100 % of the variance; removing A or B changes the groups",
        ),
    ],
)
def test_the_line(values: list[list[float]], k: int, line: str) -> None:
    matrix = RelevanceMatrix(np.array(values, dtype=float), ("A", "B", "C"), "test")
    assert str(deciding_columns(matrix, kmeans(matrix, k))) == f"deciding columns: {line}"


def test_groups_of_other_tasks() -> None:
    with pytest.raises(RelevanceError, match=r"leaves out 'MNLI', which this matrix has\."):
        deciding_columns(load_matrix("paper:table3"), ClusterSpec(clusters=(("CB",),)))


def test_forty_tasks_take_seconds() -> None:
    values = np.random.default_rng(0).normal(size=(40, 40))
    matrix = RelevanceMatrix(values, tuple(f"T{number}" for number in range(40)), "test")
    spec = kmeans(matrix, 5)
    start_s = time.process_time()
    deciding_columns(matrix, spec)
    assert time.process_time() - start_s < 20

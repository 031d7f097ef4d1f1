"""Columns that decide the groups."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relevance.clustering.column_influence import deciding_columns, moving_pays
from relevance.clustering.methods.kmeans import kmeans
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix


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


def inertia(rows: np.ndarray, labels: np.ndarray) -> float:
    return sum(
        float(np.square(rows[labels == group] - rows[labels == group].mean(axis=0)).sum())
        for group in np.unique(labels)
    )


@settings(max_examples=30)
@given(st.integers(0, 200))
def test_moving_pays_where_some_move_lowers_the_inertia(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(8, 4)) * random.choice([0.1, 1, 3], size=4)
    labels = np.append(random.integers(0, 3, size=5), range(3))

    def moves_that_pay(some: np.ndarray) -> set[tuple[int, int]]:
        found = set()
        for task in range(8):
            for group in range(3):
                moved = np.where(np.arange(8) == task, group, labels)
                if len(np.unique(moved)) == 3 and inertia(some, moved) < inertia(some, labels):
                    found.add((task, group))
        return found

    before = moves_that_pay(rows)
    plain = [bool(moves_that_pay(np.delete(rows, column, 1)) - before) for column in range(4)]
    assert moving_pays(rows, labels).tolist() == plain


@pytest.mark.parametrize("name", ["paper:table2", "paper:table3"])
@pytest.mark.parametrize("k", [3, 5])
def test_a_move_that_pays_is_found_by_a_new_search_too(name: str, k: int) -> None:
    matrix = load_matrix(name)
    spec = kmeans(matrix, k)
    labels = np.array([spec.cluster_of(task) for task in matrix.tasks])
    columns = np.flatnonzero(moving_pays(matrix.values, labels))
    changing = deciding_columns(matrix, spec).changing
    assert {matrix.tasks[column] for column in columns} <= set(changing)


def test_hundreds_of_tasks_take_less_than_a_second() -> None:
    """Six groups, the sixth of which only the last column tells from the fifth."""
    random = np.random.default_rng(0)
    group = np.minimum(np.arange(300) // 50, 4)
    values = np.eye(5)[group] @ random.normal(size=(5, 300)) + 0.01 * random.normal(size=(300, 300))
    values[:, 299] = 10.0 * (np.arange(300) >= 250)
    matrix = RelevanceMatrix(values, tuple(f"T{number}" for number in range(300)), "test")
    spec = kmeans(matrix, 6)
    start_s = time.process_time()
    columns = deciding_columns(matrix, spec)
    assert time.process_time() - start_s < 1
    assert sorted(map(len, spec.clusters)) == [50] * 6
    assert columns.changing == ("T299",)
    assert "more carry 90 % of the variance; removing T299 changes the groups" in str(columns)


def test_groups_of_other_tasks() -> None:
    with pytest.raises(RelevanceError, match=r"leaves out 'MNLI', which this matrix has\."):
        deciding_columns(load_matrix("paper:table3"), ClusterSpec(clusters=(("CB",),)))


@pytest.mark.process
def test_forty_tasks_take_seconds() -> None:
    values = np.random.default_rng(0).normal(size=(40, 40))
    matrix = RelevanceMatrix(values, tuple(f"T{number}" for number in range(40)), "test")
    spec = kmeans(matrix, 5)
    start_s = time.process_time()
    deciding_columns(matrix, spec)
    assert time.process_time() - start_s < 20


def test_one_task_is_one_group_whatever_is_left_out() -> None:
    matrix = RelevanceMatrix(np.zeros((1, 1)), ("A",), "m")
    columns = deciding_columns(matrix, ClusterSpec(clusters=(("A",),)))
    assert columns.changing == ()

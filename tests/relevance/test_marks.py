"""Which cells carry which mark, and what counts as collapsed."""

from typing import Any

import numpy as np
import pytest

from relevance.gains.constant_answers import constant_answers
from relevance.interfaces.trainer import Result
from relevance.marks import collapsed, is_gains, marks
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TASKS = ("A", "B", "C")
VALUES = np.array([[0.0, 0.1, -1.2], [0.1, 0.0, 0.1], [0.1, np.nan, 0.0]])
FINE = {"primary": [[0.7, 0.7, 0.7]] * 2}
JOINT = {"primary": [[[0.8, 0.8, 0.8]] * 3] * 2}


def gains(**fields: Any) -> RelevanceMatrix:
    return RelevanceMatrix(np.where(VALUES < -1, 0.1, VALUES), TASKS, "joint-training", **fields)


def places(cells: np.ndarray) -> list[tuple[int, int]]:
    return [(source, target) for source, target in np.argwhere(cells).tolist()]


def joint(metric: str, cells: dict[tuple[int, int, int], float], default: float = 0.8) -> Any:
    table = np.full((2, 3, 3), default)
    for cell, value in cells.items():
        table[cell] = value
    return {metric: table.tolist()}


def test_gains_below_minus_100_percent() -> None:
    matrix = RelevanceMatrix(VALUES, TASKS, "joint-training")
    assert places(collapsed(matrix)) == [(0, 2)]
    assert not collapsed(RelevanceMatrix(VALUES, TASKS, "joint-training", unit="points")).any()
    assert not collapsed(RelevanceMatrix(VALUES, TASKS, "logme", unit="nats")).any()


@pytest.mark.parametrize("metric", ["primary", "gain"])
def test_a_correlation_of_zero_or_less_after_joint_training(metric: str) -> None:
    scores = joint(metric, {(1, 0, 1): -0.01, (0, 2, 0): 0.0, (0, 1, 1): -0.5})
    found = marks(gains(single={metric: [[0.7] * 3] * 2}, joint=scores))
    assert places(found.collapsed) == [(0, 1), (2, 0)]
    assert found.counts() == {"collapsed": 2}


def test_runs_that_give_one_answer_for_all_rows() -> None:
    alone = {**FINE, "constant": [[0, 0, 0], [0, 1, 0]]}
    together = {**JOINT, **joint("constant", {(1, 0, 2): 1}, 0.0)}
    found = marks(gains(single=alone, joint=together, majority={"primary": [0.7, 0.7, 0.7]}))
    # B answers alike alone in one seed, C with A; C -> B is unknown
    assert places(found.collapsed) == [(0, 1), (0, 2)]


def test_where_predictions_were_not_kept_scores_tell() -> None:
    alone = {"primary": [[0.5, 0.7, 0.7]], "gain": [[0.5, 0.7, 0.7]]}
    together = {**joint("primary", {(0, 1, 2): 0.5}), **joint("gain", {(0, 1, 2): 0.4})}
    constant = {"primary": [0.5] * 3, "gain": [0.5, 0.5, 0.4]}
    found = gains(single=alone, joint=together, majority=constant)
    assert places(collapsed(found)) == [(1, 0), (1, 2), (2, 0)]
    told = {**alone, "constant": [[0, None, None]]}
    assert places(collapsed(gains(single=told, joint=together, majority=constant))) == [(1, 2)]


def test_what_counts_as_one_answer() -> None:
    def result(*predictions: Any) -> Result:
        return Result({}, 0.0, list(predictions))

    kept = [result(1, 1, 1), result(0, 1), result(["O", "O"], ["O", "O"]), result(0.5, 0.25)]
    unknown = [result(1), Result({}, 0.0), None]
    found = constant_answers([[*kept], [*unknown, None]])
    np.testing.assert_array_equal(found, [[1, 0, 1, 0], [np.nan] * 4])


def test_marks_stand_on_known_cells_off_the_diagonal() -> None:
    found = marks(
        RelevanceMatrix(
            VALUES,
            TASKS,
            "joint-training",
            standard_errors=np.full((3, 3), 1.0),
            seeds=(0, 1),
            single={"primary": [[0.4] * 3] * 2},
            joint=joint("primary", {}, 0.4),
            majority={"primary": [0.5, 0.5, 0.3]},
        )
    )
    everywhere = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0)]
    assert places(found.known) == places(found.noise) == places(found.any) == everywhere
    assert places(found.beaten) == [(0, 1), (1, 0), (2, 0)]
    assert places(found.collapsed) == [(0, 2)]
    assert found.counts() == {"noise": 5, "below the majority class": 3, "collapsed": 1}


@pytest.mark.parametrize(
    ("measure", "diagonal", "expected"),
    [
        ("joint-training", 0.0, True),
        ("lookahead", 0.0, True),
        ("my_gains", 0.0, True),
        ("my_gains", np.nan, True),
        ("my_likeness", 1.0, False),
        ("h-score", 0.0, False),
    ],
)
def test_what_holds_gains(measure: str, diagonal: float, expected: bool) -> None:
    values = VALUES.copy()
    np.fill_diagonal(values, diagonal)
    assert is_gains(RelevanceMatrix(values, TASKS, measure)) == expected


def test_the_papers_tables() -> None:
    assert is_gains(load_matrix("paper:table3"))
    assert not is_gains(load_matrix("paper:table2"))
    assert not marks(load_matrix("paper:table3")).any.any()

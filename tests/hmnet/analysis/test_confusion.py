"""Confusion matrices against counting, and the corners: labels that nobody has or predicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmnet.analysis.confusion import confusion

CODES = st.integers(0, 3)
ROWS = st.lists(st.tuples(CODES, CODES), min_size=1, max_size=30)


@given(ROWS)
def test_counting_gives_the_same(rows: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array(column) for column in zip(*rows, strict=True))

    found = confusion("T", "dev", "abcd", truth, predicted)

    for code, scores in enumerate(found.scores):
        right = sum(row == (code, code) for row in rows)
        has, says = (sum(row[place] == code for row in rows) for place in (0, 1))
        assert found.counts[code].tolist() == [rows.count((code, other)) for other in range(4)]
        assert scores.rows == has
        assert scores.recall == pytest.approx(right / has if has else 0.0)
        assert scores.precision == pytest.approx(right / says if says else 0.0)
        assert scores.f1 == pytest.approx(2 * right / (has + says) if has + says else 0.0)
    assert found.macro.f1 == pytest.approx(np.mean([scores.f1 for scores in found.scores]))
    assert found.macro.rows == len(rows)
    assert found.accuracy == pytest.approx(np.mean(truth == predicted))

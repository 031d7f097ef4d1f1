"""Entropy of predictions over the largest there can be: closed forms, and bounds of every kind."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmnet.kinds._entropy import normalised_entropy


def test_entropy_in_closed_form() -> None:
    logits = np.log([[1, 1, 1], [0.5, 0.25, 0.25], [1, 1e-300, 1e-300]])
    expected = [1.0, 1.5 * math.log(2) / math.log(3), 0.0]
    assert normalised_entropy(logits) == pytest.approx(expected, abs=1e-12)
    by_place = np.stack([logits, logits[::-1]], axis=-1)  # [row, label, place]
    assert normalised_entropy(by_place).T.ravel() == pytest.approx(
        expected + expected[::-1], abs=1e-12
    )


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=9), st.integers(1, 40))
def test_it_is_a_ratio_whatever_the_logits_are(values: list[float], equal: int) -> None:
    """Five equal labels have an entropy of a little more than log 5 in floating point."""
    assert 0 <= normalised_entropy(np.array([values]))[0] <= 1
    assert normalised_entropy(np.zeros((1, equal)))[0] == pytest.approx(float(equal > 1))
    assert normalised_entropy(np.zeros((1, equal)))[0] <= 1

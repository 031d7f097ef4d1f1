"""Lookahead affinity from losses: Fifty et al. (2021), equation 1, averaged over moments."""

import numpy as np

from relevance.interfaces.probe import LookaheadLosses
from relevance.measures.lookahead import affinities


def test_row_is_source_and_column_is_target() -> None:
    before = np.array([[2.0, 4.0], [1.0, 8.0]])
    after = np.array([[[9.0, 3.0], [1.0, 9.0]], [[9.0, 8.8], [0.9, 9.0]]])
    values = affinities(LookaheadLosses(before, after))
    np.testing.assert_allclose(values, [[0.0, (0.25 - 0.1) / 2], [(0.5 + 0.1) / 2, 0.0]])


def test_a_loss_of_zero_cannot_fall() -> None:
    values = affinities(
        LookaheadLosses(np.array([[1.0, 0.0]]), np.array([[[1.0, 0.0], [0.5, 0.0]]]))
    )
    np.testing.assert_allclose(values, [[0.0, 0.0], [0.5, 0.0]])

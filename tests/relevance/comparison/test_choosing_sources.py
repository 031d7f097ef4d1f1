"""The choice of sources, against three sources by hand and every order of those tied."""

import math
from itertools import permutations

import numpy as np
import pytest

from relevance.comparison.choosing_sources import ndcg, regret

TRUTH = np.array([0.3, 0.1, 0.2])  # relevance 3, 1, 2 and gain 7, 1, 3
BEST = 7 + 3 / math.log2(3) + 1 / 2


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 1.0, 2.0], 1.0),
        ([1.0, 3.0, 2.0], (1 + 3 / math.log2(3) + 7 / 2) / BEST),
        ([2.0, 1.0, 3.0], (3 + 7 / math.log2(3) + 1 / 2) / BEST),
    ],
)
def test_ndcg_of_three_sources_by_hand(values, expected):
    assert ndcg(np.array(values), TRUTH) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "k", "expected"),
    [
        ([3.0, 1.0, 2.0], 1, 0.0),
        ([1.0, 3.0, 2.0], 1, 2 / 3),  # .1 for .3
        ([1.0, 3.0, 2.0], 2, 2 / 5),  # a mean of .15 for .25
        ([1.0, 3.0, 2.0], 3, 0.0),
        ([1.0, 3.0, 2.0], 5, 0.0),
        ([2.0, 1.0, 2.0], 1, 1 / 6),  # .3 or .2 for .3
    ],
)
def test_regret_of_three_sources_by_hand(values, k, expected):
    assert regret(np.array(values), TRUTH, k) == pytest.approx(expected)


def test_ties_are_the_mean_over_all_orders():
    rng = np.random.default_rng(0)
    truth, values = rng.uniform(size=5), np.array([1.0, 2.0, 1.0, 2.0, 1.0])
    orders = [values + 0.1 * np.array(order) for order in permutations(range(5))]
    assert ndcg(values, truth) == pytest.approx(np.mean([ndcg(each, truth) for each in orders]))
    for k in (1, 2, 3):
        every = np.mean([regret(each, truth, k) for each in orders])
        assert regret(values, truth, k) == pytest.approx(every)


def test_thousands_of_sources_do_not_overflow():
    truth = np.arange(3000.0)
    assert ndcg(truth, truth) == pytest.approx(1.0)
    # Gains halve from one source to the next, so the last places hold all there is: 2 in total.
    best = sum(2.0**-place / math.log2(place + 2) for place in range(60))
    assert ndcg(-truth, truth) == pytest.approx(2 / math.log2(3001) / best, rel=1e-3)


def test_what_has_no_share_to_lose_is_unknown():
    assert math.isnan(regret(TRUTH, -TRUTH, 1))
    assert math.isnan(regret(np.array([]), np.array([]), 1))
    assert math.isnan(ndcg(np.array([]), np.array([])))
    with pytest.raises(ValueError, match="at least 1, got 0"):
        regret(TRUTH, TRUTH, 0)

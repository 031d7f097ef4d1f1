"""Paired tests by closed form and by enumeration, and what has no test."""

from itertools import product
from math import atan, pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmnet.comparison.significance import over_rows, over_seeds

SCORES = st.lists(st.integers(0, 400).map(lambda n: n / 400), min_size=2, max_size=9)


def signed_rank_p(differences: list[float]) -> float:
    """Share of all signs under which the ranks' sums differ at least as much, zeros left out."""
    sizes = [abs(each) for each in differences if each]
    ranks = [
        sum(other < size for other in sizes) + (sum(other == size for other in sizes) + 1) / 2
        for size in sizes
    ]
    half = sum(ranks) / 2
    seen = abs(
        sum(r for r, each in zip(ranks, filter(None, differences), strict=True) if each > 0) - half
    )
    sums = [
        abs(sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign) - half)
        for signs in product((False, True), repeat=len(ranks))
    ]
    return sum(each >= seen - 1e-9 for each in sums) / len(sums)


def test_two_seeds_have_the_t_of_one_degree_of_freedom() -> None:
    """Student's t with one degree of freedom is Cauchy's distribution."""
    found = over_seeds([0.6, 0.9], [0.5, 0.6])
    t = 0.2 / (sqrt(0.02) / sqrt(2))
    assert found is not None
    assert found.p == pytest.approx(1 - 2 * atan(t) / pi)
    assert found[:5] == ("t", 2, pytest.approx(0.2), 2, 0)


def test_equal_differences_have_no_p_whatever_the_rounding() -> None:
    found = over_seeds([0.1 + 0.2, 0.7, 0.4], [0.2, 0.6, 0.3])
    assert found is not None
    assert found.p is None
    assert not found.significant
    assert found.difference == pytest.approx(0.1)


def test_one_seed_has_no_test() -> None:
    assert over_seeds([0.5], [0.4]) is None
    assert over_seeds([], []) is None


@settings(max_examples=25)
@given(SCORES)
def test_signed_ranks_are_those_of_all_signs(scores: list[float]) -> None:
    baseline = np.full(len(scores), 0.5).tolist()
    found = over_rows(scores, baseline)
    differences = [round(score - 0.5, 12) for score in scores]
    if any(differences):
        assert found.p == pytest.approx(signed_rank_p(differences))
    else:
        assert found.p is None
    assert found.better + found.worse + scores.count(0.5) == found.pairs == len(scores)


@pytest.mark.parametrize(
    "differences",
    [
        [1, 2, 3, 4, 5, *[0] * 9],
        [1] * 5 + [0] * 10,
        [1] * 11 + [-1] * 2 + [2, -3, 0],
        [1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7],
    ],
)
def test_ties_and_zeros_of_many_rows_are_exact_too(differences: list[int]) -> None:
    found = over_rows([0.5 + n / 100 for n in differences], [0.5] * len(differences))
    assert found.p == pytest.approx(signed_rank_p(list(map(float, differences))))


@pytest.mark.parametrize(("rows", "significant"), [(5, False), (6, True)])
def test_six_rows_are_the_fewest_that_can_tell(rows: int, significant: bool) -> None:
    found = over_rows([0.5 + 0.01 * n for n in range(1, rows + 1)], [0.5] * rows)
    assert found.p == 2 ** (1 - rows)
    assert found.significant == significant

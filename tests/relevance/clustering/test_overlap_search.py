"""The search for overlapping groups against the best choice there is."""

import numpy as np

from relevance.clustering.group_search import search
from relevance.clustering.methods.predicted_gain import group_gains, served_worth
from relevance.clustering.overlap_search import overlapping, served
from relevance.clustering.partition import best_partition


def test_each_task_is_served_by_the_group_that_gives_it_most() -> None:
    values = np.array([[9.0, 1.0, 4.0], [2.0, 9.0, 6.0], [3.0, 5.0, 9.0]])
    groups = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 1]], dtype=bool)
    found = served(values, groups)
    np.testing.assert_allclose(found.gains, [3.0, 3.0, 5.0])
    assert found.groups[found.serving].tolist() == [
        [True, False, True],
        [True, True, True],
        [True, True, True],
    ]
    assert len(found.groups) == 2  # the first serves nobody


def test_it_is_often_the_best_and_never_worse_than_where_it_began() -> None:
    shares = []
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=(7, 7))
        labels = search(values, 3, starts=4)
        start = np.unique(labels)[:, None] == labels
        found = overlapping(values, start, 3)
        worth = served_worth(group_gains(values))
        best = float(worth[list(best_partition(worth, 3))].sum())
        assert len(found.groups) <= 3
        assert found.gains.sum() <= best + 1e-5
        assert found.gains.sum() >= served(values, start).gains.sum() - 1e-9
        shares.append(found.gains.sum() / best)
    assert np.mean(shares) > 0.95


def test_a_new_pair_where_the_budget_allows_one() -> None:
    values = np.full((4, 4), -1.0)
    values[0, 1] = values[1, 0] = values[2, 3] = values[3, 2] = 1.0
    found = overlapping(values, np.ones((1, 4), dtype=bool), 2)
    assert found.gains.tolist() == [1.0] * 4

"""k-means of many draws at once against scikit-learn's, one by one."""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from relevance.budget.many_groups import labels_of_draws


def inertia(rows: np.ndarray, labels: np.ndarray) -> float:
    groups = [rows[labels == label] for label in np.unique(labels)]
    return float(sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups))


def test_planted_groups_come_out_of_every_draw() -> None:
    random = np.random.default_rng(0)
    family = np.arange(15) % 3
    rows = 5 * np.eye(3)[family] + random.normal(scale=0.1, size=(6, 15, 3))
    labels = labels_of_draws(rows @ rows.transpose(0, 2, 1), 3, starts=10, random=random)
    assert [adjusted_rand_score(family, one) for one in labels] == [1.0] * 6


def test_it_is_as_good_as_one_by_one_with_as_many_starts() -> None:
    random = np.random.default_rng(1)
    rows = random.normal(size=(20, 12, 12))
    labels = labels_of_draws(rows @ rows.transpose(0, 2, 1), 3, starts=20, random=random)
    mine = [inertia(one, of_one) for one, of_one in zip(rows, labels, strict=True)]
    best = [KMeans(3, n_init=20, init="random", random_state=0).fit(one).inertia_ for one in rows]
    assert np.mean(mine) < 1.02 * np.mean(best)
    # Lloyd's end: no task is nearer to the centre of another group.
    for one, of_one in zip(rows, labels, strict=True):
        centres = np.array([one[of_one == label].mean(axis=0) for label in range(3)])
        far = ((one[:, None] - centres) ** 2).sum(axis=2)
        assert (far.argmin(axis=1) == of_one).all()

"""Which run comes next: expected improvement target by target, and evenly spread runs."""

import numpy as np
import pytest
from scipy.stats import norm

from relevance.budget.choice import balanced, choose
from relevance.budget.state import Candidates, State
from relevance.posterior.fit import Fit, fit

TASKS, NO_TARGET = 6, 2


def some_runs() -> tuple[Fit, Candidates]:
    """A model of a few runs of six sources, of which the third is no target."""
    rng = np.random.default_rng(0)
    runs = rng.normal(size=(2, TASKS, TASKS)) * np.geomspace(0.1, 10, TASKS)
    runs[:, :, NO_TARGET] = np.nan
    runs[1, rng.random((TASKS, TASKS)) < 0.7] = np.nan
    there = ~np.eye(TASKS, dtype=bool)
    there[:, NO_TARGET] = False
    cells = np.flatnonzero(there)[:, None]
    ones = np.ones(len(cells))
    return fit(runs), Candidates(cells, ones.astype(int), ones.astype(int), ones)


def improvement(found: Fit, cell: int, state: State) -> float:
    """Expected improvement of a cell over the best one of its target, by the book."""
    own = state.target == state.target[cell]
    rivals = [at for at in np.flatnonzero(own) if at != cell]
    rival = max(rivals, key=lambda at: state.mean[at])
    variance = np.diagonal(state.covariance)
    spread = np.sqrt(variance[cell] + variance[rival] - 2 * state.covariance[cell, rival])
    gap = -abs(state.mean[cell] - state.mean[rival]) / spread
    improved = spread * (gap * norm.cdf(gap) + norm.pdf(gap))
    told = variance[cell] / (variance[cell] + state.noise[cell])
    return float(improved * told / found.scale[state.target[cell]])


def test_the_first_run_for_sources_has_the_greatest_expected_improvement() -> None:
    found, candidates = some_runs()
    state = State.of(found, candidates)
    expected = [improvement(found, cell, state) for cell in range(len(state.mean))]
    order = []
    for _ in range(3):
        left = candidates.left.copy()
        left[order] = 0
        rest = Candidates(candidates.cells, left, candidates.made, candidates.cost)
        order += choose(found, rest, 1, "sources")
    assert order == np.argsort(expected)[::-1][:3].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_runs_made_before_count_where_all_shall_have_as_many(seed: int) -> None:
    cells = np.flatnonzero(~np.eye(TASKS, dtype=bool))[:, None]
    source = cells[:, 0] // TASKS
    made = (source == 0).astype(int)  # the first source was with all others
    left = 1 - made
    candidates = Candidates(cells, left, made, np.ones(len(cells)))
    chosen = balanced(candidates, (TASKS, TASKS), 15, seed=seed)
    assert np.bincount(source[chosen], minlength=TASKS).tolist() == [0, 3, 3, 3, 3, 3]

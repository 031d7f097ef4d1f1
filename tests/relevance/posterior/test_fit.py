"""A model fitted to runs: what it says of cells, and how often it is right."""

import numpy as np
import pytest

from relevance.errors import RelevanceError
from relevance.posterior.fit import Repeats, fit

TASKS = 10
WORST = 0.2


def simulated(rng, *, seeds=2, share=1.0, noise=0.7, tasks=TASKS):
    truth = 2 * rng.normal(size=tasks) + 0.7 * rng.normal(size=(tasks, 1))
    truth = truth + rng.normal(size=(tasks, tasks))
    runs = truth + noise * rng.normal(size=(seeds, tasks, tasks))
    cells = rng.permutation(np.argwhere(~np.eye(tasks, dtype=bool)))
    left = cells[round(share * len(cells)) :]
    runs[:, left[:, 0], left[:, 1]] = np.nan
    return runs, truth


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_intervals_hold_nine_of_ten_true_cells(share):
    rng, held = np.random.default_rng(0), []
    for _ in range(30):
        runs, truth = simulated(rng, share=share)
        told = fit(runs).posterior()
        inside = np.abs(told.mean - truth) <= 1.645 * told.deviation
        held.extend(inside[~np.eye(TASKS, dtype=bool)])
    assert 0.87 <= np.mean(held) <= 0.93


def test_little_noise_leaves_cells_as_measured_and_predicts_the_others():
    runs, truth = simulated(np.random.default_rng(1), share=0.6, noise=0.01)
    told, off = fit(runs), ~np.eye(TASKS, dtype=bool)
    measured = np.isfinite(runs[0]) & off
    np.testing.assert_allclose(told.mean[measured], truth[measured], atol=0.05)
    assert np.corrcoef(told.mean[off & ~measured], truth[off & ~measured])[0, 1] > 0.7
    assert told.deviation[measured].max() < told.deviation[off & ~measured].min()


@pytest.mark.parametrize("seed", [0, 1])
def test_few_tasks_take_more_points(seed):
    runs, _ = simulated(np.random.default_rng(5), tasks=3)
    runs[1, 0, 1] = runs[:, 2, 0] = np.nan
    found, off = fit(runs), ~np.eye(3, dtype=bool)
    told, wanted = found.posterior(seed=seed), found.posterior(6000, seed=9)
    assert np.abs(np.log(told.deviation / wanted.deviation))[off].max() < WORST
    assert np.abs((told.mean - wanted.mean) / wanted.deviation)[off].max() < WORST


def test_units_and_levels_change_nothing_else():
    runs, _ = simulated(np.random.default_rng(2), share=0.5)
    one, other = fit(runs), fit(5 + 100 * runs)
    np.testing.assert_allclose(other.mean, 5 + 100 * one.mean, rtol=1e-3, atol=0.1)
    np.testing.assert_allclose(other.deviation, 100 * one.deviation, rtol=1e-3)


def test_a_covariate_that_tells_the_pairs_is_given_weight_and_luck_is_not():
    rng = np.random.default_rng(3)
    runs, truth = simulated(rng, share=0.4, tasks=16)
    told = -40 * truth + rng.normal(size=truth.shape)
    found = fit(runs, covariates=np.stack([told, rng.normal(size=truth.shape)], axis=-1))
    assert found.weights[0] < -0.6
    assert abs(found.weights[1]) < 0.2
    unmeasured = np.isnan(runs[0]) & ~np.eye(16, dtype=bool)
    miss, without = (np.abs(each.mean - truth)[unmeasured].mean() for each in (found, fit(runs)))
    assert miss < 0.5 * without


def test_one_seed_does_not_tell_noise_unless_runs_were_repeated():
    runs, _ = simulated(np.random.default_rng(4), seeds=1)
    assert not fit(runs).noise_known
    little = Repeats(np.full(TASKS, 3 * 0.01**2), np.full(TASKS, 3.0))
    found, off = fit(runs, repeats=little), ~np.eye(TASKS, dtype=bool)
    assert found.noise_known
    assert found.noise.max() < 0.05
    np.testing.assert_allclose(found.mean[off], runs[0][off], atol=0.05)


def test_seeds_may_be_unequal_and_one_more_run_makes_a_cell_surer():
    runs, _ = simulated(np.random.default_rng(5), seeds=3, share=0.5)
    runs[1:, :, ::2] = np.nan
    fewer = fit(runs)
    place = tuple(np.argwhere(np.isnan(runs[0]) & ~np.eye(TASKS, dtype=bool))[0])
    more = runs.copy()
    more[(0, *place)] = 1.0
    assert fit(more).deviation[place] < fewer.deviation[place]


def test_covariance_and_draws_agree_with_the_deviations():
    runs, _ = simulated(np.random.default_rng(6), share=0.5)
    found = fit(runs)
    of_cells = np.sqrt(np.diag(found.covariance())).reshape(TASKS, TASKS)
    np.testing.assert_allclose(of_cells, found.deviation)
    told = found.posterior()
    draws = told.draws(4000, np.random.default_rng(0))
    np.testing.assert_allclose(draws.std(0), told.deviation, rtol=0.08)
    assert np.abs(draws.mean(0) - told.mean).max() < 0.1 * told.deviation.max()


def test_earlier_parameters_lead_to_the_same_place():
    runs, _ = simulated(np.random.default_rng(7), share=0.5)
    first = fit(runs)
    again = fit(runs, start=first.parameters)
    np.testing.assert_allclose(again.mean, first.mean, atol=0.02)


@pytest.mark.parametrize("flat", [0.0, 0.25])
def test_runs_that_are_all_alike_are_no_trouble(flat):
    runs = np.full((2, 5, 5), flat)
    found = fit(runs)
    np.testing.assert_allclose(found.mean, flat, atol=1e-6)


def test_one_run_is_too_few():
    runs = np.full((1, 4, 4), np.nan)
    runs[0, 0, 1] = 0.5
    with pytest.raises(RelevanceError, match="two pairs at least"):
        fit(runs)

"""Residuals and their lines by closed form, and what has no line."""

import numpy as np
import pytest

from hmnet.analysis.regression import regression


def test_lines_are_recovered_where_there_is_no_noise() -> None:
    truth = np.array([0.0, 1.0, 3.0, 5.0])
    found = regression("STS-B", "dev", truth, 1 + 0.5 * truth)
    assert found.line == pytest.approx((0.5, 1.0))
    # predicted = 1 + truth / 2, so truth - predicted = predicted - 2
    assert found.residual_line == pytest.approx((1.0, -2.0))
    np.testing.assert_allclose(found.residuals, [-1.0, -0.5, 0.5, 1.5])


def test_errors_are_those_of_their_definitions() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.uniform(0, 5, (2, 40))
    found = regression("STS-B", "dev", truth, predicted)
    residuals = truth - predicted
    assert found.rmse == pytest.approx(np.sqrt(np.mean(residuals**2)))
    assert found.mae == pytest.approx(np.mean(np.abs(residuals)))
    assert found.r2 == pytest.approx(
        1 - residuals.var() / truth.var() - residuals.mean() ** 2 / truth.var()
    )
    assert found.line == pytest.approx(tuple(np.polyfit(truth, predicted, 1)))
    assert found.residual_line == pytest.approx(tuple(np.polyfit(predicted, residuals, 1)))


def test_accuracy_is_that_of_the_nearest_whole_numbers() -> None:
    truth = np.array([0.0, 2.5, 2.4, 5.0, 1.0])  # 0, 3, 2, 5, 1
    predicted = np.array([-0.4, 3.4, 2.5, 5.6, 0.5])  # 0, 3, 3, 6, 1
    assert regression("STS-B", "dev", truth, predicted).accuracy == pytest.approx(3 / 5)


def test_equal_values_have_no_line() -> None:
    truth = np.array([1.0, 2.0, 4.0])
    constant = regression("STS-B", "dev", truth, np.full(3, 2.0))
    assert constant.residual_line is None
    assert constant.line == pytest.approx((0.0, 2.0))
    alike = regression("STS-B", "dev", np.full(3, 2.0), truth)
    assert alike.line is None
    assert np.isnan(alike.r2)

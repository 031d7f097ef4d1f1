"""The figure of a regression task: its lines, and tasks without."""

import numpy as np
import pytest

from fitting import fits
from hmnet.analysis.regression import regression
from hmnet.figures.regression import lay_out, regression_figure
from relevance.figures.figure import figure_of


def test_panels_show_predictions_and_residuals() -> None:
    truth = np.array([0.0, 1.0, 3.0, 5.0])
    found = regression("STS-B", "dev", truth, 1 + 0.5 * truth)
    title, scatter, residuals = lay_out(found)
    assert title == "STS-B (dev): RMSE 0.97, MAE 0.88, accuracy (rounded) 25.0 %"
    assert scatter.title == "slope 0.50, intercept 1.00"
    assert residuals.title == "slope 1.00, intercept \N{MINUS SIGN}2.00"
    np.testing.assert_array_equal(residuals.x, found.predicted)
    np.testing.assert_array_equal(residuals.y, found.residuals)
    figure = figure_of(regression_figure(found))
    assert fits(figure)
    left, right = figure.axes
    for axes, line in ((left, found.line), (right, found.residual_line)):
        _, fitted = axes.lines
        assert np.polyfit(*fitted.get_data(), 1) == pytest.approx(line)


def test_equal_predictions_have_no_line() -> None:
    found = regression("STS-B", "dev", np.array([1.0, 2.0]), np.array([2.0, 2.0]))
    assert lay_out(found)[2].title == "no regression line"
    assert len(figure_of(regression_figure(found)).axes[1].lines) == 1

"""Grids of cells: what they show, and that it fits whatever the number and length of names."""

import numpy as np
import pytest

from fitting import fits
from hmnet.analysis.confusion import confusion
from hmnet.figures.confusion import confusion_figure, lay_out
from hmnet.figures.grid import new_axes, size_of
from relevance.figures.figure import figure_of


def test_colours_are_shares_of_a_label_and_texts_are_counts() -> None:
    truth, predicted = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 0])
    grid = lay_out(confusion("RTE", "dev", ["no", "yes", "none"], truth, predicted))
    np.testing.assert_array_equal(grid.values[:2], [[75, 25, 0], [100, 0, 0]])
    assert np.isnan(grid.values[2]).all()
    assert grid.texts == (("3", "1", "0"), ("1", "0", "0"), ("0", "0", "0"))
    assert grid.title == "RTE (dev)\naccuracy 60.0, macro F1 25.0"


@pytest.mark.parametrize(
    ("count", "name", "upright"),
    [
        (2, "{}", False),
        (2, "a label with a long $name {}", True),
        (13, "{}", False),
        (13, "a label with a long $name {}", True),
        (40, "{}", False),
    ],
)
def test_everything_fits(count: int, name: str, upright: bool) -> None:
    rng = np.random.default_rng(0)
    labels = [name.format(number) for number in range(count)]
    truth, predicted = rng.integers(0, count, (2, 5000))
    found = confusion("A task with a long_name", "dev_mismatched", labels, truth, predicted)
    size = size_of(lay_out(found))
    assert size.written
    assert size.upright == upright
    assert fits(figure_of(confusion_figure(found)))


def test_axes_of_the_users_own() -> None:
    found = confusion("RTE", "dev", ["no", "yes"], np.array([0, 1]), np.array([0, 1]))
    axes = new_axes(lay_out(found))
    assert confusion_figure(found, axes) is axes

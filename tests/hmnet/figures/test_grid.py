"""Grids of cells: what they show, and that it fits whatever the number and length of names."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from hmnet.analysis.confusion import confusion
from hmnet.figures.confusion import confusion_figure, lay_out
from hmnet.figures.grid import new_axes, size_of
from relevance.figures.figure import figure_of


def outside(axes: Axes) -> list[str]:
    """Texts that do not lie within their figure."""
    figure = figure_of(axes)
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    extents = {text.get_text(): text.get_window_extent() for text in shown}
    box = figure.bbox.padded(1)
    return [
        text
        for text, extent in extents.items()
        if not (box.contains(extent.x0, extent.y0) and box.contains(extent.x1, extent.y1))
    ]


def test_colours_are_shares_of_a_label_and_texts_are_counts() -> None:
    truth, predicted = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 0])
    grid = lay_out(confusion("RTE", "dev", ["no", "yes", "none"], truth, predicted))
    np.testing.assert_array_equal(grid.values[:2], [[75, 25, 0], [100, 0, 0]])
    assert np.isnan(grid.values[2]).all()
    assert grid.texts == (("3", "1", "0"), ("1", "0", "0"), ("0", "0", "0"))
    assert grid.title == "RTE (dev)\naccuracy 60.0, macro F1 25.0"


@pytest.mark.parametrize("count", [2, 3, 13, 60])
@pytest.mark.parametrize("name", ["{}", "a label with a long $name {}"])
def test_everything_fits(count: int, name: str) -> None:
    rng = np.random.default_rng(0)
    labels = [name.format(number) for number in range(count)]
    truth, predicted = rng.integers(0, count, (2, 5000))
    found = confusion("A task with a long_name", "dev_mismatched", labels, truth, predicted)
    size = size_of(lay_out(found))
    assert size.written
    assert size.upright == (len(name) > 2 or count > 13)
    assert outside(confusion_figure(found)) == []


def test_axes_of_the_users_own() -> None:
    found = confusion("RTE", "dev", ["no", "yes"], np.array([0, 1]), np.array([0, 1]))
    axes = new_axes(lay_out(found))
    assert confusion_figure(found, axes) is axes

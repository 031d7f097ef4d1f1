"""Figures of runs in a width and with a title that are wished for."""

import numpy as np
import pytest

from fitting import fits
from hmnet.analysis.attention import AttentionCosines
from hmnet.analysis.confusion import confusion
from hmnet.analysis.regression import regression
from hmnet.figures.attention import attention_figure, lay_out
from hmnet.figures.confusion import confusion_figure
from hmnet.figures.regression import regression_figure
from relevance.errors import RelevanceError
from relevance.figures.figure import figure_of
from relevance.figures.style import FigureStyle

TITLE = "A long title with <img src=x>, $x$ and שלום 😀 that takes several lines of the figure"
FOUND = AttentionCosines(
    "RTE", "dev", 5, ("single", "/a/folder/with/a/name"), np.linspace(0.5, 1, 24).reshape(6, 4)
)


@pytest.mark.parametrize("width", [2.4, 6.9])
def test_a_narrow_and_a_wide_figure_hold_all_they_show(width: float) -> None:
    truth = np.arange(6) % 3
    style = FigureStyle(width=width, title=TITLE)
    for axes in (
        attention_figure(FOUND, style=style),
        confusion_figure(confusion("RTE", "dev", ["no", "yes", "?"], truth, truth), style=style),
        regression_figure(regression("STS-B", "dev", truth + 0.1, truth * 0.5), style=style),
    ):
        figure = figure_of(axes)
        assert fits(figure)
        assert figure.get_figwidth() == pytest.approx(width)
        assert any(text.get_text().startswith("A long title") for text in figure.texts)


def test_a_scale_ends_and_numbers_are_written_as_wished() -> None:
    style = FigureStyle(vmax=0.9, decimals=1, cmap="PuOr")
    grid = lay_out(FOUND, style)
    assert (grid.high, grid.texts[0][0]) == (0.9, "0.5")
    assert attention_figure(FOUND, style=style).collections[0].cmap.name == "PuOr"


def test_no_room_is_told() -> None:
    with pytest.raises(
        RelevanceError, match=r"^`width=0.5` leaves no room beside the names of the"
    ):
        attention_figure(FOUND, style=FigureStyle(width=0.5))

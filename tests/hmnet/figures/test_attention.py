"""The figure of attention: its colours' ends, and that it fits whatever the runs are called."""

import numpy as np
import pytest

from fitting import fits
from hmnet.analysis.attention import AttentionCosines
from hmnet.figures.attention import attention_figure, lay_out
from relevance.figures.figure import figure_of


@pytest.mark.parametrize(("least", "low"), [(0.97, 0.9), (1.0, 0.9), (0.52, 0.5), (0.0, 0.0)])
def test_colours_begin_at_the_tenth_below(least: float, low: float) -> None:
    cosines = np.array([[1.0, 1.0], [1.0, least]])
    grid = lay_out(AttentionCosines("RTE", "dev", 5, ("single", "hmnet"), cosines))
    assert (grid.low, grid.high) == (pytest.approx(low), 1.0)
    assert grid.texts[1][1] == f"{least:.2f}"
    assert grid.title == "RTE: single\nand hmnet"


def test_short_runs_show_how_far_they_are_from_one() -> None:
    cosines = np.array([[1.0, 0.99969]])
    found = AttentionCosines("RTE", "dev", 5, ("single", "hmnet"), cosines)
    grid = lay_out(found)
    assert grid.texts == (("1.00000", "0.99969"),)
    assert grid.low == pytest.approx(0.999)
    assert found.decimals == 5


@pytest.mark.parametrize(("layers", "heads"), [(4, 2), (12, 12), (24, 16)])
def test_everything_fits(layers: int, heads: int) -> None:
    names = "single", "/a/folder/with/a/long_name/seed-0"
    cosines = np.linspace(0.5, 1, layers * heads).reshape(layers, heads)
    found = AttentionCosines("A task with a long_name", "dev", 5, names, cosines)
    assert fits(figure_of(attention_figure(found)))

"""How a user wants a figure to look: what is refused, and what layouts make of the rest."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from fitting import fits
from relevance.clustering.methods.kmeans import kmeans
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.figures import bars as bar_figure
from relevance.figures.dendrogram import dendrogram
from relevance.figures.figure import TITLE_PT, figure_of, text_width_em, wrapped
from relevance.figures.heatmap import heatmap
from relevance.figures.heatmap_layout import MIN_TEXT_PT, TOO_SMALL, lay_out, named, size_of
from relevance.figures.order import ordered
from relevance.figures.style import FigureStyle
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TABLE2, TABLE3 = load_matrix("paper:table2"), load_matrix("paper:table3")
HALVES = ClusterSpec(clusters=(TABLE3.tasks[::2], TABLE3.tasks[1::2]), method="made up")


def matrix_of(count: int) -> RelevanceMatrix:
    names = tuple(f"task_number_{number}" for number in range(count))
    values = np.random.default_rng(0).normal(0, 0.1, (count, count))
    errors = np.full((count, count), 0.1)
    return RelevanceMatrix(values, names, "joint-training", standard_errors=errors, seeds=(0, 1))


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"width": 0.0}, "`width=0` is no width of a figure. Give inches above 0, at most 100"),
        ({"width": float("nan")}, "`width=nan` is no width"),
        ({"width": 330.0}, "`width=330` is no width"),
        ({"vmax": 0.0}, "`vmax=0` is no end of a scale. Give a number above 0"),
        ({"vmax": float("inf")}, "`vmax=inf` is no end"),
        ({"decimals": 7}, "`decimals=7` is no number of decimals. Give 0 to 6."),
        ({"decimals": -1}, "`decimals=-1` is no number"),
        ({"cmap": "virdis"}, "Unknown colour map 'virdis'. Did you mean 'viridis'?"),
        ({"order": ""}, "`order=''` names no order. Give one of given, clusters, dendrogram"),
        ({"order": "RTE,,CB"}, "names no order"),
        ({"order": ["RTE", "RTE"]}, "`order`: task 'RTE' is named twice."),
    ],
)
def test_what_cannot_be_is_told_in_a_line(wish: dict[str, Any], message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        FigureStyle(**wish)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("count", [6, 13, 60])
@pytest.mark.parametrize("width", [3.3, 7.0])
def test_a_heat_map_is_as_wide_as_was_wished_and_legible(count: int, width: float) -> None:
    style = FigureStyle(width=width, title="A title of many words that takes more than a line")
    size = size_of(lay_out(matrix_of(count), style=style))
    assert size.width == pytest.approx(72 * width)
    assert 0 < size.left + count * size.cell < size.width
    layout = lay_out(matrix_of(count), cell_pt=size.cell, style=style)
    texts = [text for row in layout.texts for text in row]
    assert all(text_width_em(text) * layout.text_pt <= size.cell for text in texts)
    assert layout.text_pt >= MIN_TEXT_PT
    assert size.cell * named(count, size.cell).step >= 6.0  # names are of 5.5 points there
    assert any(texts) == (count < 60)
    assert (layout.notes == (TOO_SMALL,)) == (size.cell < 4.5)


def test_a_width_without_room_for_cells_says_which_has() -> None:
    style = FigureStyle(width=1.0)
    with pytest.raises(RelevanceError, match=r"`width=1` leaves no room .* at least 1\.\d inches"):
        size_of(lay_out(matrix_of(6), style=style))
    with pytest.raises(RelevanceError, match=r"`width=1` leaves no room"):
        bar_figure.bars(matrix_of(6), "task_number_0", style=style)


def test_the_scale_ends_where_it_was_wished() -> None:
    gains = lay_out(TABLE3, style=FigureStyle(vmax=20.0))
    assert (gains.low, gains.high, gains.extend) == (-20, 20, "max")
    shares = lay_out(TABLE2, style=FigureStyle(vmax=90.0))
    assert (shares.low, shares.high) == (lay_out(TABLE2).low, 90)
    assert lay_out(TABLE2, style=FigureStyle(vmax=1.0)).low == 0


def test_every_number_has_the_decimals_that_were_wished() -> None:
    layout = lay_out(TABLE3, cell_pt=40.0, style=FigureStyle(decimals=3))
    row, column = TABLE3.tasks.index("SNLI"), TABLE3.tasks.index("CB")
    assert layout.texts[row][column] == f"{100 * TABLE3.values[row, column]:.3f}"
    assert layout.texts[0][0] == "0"  # a diagonal that is 0 by definition needs none
    narrow = lay_out(TABLE3, cell_pt=15.0, style=FigureStyle(decimals=6))
    assert not any(map(any, narrow.texts))


@pytest.mark.parametrize(
    ("order", "tasks", "groups"),
    [
        (None, HALVES.tasks, (7, 6)),
        ("clusters", HALVES.tasks, (7, 6)),
        ("given", TABLE3.tasks, ()),
        ("RTE,MNLI,CB", ("RTE", "MNLI", "CB"), (3,)),
        (["MNLI", "RTE", "QNLI"], ("MNLI", "RTE", "QNLI"), (2, 1)),
    ],
)
def test_order(order: Any, tasks: tuple[str, ...], groups: tuple[int, ...]) -> None:
    found, sizes = ordered(TABLE3, HALVES, FigureStyle(order=order).order)
    assert found.tasks == tasks
    assert found.values[0, 1] == TABLE3.select(tasks[:2]).values[0, 1]
    assert sizes == groups


def test_a_dendrogram_puts_like_rows_side_by_side() -> None:
    values = np.zeros((4, 4))
    values[::2] = 1.0
    found, _ = ordered(RelevanceMatrix(values, tuple("ABCD"), "m"), None, ("dendrogram",))
    assert {found.tasks[:2], found.tasks[2:]} <= {("A", "C"), ("C", "A"), ("B", "D"), ("D", "B")}


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("clusters", "`order=clusters` takes groups, and there are none."),
        ("RTE,RTA", "Unknown task 'RTA'."),
        ("RTA", "Unknown order or task 'RTA'. Did you mean 'RTE'?"),
        ("Dendrogram", "Unknown order or task 'Dendrogram'. Did you mean 'dendrogram'?"),
    ],
)
def test_an_order_that_the_matrix_does_not_have(order: str, message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        lay_out(TABLE3, style=FigureStyle(order=order))
    assert message in str(error.value)


def test_bars_follow_order_scale_and_decimals() -> None:
    style = FigureStyle(order="WNLI,MNLI,CB", vmax=20.0, decimals=0)
    layout = bar_figure.lay_out(TABLE3, "MNLI", style)
    assert [bar.task for bar in layout.on_others] == ["WNLI", "CB"]  # no bar for the task itself
    assert layout.quantity.endswith("arrows: bars go on")
    assert bar_figure.span(layout.on_others, 20.0) == (0.0, 20)
    assert bar_figure.span(layout.by_others, 20.0) == (-20, 0.0)
    left, right = bar_figure.bars(TABLE3, "MNLI", style=style)
    assert max(patch.get_width() for patch in right.patches) == 20
    assert {text.get_text() for text in right.texts} == {"50", "47"}
    assert figure_of(left) is figure_of(right)


def test_narrow_bars_stand_below_each_other() -> None:
    above, below = bar_figure.bars(TABLE3, "RTE", style=FigureStyle(width=3.3, title="RTE"))
    assert figure_of(above).get_figwidth() == pytest.approx(3.3)
    assert above.get_position().y0 > below.get_position().y1
    assert fits(figure_of(above))


def test_titles_are_wrapped_to_their_room() -> None:
    lines = wrapped("word " * 30 + "W" * 90, TITLE_PT, 200.0)
    assert max(TITLE_PT * text_width_em(line) for line in lines) <= 200
    assert "".join(lines).replace(" ", "") == "word" * 30 + "W" * 90
    assert wrapped(" \n ", TITLE_PT, 200.0) == []


@pytest.mark.parametrize(
    "title", ["Gains <b>&amp;</b> $x_1$", "עברית \u202e", "\x00\x07", "😀" * 9]
)
@pytest.mark.filterwarnings("ignore:Glyph .* missing")  # of emoji, which the font lacks
def test_a_title_is_text(title: str) -> None:
    axes = heatmap(TABLE3, style=FigureStyle(title=title, width=4.0))
    assert fits(figure_of(axes))


Drawn = Callable[..., Any]


@pytest.mark.parametrize(
    "draw",
    [lambda **kw: heatmap(TABLE3, **kw), lambda **kw: dendrogram(TABLE3, 3, **kw)],
    ids=["heatmap", "dendrogram"],
)
def test_axes_of_the_user_are_drawn_into_and_given_back(draw: Drawn) -> None:
    own = Figure(figsize=(9, 4)).subplots(1, 2)
    assert draw(ax=own[1], style=FigureStyle(title="right")) is own[1]
    assert own[1].get_title() == "right"
    assert not own[0].has_data()
    assert not hasattr(own[1], "_repr_png_")  # whose figure it is, shows it


def test_a_notebook_shows_a_figure_of_ours_once() -> None:
    axes = heatmap(TABLE3, clusters=kmeans(TABLE3, 3), style=FigureStyle(width=2.5))
    png, size = axes._repr_png_()  # type: ignore[attr-defined]
    assert png.startswith(b"\x89PNG")
    assert size["width"] == 275
    pair: Any = bar_figure.bars(TABLE3, "RTE")
    assert pair._repr_png_()[0].startswith(b"\x89PNG")
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []  # else the inline backend would show it a second time

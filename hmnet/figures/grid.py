"""A grid of coloured cells with names at both sides: what confusion and attention figures share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from relevance.escaping import for_figure
from relevance.figures.figure import FAINT, INK, figure_of, new_figure, text_width_em
from relevance.figures.heatmap import colours, is_light
from relevance.figures.scale import bar_ticks, overhang_pt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

TEXT_PT = 6.5
NAME_PT = 7.0
TITLE_PT = 8.0
CELL_PT = 20.0
SMALLEST_PT = 8.0
MOST_PT = 560.0
PAD_PT = 7.0
BAR_PT = 5.0
BELOW_PT = 34.0
NARROWEST_PT = 110.0


@dataclass(frozen=True, eq=False)
class Grid:
    """A grid before it is drawn.

    Attributes:
        values: Values that colours show; NaN for an empty cell.
        texts: Texts in the cells.
        rows: Names of the rows, from the top.
        columns: Names of the columns.
        row_title: Title of the rows.
        column_title: Title of the columns.
        title: Above everything, of one line or more.
        low: Value of the colour map's lower end.
        high: Value of its upper end.
        quantity: Meaning of the colours.
    """

    values: Float[np.ndarray, "row column"]
    texts: tuple[tuple[str, ...], ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_title: str
    column_title: str
    title: str
    low: float
    high: float
    quantity: str


@dataclass(frozen=True)
class GridSize:
    """Room for a grid and what stands around it, in points.

    Attributes:
        cell: Width of a cell.
        height: Height of a cell.
        left: Room for the names of the rows.
        above: Room for the title and the names of the columns.
        right: Room that the title needs beyond the cells.
        written: Whether the texts fit into the cells.
        upright: Whether the names of the columns have to be turned to fit.
    """

    cell: float
    height: float
    left: float
    above: float
    right: float
    written: bool
    upright: bool


def size_of(grid: Grid) -> GridSize:
    """Choose sizes: cells as wide as their texts need; too many of them show colours alone."""
    widest = TEXT_PT * max(text_width_em(text) for row in grid.texts for text in row) + 4.0
    wanted = max(CELL_PT, widest, NARROWEST_PT / len(grid.columns))
    cell = max(SMALLEST_PT, min(wanted, MOST_PT / len(grid.columns)))
    height = max(SMALLEST_PT, min(CELL_PT, MOST_PT / len(grid.rows)))
    names = NAME_PT * max(map(text_width_em, grid.columns))
    upright = names > 0.95 * cell
    left = PAD_PT + NAME_PT * (max(map(text_width_em, grid.rows)) + 1.6)
    side = cell * len(grid.columns)
    lines = grid.title.split("\n")
    title = TITLE_PT * max(map(text_width_em, lines))
    return GridSize(
        cell,
        height,
        left,
        above=1.3 * TITLE_PT * len(lines)
        + 2 * PAD_PT
        + NAME_PT * 1.6
        + (names if upright else NAME_PT),
        right=max(
            PAD_PT, title - side + PAD_PT, overhang_pt(grid.low, grid.high, side, TEXT_PT) + 1.0
        ),
        written=widest <= cell and height >= TEXT_PT + 2.0,
        upright=upright,
    )


def new_axes(grid: Grid) -> Axes:
    """Empty axes in a figure of their own, with room for all that stands around the cells."""
    size = size_of(grid)
    wide, high = size.cell * len(grid.columns), size.height * len(grid.rows)
    width, height = size.left + wide + size.right, size.above + high + BELOW_PT
    figure = new_figure(width, height)
    place = (size.left / width, BELOW_PT / height, wide / width, high / height)
    return figure.add_axes(place)


def draw(grid: Grid, axes: Axes | None = None) -> Axes:
    """Draw a grid.

    Args:
        grid: Layout to draw.
        axes: Axes to draw on; None for a figure of its own.

    Returns:
        The axes.
    """
    from matplotlib.colors import Normalize

    axes = axes or new_axes(grid)
    size = size_of(grid)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(grid.values),
        cmap=colours(diverging=False),
        norm=Normalize(grid.low, grid.high),
        edgecolors="white",
        linewidth=0.5,
    )
    axes.set_ylim(len(grid.rows), 0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if size.written:
        _texts(grid, axes, mesh)
    _names(grid, axes, size)
    _colour_bar(grid, axes, mesh, size)
    return axes


def _texts(grid: Grid, axes: Axes, mesh: QuadMesh) -> None:
    """Texts in black or white, whichever stands out."""
    fills = mesh.to_rgba(np.ma.masked_invalid(grid.values))
    for y, x in np.ndindex(grid.values.shape):
        axes.text(
            x + 0.5,
            y + 0.52,
            grid.texts[y][x],
            ha="center",
            va="center_baseline",
            fontsize=TEXT_PT,
            color=INK if is_light(np.asarray(fills[y, x, :3])) else "white",
        )


def _names(grid: Grid, axes: Axes, size: GridSize) -> None:
    """Names of rows at the left, of columns at the top: level where they fit, else upright."""
    columns, rows = (list(map(for_figure, names)) for names in (grid.columns, grid.rows))
    upright = 90 if size.upright else 0
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=upright, parse_math=False)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, parse_math=False)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0, pad=2, labelsize=NAME_PT, labelcolor=INK)
    axes.set_xlabel(grid.column_title, fontsize=NAME_PT, color=FAINT, labelpad=3)
    axes.set_ylabel(grid.row_title, fontsize=NAME_PT, color=FAINT, labelpad=3)
    axes.set_title(
        grid.title, fontsize=TITLE_PT, color=INK, loc="left", pad=PAD_PT, parse_math=False
    )


def _colour_bar(grid: Grid, axes: Axes, mesh: QuadMesh, size: GridSize) -> None:
    height = size.height * len(grid.rows)
    inset = axes.inset_axes((0, -(BAR_PT + 5) / height, 1, BAR_PT / height))
    bar = figure_of(axes).colorbar(mesh, cax=inset, orientation="horizontal")
    bar.outline.set_visible(False)
    places, texts = bar_ticks(grid.low, grid.high, size.cell * len(grid.columns), TEXT_PT)
    bar.set_ticks(list(places), labels=list(texts))
    bar.ax.tick_params(length=2, width=0.4, pad=1, labelsize=TEXT_PT, color=FAINT, labelcolor=INK)
    bar.set_label(grid.quantity, fontsize=TEXT_PT, color=INK, labelpad=1.5)

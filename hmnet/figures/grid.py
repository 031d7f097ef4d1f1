"""A grid of coloured cells with names at both sides: what confusion and attention figures share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError
from relevance.escaping import for_figure
from relevance.figures.figure import (
    FAINT,
    INK,
    POINTS_PER_INCH,
    draw_title,
    figure_of,
    inline,
    new_figure,
    text_width_em,
    title_pt,
    wrapped,
)
from relevance.figures.heatmap import colours, is_light
from relevance.figures.scale import bar_ticks, overhang_pt
from relevance.figures.style import NO_WISHES, FigureStyle

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
NARROWEST_PT, LEAST_PT = 110.0, 60.0


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
        style: Size, title and colours that are wished for.
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
    style: FigureStyle = NO_WISHES

    def with_ends(self, style: FigureStyle) -> Grid:
        """The grid in a style, whose scale ends where that is wished for."""
        high = self.high if style.vmax is None else style.vmax
        return replace(self, style=style, high=high, low=self.low if self.low < high else 0.0)


@dataclass(frozen=True)
class GridSize:
    """Room for a grid and what stands around it, in points.

    Attributes:
        cell: Width of a cell.
        height: Height of a cell.
        left: Room for the names of the rows.
        above: Room for the title and the names of the columns.
        right: Room that the title needs beyond the cells.
        title: Lines of the title above the cells.
        written: Whether the texts fit into the cells.
        upright: Whether the names of the columns have to be turned to fit.
    """

    cell: float
    height: float
    left: float
    above: float
    right: float
    title: tuple[str, ...]
    written: bool
    upright: bool


def size_of(grid: Grid) -> GridSize:
    """Choose sizes: cells as wide as their texts need; too many of them show colours alone.

    Args:
        grid: Layout that the figure will show.

    Returns:
        Sizes of the width that is wished for.

    Raises:
        RelevanceError: If that has no room for cells beside the names of the rows.
    """
    widest = TEXT_PT * max(text_width_em(text) for row in grid.texts for text in row) + 4.0
    wanted = max(CELL_PT, widest, NARROWEST_PT / len(grid.columns))
    cell = max(SMALLEST_PT, min(wanted, MOST_PT / len(grid.columns)))
    left = PAD_PT + NAME_PT * (max(map(text_width_em, grid.rows)) + 1.6)
    lines = tuple(grid.title.split("\n"))
    wished = grid.style.width_pt
    if wished is not None:
        cell = _cell_within(grid, wished, left)
        lines = tuple(wrapped(lines, TITLE_PT, wished - left))
    height = max(SMALLEST_PT, min(CELL_PT, MOST_PT / len(grid.rows)))
    names = NAME_PT * max(map(text_width_em, grid.columns))
    upright = names > 0.95 * cell
    side = cell * len(grid.columns)
    title = TITLE_PT * max(map(text_width_em, lines))
    return GridSize(
        cell,
        height,
        left,
        above=1.3 * TITLE_PT * len(lines)
        + 2 * PAD_PT
        + NAME_PT * 1.6
        + (names if upright else NAME_PT),
        right=_right_pt(grid, side)
        if wished
        else max(_right_pt(grid, side), title - side + PAD_PT),
        title=lines,
        written=widest <= cell and height >= TEXT_PT + 2.0,
        upright=upright,
    )


def _cell_within(grid: Grid, width_pt: float, left_pt: float) -> float:
    """Width of a cell in a figure of a width, beside names of rows that take their room."""
    side = width_pt - left_pt - PAD_PT
    side = min(side, width_pt - left_pt - _right_pt(grid, max(side, LEAST_PT)))
    if side < LEAST_PT:
        least = (width_pt - side + LEAST_PT) / POINTS_PER_INCH
        raise RelevanceError(
            f"`width={width_pt / POINTS_PER_INCH:g}` leaves no room beside the names of the rows."
            f" Give at least {least + 0.05:.1f} inches."
        )
    return side / len(grid.columns)


def _right_pt(grid: Grid, side_pt: float) -> float:
    """Room at the right of the cells, which the last number of the colour bar may need."""
    return max(PAD_PT, overhang_pt(grid.low, grid.high, side_pt, TEXT_PT) + 1.0)


def new_axes(grid: Grid) -> Axes:
    """Empty axes in a figure of their own, with room for all that stands around the cells."""
    size = size_of(grid)
    wide, high = size.cell * len(grid.columns), size.height * len(grid.rows)
    width = grid.style.width_pt or size.left + wide + size.right
    height = title_pt(grid.style.title, width) + size.above + high + BELOW_PT
    figure = new_figure(width, height)
    place = (size.left / width, BELOW_PT / height, wide / width, high / height)
    return inline(figure.add_axes(place))


def draw(grid: Grid, ax: Axes | None = None) -> Axes:
    """Draw a grid.

    Args:
        grid: Layout to draw.
        ax: Axes to draw on; None for a figure of its own.

    Returns:
        The axes.

    Raises:
        RelevanceError: If the width that is wished for has no room for the cells.
    """
    from matplotlib.colors import Normalize

    if ax is not None:
        grid = replace(grid, style=replace(grid.style, width=None))
    axes = ax or new_axes(grid)
    size = size_of(grid)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(grid.values),
        cmap=colours(diverging=False, name=grid.style.cmap),
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
    if ax is None:
        draw_title(axes, grid.style.title, whole=True)
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
    lines = "\n".join(size.title)
    axes.set_title(lines, fontsize=TITLE_PT, color=INK, loc="left", pad=PAD_PT, parse_math=False)


def _colour_bar(grid: Grid, axes: Axes, mesh: QuadMesh, size: GridSize) -> None:
    height = size.height * len(grid.rows)
    inset = axes.inset_axes((0, -(BAR_PT + 5) / height, 1, BAR_PT / height))
    bar = figure_of(axes).colorbar(mesh, cax=inset, orientation="horizontal")
    bar.outline.set_visible(False)
    places, texts = bar_ticks(grid.low, grid.high, size.cell * len(grid.columns), TEXT_PT)
    bar.set_ticks(list(places), labels=list(texts))
    bar.ax.tick_params(length=2, width=0.4, pad=1, labelsize=TEXT_PT, color=FAINT, labelcolor=INK)
    bar.set_label(grid.quantity, fontsize=TEXT_PT, color=INK, labelpad=1.5)

"""Heat map of a relevance matrix: row = source, column = target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from relevance.clustering.spec import ClusterSpec
from relevance.escaping import for_figure
from relevance.figures.figure import (
    FAINT,
    INK,
    NOTE_PT,
    POINTS_PER_INCH,
    draw_notes,
    draw_title,
    figure_of,
    wrapped,
)
from relevance.figures.figure import new_axes as axes_at
from relevance.figures.heatmap_layout import (
    LINE,
    NAME_PT,
    SCREEN_CELL_PT,
    Cells,
    HeatmapLayout,
    label_size,
    lay_out,
    named,
    names_upright,
    size_of,
)
from relevance.figures.scale import bar_ticks
from relevance.figures.style import FigureStyle
from relevance.matrices.matrix import RelevanceMatrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Colormap

EMPTY, PALE = "#ededed", "#ffffff"
LINES_PER_CELL = 3
EDGE = 0.04
DARK_HATCH, LIGHT_HATCH = "#8c8c8c", "#ffffffb0"
BAR_PT = 5.0
LIGHT = 0.25


def heatmap(
    matrix: RelevanceMatrix,
    ax: Axes | None = None,
    *,
    clusters: ClusterSpec | None = None,
    style: FigureStyle | None = None,
) -> Axes:
    """Draw a matrix with its values in the cells.

    Gains and whatever else has negative values get a diverging map with 0 in the middle, other
    values a sequential one. Its ends leave outliers out, so that the rest can be told apart.

    Args:
        matrix: Any matrix; unknown cells are crossed out.
        ax: Axes to draw on; None for a figure of its own, one column of a paper wide (3.3 inches)
            if that can be read, and larger for many tasks.
        clusters: Groups of all tasks; they stand together, framed.
        style: Size, title, scale, order, decimals and colours that are wished for.

    Returns:
        The axes.

    Raises:
        RelevanceError: If the groups are not those of the matrix's tasks, or what is wished for
            cannot be had.
    """
    return drawn(lambda cell_pt: lay_out(matrix, clusters, cell_pt=cell_pt, style=style), ax)


def drawn(lay_out_at: Callable[[float], HeatmapLayout], ax: Axes | None) -> Axes:
    """Draw a heat map in a figure of its own, or in axes that are there.

    Args:
        lay_out_at: Function that lays it out for cells of a side in points.
        ax: The axes; None for a figure of its own.

    Returns:
        The axes.
    """
    layout = lay_out_at(SCREEN_CELL_PT)
    axes = ax or new_axes(layout)
    layout = lay_out_at(cell_side(axes, len(layout.tasks)))
    room = _points(axes)[0]
    if ax is None:  # notes may go on to the edge of a figure of one's own
        figure = figure_of(axes)
        room = (1 - axes.get_position().x0) * figure.get_figwidth() * POINTS_PER_INCH
    draw(replace(layout, notes=tuple(wrapped(layout.notes, NOTE_PT, room + 0.1))), axes)
    draw_title(axes, layout.style.title, whole=ax is None)
    return axes


def new_axes(layout: HeatmapLayout) -> Axes:
    """Empty axes in a figure of their own, with room for all that stands around the cells."""
    size = size_of(layout)
    side = size.cell * len(layout.tasks)
    return axes_at(size.width, size.height, (size.left, size.bottom, side, side))[0]


def cell_side(axes: Axes, count: int) -> float:
    """Side of a cell in points where that many tasks share axes."""
    return min(_points(axes)) / count


def draw(layout: HeatmapLayout, axes: Axes) -> Axes:
    """Draw a layout on axes, and return these."""
    mesh = _cells(layout, axes)
    _crosses(layout, axes)
    _hatches(layout, axes, mesh)
    _texts(layout, axes, mesh)
    _corners(layout, axes)
    _frames(layout, axes)
    _names(layout, axes)
    _colour_bar(layout, axes, mesh)
    return axes


def _points(axes: Axes) -> tuple[float, float]:
    """Width and height of axes in points."""
    box = axes.get_window_extent()
    scale = 72 / figure_of(axes).dpi
    return float(box.width * scale), float(box.height * scale)


def _cells(layout: HeatmapLayout, axes: Axes) -> QuadMesh:
    from matplotlib.colors import Normalize

    small = cell_side(axes, len(layout.tasks)) < NAME_PT
    empty = np.isnan(layout.percent)
    if layout.fixed_diagonal:
        empty |= np.eye(len(layout.tasks), dtype=bool)
    mesh = axes.pcolormesh(
        np.ma.array(layout.percent, mask=empty),
        cmap=colours(diverging=layout.diverging, name=layout.style.cmap),
        norm=Normalize(layout.low, layout.high),
        edgecolors="none" if small else "white",
        linewidth=0 if small else 0.5,
        rasterized=small,  # hundreds of tasks have more cells than a reader of PDF can draw
    )
    axes.set_ylim(len(layout.tasks), 0)
    axes.set_aspect("equal")
    axes.apply_aspect()  # sizes below are those of the square that is left of the user's axes
    for spine in axes.spines.values():
        spine.set_visible(False)
    return mesh


def colours(*, diverging: bool, name: str | None = None) -> Colormap:
    """The colour map without its darkest ends, on which texts and marks would be hard to see.

    Args:
        diverging: Whether colours tell the sign.
        name: A colour map of matplotlib's in its place, which is taken whole.

    Returns:
        The colour map.
    """
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    if name is not None:
        return colormaps[name].with_extremes(bad=EMPTY)
    name, start, end = ("RdBu", 0.12, 0.88) if diverging else ("YlGnBu", 0.0, 0.8)
    steps = colormaps[name](np.linspace(start, end, 256))
    return LinearSegmentedColormap.from_list(name, steps).with_extremes(bad=EMPTY)


def _crosses(layout: HeatmapLayout, axes: Axes) -> None:
    """A faint cross in every cell whose value is unknown."""
    cross = np.array([[[0, 0], [1, 1]], [[0, 1], [1, 0]]], dtype=float)
    _lines(axes, np.isnan(layout.percent), cross, colours="#c4c4c4", width_pt=0.5)


def _hatches(layout: HeatmapLayout, axes: Axes, mesh: QuadMesh) -> None:
    """Slanted lines in the cells whose interval covers zero, clear of their edges."""
    ends = np.arange(1, 2 * LINES_PER_CELL) / LINES_PER_CELL  # where a line x + y = end is met
    low, high = np.maximum(0, ends - 1), np.minimum(1, ends)
    slants = np.stack([np.stack([low, high], axis=1), np.stack([high, low], axis=1)], axis=1)
    inset = 0.5 + (slants - 0.5) * (1 - 2 * EDGE)
    fills = _fills(layout, mesh)[layout.uncertain]
    colours = [DARK_HATCH if is_light(fill) else LIGHT_HATCH for fill in fills for _ in ends]
    _lines(axes, layout.uncertain, inset, colours=colours, width_pt=0.35)


def _fills(layout: HeatmapLayout, mesh: QuadMesh) -> Float[np.ndarray, "source target 3"]:
    """The colours of the cells."""
    shape = (*layout.percent.shape, 4)
    return np.asarray(mesh.to_rgba(np.ma.asarray(mesh.get_array())).reshape(shape)[..., :3])


def is_light(rgb: Float[np.ndarray, " 3"]) -> bool:
    """Whether dark text reads better than white on a colour, by its relative luminance.

    Contrasts with `INK` and with white are equal at 0.22; up to 0.25, where white still has 3.5, a
    saturated colour looks dark, and dark digits on it are hard to read.
    """
    return luminance(rgb) > LIGHT


def _lines(
    axes: Axes,
    cells: Cells,
    lines: Float[np.ndarray, "line 2 2"],
    *,
    colours: str | list[str],
    width_pt: float,
) -> None:
    """Draw lines, [line, end, (x, y)] in a cell of side 1, in every chosen cell."""
    from matplotlib.collections import LineCollection

    corners = np.argwhere(cells)[:, None, None, ::-1]
    segments = (corners + lines).reshape(-1, 2, 2)
    axes.add_collection(
        LineCollection(list(segments), colors=colours, linewidths=width_pt), autolim=False
    )


def _texts(layout: HeatmapLayout, axes: Axes, mesh: QuadMesh) -> None:
    """Values in black or white, whichever stands out; in hatched cells edged in their colour."""
    from matplotlib.patheffects import withStroke

    if not any(map(any, layout.texts)):
        return
    fills = _fills(layout, mesh)
    for y, x in np.ndindex(layout.percent.shape):
        if not layout.texts[y][x]:
            continue
        fixed = layout.fixed_diagonal and x == y
        text = axes.text(
            x + 0.5,
            y + 0.52,
            layout.texts[y][x],
            ha="center",
            va="center_baseline",
            fontsize=layout.text_pt,
            color=FAINT if fixed else (INK if is_light(fills[y, x]) else "white"),
        )
        if layout.uncertain[y, x]:
            text.set_path_effects([withStroke(linewidth=1.6, foreground=tuple(fills[y, x]))])


def luminance(rgb: Float[np.ndarray, " 3"]) -> float:
    """Relative luminance of an sRGB colour in [0, 1], by which text on it is black or white.

    >>> round(luminance(np.array([1.0, 1.0, 1.0])), 6), luminance(np.zeros(3))
    (1.0, 0.0)
    """
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _corners(layout: HeatmapLayout, axes: Axes) -> None:
    """A corner where no run beats the majority class, where one collapsed, where none was made."""
    from matplotlib.collections import PolyCollection

    upper_right = [(0.72, 0.04), (0.96, 0.04), (0.96, 0.28)]
    lower_left = [(0.28, 0.96), (0.04, 0.96), (0.04, 0.72)]
    lower_right = [(0.72, 0.96), (0.96, 0.96), (0.96, 0.72)]
    for cells, corner, colour in (
        (layout.beaten, upper_right, "#ffb000"),
        (layout.collapsed, lower_left, INK),
        (layout.predicted, lower_right, PALE),
    ):
        corners = [[(x + dx, y + dy) for dx, dy in corner] for y, x in np.argwhere(cells)]
        axes.add_collection(
            PolyCollection(corners, facecolors=colour, edgecolors=INK, linewidths=0.3, zorder=2.5),
            autolim=False,
        )


def _frames(layout: HeatmapLayout, axes: Axes) -> None:
    """A frame around every group, and a gap between groups."""
    from matplotlib.patches import Rectangle

    ends = list(accumulate(layout.clusters))
    for end in ends[:-1]:
        axes.axhline(end, color="white", linewidth=1.6)
        axes.axvline(end, color="white", linewidth=1.6)
    for end, size in zip(ends, layout.clusters, strict=True):
        corner = (end - size, end - size)
        axes.add_patch(
            Rectangle(
                corner,
                size,
                size,
                fill=False,
                edgecolor=INK,
                linewidth=1.1,
                clip_on=False,
                zorder=3,
            )
        )


def _names(layout: HeatmapLayout, axes: Axes) -> None:
    """Names of sources at the left, of targets at the top: level where they fit, else upright."""
    cell_pt = _points(axes)[0] / len(layout.tasks)
    label_pt = label_size(cell_pt)
    shown = named(len(layout.tasks), cell_pt)
    places, names = np.array(shown) + 0.5, [for_figure(layout.tasks[place]) for place in shown]
    upright = names_upright(layout.tasks, cell_pt)
    axes.set_xticks(places, names, rotation=90 if upright else 0, parse_math=False)
    axes.set_yticks(places, names, parse_math=False)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=2, labelsize=label_pt, labelcolor=INK)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("target", fontsize=label_pt, color=FAINT, labelpad=3)
    axes.set_ylabel("source", fontsize=label_pt, color=FAINT, labelpad=3)


def _colour_bar(layout: HeatmapLayout, axes: Axes, mesh: QuadMesh) -> None:
    """Draw the scale of colours, with arrows where values lie beyond its ends, and the notes."""
    width, height = _points(axes)
    label_pt = label_size(width / len(layout.tasks))
    inset = axes.inset_axes((0, -(BAR_PT + 6) / height, 1, BAR_PT / height))
    bar = figure_of(axes).colorbar(
        mesh,
        cax=inset,
        orientation="horizontal",
        extend=layout.extend,
        extendfrac=2 * BAR_PT / width,
    )
    bar.outline.set_visible(False)
    places, texts = bar_ticks(layout.low, layout.high, width, label_pt - 0.5)
    bar.set_ticks(list(places), labels=list(texts))
    bar.ax.tick_params(
        length=2, width=0.4, pad=1, labelsize=label_pt - 0.5, color=FAINT, labelcolor=INK
    )
    lines = wrapped(layout.quantity, label_pt, width)
    label = "\n".join(map(for_figure, lines))
    bar.set_label(label, fontsize=label_pt, color=INK, labelpad=1.5, parse_math=False)
    further = LINE * label_pt * (len(lines) - 1)
    draw_notes(axes, layout.notes, BAR_PT + 23 + 1.7 * label_pt + further)

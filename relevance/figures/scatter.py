"""Measures against measured gains: one panel per measure, one point per ordered pair of tasks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from relevance.comparison.judging import Judgement, MeasureComparison
from relevance.escaping import for_figure
from relevance.figures.figure import (
    FAINT,
    INK,
    TWO_COLUMNS_PT,
    Axes,
    draw_frame,
    draw_legend,
    figure_of,
    new_panels,
    text_width_em,
)
from relevance.figures.heatmap_layout import quantity
from relevance.figures.scale import number, plain_ticks
from relevance.figures.style import NO_WISHES, FigureStyle

COLOURS = ("#3366aa", "#dd7733", "#339966", "#aa3377", "#66bbdd", "#bbaa33", "#884422", "#777777")
MOST_COLUMNS = 4
TEXT_PT = 6.5
TITLE_PT = 7.0
LEFT_PT = 18.0
AROUND_PT = 18.0
LARGEST_PANEL_PT = 170.0
LEAST_PANEL_PT = 100.0
LEGEND_LINE_PT = 12.0
LEGEND_POINT_PT = 22.0


@dataclass(frozen=True, eq=False)
class ScatterPanel:
    """The points of one measure.

    Attributes:
        name: Name of the measure.
        title: The rank correlations.
        values: Values of the measure for the pairs that it and the reference know.
        percent: Values of the reference for those pairs, in percent.
        colours: Colour of each point, as a place in the layout's `legend`.
    """

    name: str
    title: str
    values: Float[np.ndarray, " pair"]
    percent: Float[np.ndarray, " pair"]
    colours: Int[np.ndarray, " pair"]


@dataclass(frozen=True)
class ScatterLayout:
    """A scatter figure before it is drawn.

    Attributes:
        panels: One panel per measure, in their order.
        columns: Number of panels side by side.
        about: Kind of thing that colours tell apart: targets, or groups of targets where there are
            more targets than colours; empty where there are more groups too.
        legend: Meaning of each colour.
        quantity: Meaning of the reference's values.
    """

    panels: tuple[ScatterPanel, ...]
    columns: int
    about: str
    legend: tuple[str, ...]
    quantity: str


def lay_out(comparison: MeasureComparison) -> ScatterLayout:
    """Decide what a scatter figure shows: panels in rows as equal as four columns allow."""
    reference = comparison.reference
    about, legend, colour_of = _colours(comparison)
    panels = []
    for matrix, row in zip(comparison.measures, comparison.rows, strict=True):
        known = matrix.known & reference.known
        panels.append(
            ScatterPanel(
                row.measure,
                _title(row),
                matrix.values[known],
                100 * reference.values[known],
                np.broadcast_to(colour_of, known.shape)[known],
            )
        )
    columns = math.ceil(len(panels) / math.ceil(len(panels) / MOST_COLUMNS))
    return ScatterLayout(tuple(panels), columns, about, legend, quantity(reference))


def _colours(
    comparison: MeasureComparison,
) -> tuple[str, tuple[str, ...], Int[np.ndarray, " target"]]:
    """The kind of thing colours tell apart, the meaning of each, and the one of every target."""
    tasks, groups = comparison.reference.tasks, comparison.groups
    if len(tasks) <= len(COLOURS):
        return "target", tasks, np.arange(len(tasks))
    if groups is None or len(groups.clusters) > len(COLOURS):
        return "", (), np.zeros(len(tasks), dtype=np.int64)
    names = groups.names or tuple(map(_members, groups.clusters))
    return "group of the target", names, np.array([groups.cluster_of(task) for task in tasks])


def _members(group: Sequence[str]) -> str:
    """A group by its first tasks.

    >>> _members(["RTE", "CB"]), _members(["RTE", "CB", "WNLI", "MNLI"])
    ('RTE, CB', 'RTE, CB and 2 more')
    """
    if len(group) <= 3:
        return ", ".join(group)
    return f"{group[0]}, {group[1]} and {len(group) - 2} more"


def _title(row: Judgement) -> str:
    if math.isnan(row.spearman):
        return "no rank correlation"
    within = "" if math.isnan(row.spearman_within) else number(row.spearman_within, 2)
    return f"Spearman {number(row.spearman, 2)}" + (f", within {within}" if within else "")


def scatter(comparison: MeasureComparison, *, style: FigureStyle | None = None) -> Axes:
    """Draw measures against the reference.

    Args:
        comparison: Measures beside a reference.
        style: Size and title that are wished for; a narrow figure has fewer panels side by side.

    Returns:
        The axes of the first panel, in a figure of up to two columns of a paper; all panels share
        the scale of the reference, and each measure has its own.
    """
    style = style or NO_WISHES
    layout = lay_out(comparison)
    room = (style.width_pt or TWO_COLUMNS_PT) - LEFT_PT
    columns = max(1, min(layout.columns, int(room / LEAST_PANEL_PT)))
    lines = math.ceil(len(layout.panels) / columns)
    side = min(room / columns, LARGEST_PANEL_PT if style.width is None else room)
    width = LEFT_PT + columns * side
    in_a_line = _names_in_a_line(layout.legend, width)
    legend_pt = LEGEND_LINE_PT * math.ceil(len(layout.legend) / in_a_line)
    height = lines * (side + AROUND_PT) + legend_pt
    grid = new_panels(width, height, lines, columns, sharey=True, title=style.title)
    for axes in grid[len(layout.panels) :]:
        axes.remove()
    for panel, axes in zip(layout.panels, grid, strict=False):
        _draw(panel, axes, side)
    figure_of(grid[0]).supylabel(layout.quantity, fontsize=TITLE_PT, color=INK, parse_math=False)
    if layout.legend:
        _legend(layout, grid[0], in_a_line)
    return grid[0]


def _draw(panel: ScatterPanel, axes: Axes, width_pt: float) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.axhline(0, color=FAINT, linewidth=0.5, zorder=0)
    axes.scatter(
        panel.values,
        panel.percent,
        s=9,
        c=[COLOURS[place] for place in panel.colours],
        edgecolors="white",
        linewidths=0.3,
    )
    axes.xaxis.set_major_locator(MaxNLocator(4))
    plain_ticks(axes.xaxis)
    plain_ticks(axes.yaxis)
    axes.set_title(panel.title, fontsize=TEXT_PT, color=INK, pad=3)
    name = _shortened(for_figure(panel.name), width_pt / TITLE_PT)
    axes.set_xlabel(name, fontsize=TITLE_PT, color=INK, labelpad=2, parse_math=False)
    draw_frame(axes, TEXT_PT)


def _shortened(name: str, width_em: float) -> str:
    """The end of a name that is too long, as files differ there."""
    if text_width_em(name) <= width_em:
        return name
    start = next(
        (start for start in range(len(name)) if text_width_em(f"...{name[start:]}") <= width_em),
        len(name),
    )
    return f"...{name[start:]}"


def _names_in_a_line(names: Sequence[str], width_pt: float) -> int:
    """Number of names that fit side by side, with their points."""
    widest = TEXT_PT * max(map(text_width_em, names), default=1.0)
    return max(1, min(len(names), int(width_pt / (widest + LEGEND_POINT_PT))))


def _legend(layout: ScatterLayout, axes: Axes, in_a_line: int) -> None:
    from matplotlib.lines import Line2D

    points = [
        Line2D([], [], linestyle="", marker="o", markersize=3, color=colour)
        for colour in COLOURS[: len(layout.legend)]
    ]
    draw_legend(
        axes,
        points,
        layout.legend,
        TEXT_PT,
        loc="outside lower center",
        ncols=in_a_line,
        title=layout.about,
        title_fontsize=TEXT_PT,
        handletextpad=0.2,
        columnspacing=1.0,
        borderpad=0.1,
    )

"""Figure of how a run went: task mix, passes over the data, uncertainty and scores over steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from hmnet.analysis.curves import Curves
from relevance.escaping import for_figure
from relevance.figures.figure import (
    INK,
    TWO_COLUMNS_PT,
    Axes,
    draw_frame,
    draw_legend,
    new_panels,
    text_width_em,
    wrapped,
)
from relevance.figures.scatter import COLOURS
from relevance.figures.style import NO_WISHES, FigureStyle

TEXT_PT = 7.0
PANEL_PT = 115.0
AROUND_PT = 50.0
LEGEND_LINE_PT, LEGEND_LINE_OF_PT = 11.0, 30.0
STYLES: tuple[Literal["-", "--", ":"], ...] = ("-", "--", ":")


class CurvesPanel(NamedTuple):
    """One quantity over steps, a line or an area per task.

    Attributes:
        quantity: Quantity on the vertical axis.
        steps: Steps at which the values stand.
        values: Values by place and task; NaN where there is none.
        is_mix: Whether they add up to 100 and are stacked.
    """

    quantity: str
    steps: Int[np.ndarray, " place"]
    values: Float[np.ndarray, "place task"]
    is_mix: bool = False


def lay_out(found: Curves) -> list[CurvesPanel]:
    """Decide what the figure shows.

    Args:
        found: Curves of a run.

    Returns:
        Panels from top to bottom: two, and more where there is more to show. What stands for the
        entropy of tasks that have none has a panel of its own.
    """
    panels = [
        CurvesPanel("share of rows (%)", found.steps, 100 * found.mix, is_mix=True),
        CurvesPanel("passes over the rows", found.steps, found.passes),
    ]
    if found.entropies is not None:
        panels.append(CurvesPanel("uncertainty", found.steps, found.entropies))
    panels += [
        CurvesPanel(stand_in, found.steps, values)
        for stand_in in dict.fromkeys(filter(None, found.stand_ins))
        if (values := found.uncertainty_by(stand_in)) is not None
    ]
    if found.scores is not None:
        panels.append(CurvesPanel("score on dev (%)", found.scored_at, 100 * found.scores))
    return panels


def curves_figure(found: Curves, *, style: FigureStyle | None = None) -> Axes:
    """Draw how a run went.

    Args:
        found: Curves of a run.
        style: Size and title that are wished for.

    Returns:
        The axes of the first panel, in a figure two columns of a paper wide.
    """
    from matplotlib.ticker import MaxNLocator

    style = style or NO_WISHES
    panels, width = lay_out(found), style.width_pt or TWO_COLUMNS_PT
    in_a_line = _names_in_a_line(found.tasks, width)
    further = LEGEND_LINE_PT * (math.ceil(len(found.tasks) / in_a_line) - 2)
    height = len(panels) * PANEL_PT + AROUND_PT + max(0.0, further)
    grid = new_panels(width, height, len(panels), title=style.title, sharex=True)
    for panel, axes in zip(panels, grid, strict=True):
        _draw(panel, axes)
        axes.set_xlim(0, int(found.steps[-1]))
    grid[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    grid[-1].set_xlabel("step", fontsize=TEXT_PT, color=INK)
    _legend(found.tasks, grid[0], in_a_line)
    return grid[0]


def _names_in_a_line(names: Sequence[str], width_pt: float) -> int:
    """Number of names that fit side by side with their lines, 7 at most."""
    widest = TEXT_PT * max(map(text_width_em, names)) + LEGEND_LINE_OF_PT
    return max(1, min(len(names), 7, int(width_pt / widest)))


def _style(number: int) -> tuple[str, Literal["-", "--", ":"]]:
    """Colour and line of a task; where colours run out, lines differ."""
    return COLOURS[number % len(COLOURS)], STYLES[number // len(COLOURS) % len(STYLES)]


def _draw(panel: CurvesPanel, axes: Axes) -> None:
    if panel.is_mix:
        _draw_mix(panel, axes)
    else:
        for number, values in enumerate(panel.values.T):
            colour, line = _style(number)
            known = ~np.isnan(values)
            marker = "o" if len(panel.steps) < 10 else ""
            axes.plot(
                panel.steps[known],
                values[known],
                color=colour,
                linestyle=line,
                linewidth=1.0,
                marker=marker,
                markersize=2.5,
                clip_on=not marker,
            )
    quantity = "\n".join(wrapped(for_figure(panel.quantity), TEXT_PT, PANEL_PT))
    axes.set_ylabel(quantity, fontsize=TEXT_PT, color=INK, parse_math=False)
    draw_frame(axes, TEXT_PT)


def _draw_mix(panel: CurvesPanel, axes: Axes) -> None:
    """Shares stacked, each constant over its window."""
    edges = np.concatenate([[0], panel.steps])
    tops = np.cumsum(panel.values, axis=1)
    below = np.zeros(len(panel.steps))
    for number, top in enumerate(tops.T):
        colour, line = _style(number)
        axes.stairs(
            top,
            edges,
            baseline=below,
            fill=True,
            facecolor=colour,
            edgecolor="white",
            linewidth=0.2,
            hatch="" if line == "-" else "////",
        )
        below = top
    axes.set_ylim(0, 100)


def _legend(tasks: Sequence[str], axes: Axes, in_a_line: int) -> None:
    from matplotlib.lines import Line2D

    styles = [_style(number) for number in range(len(tasks))]
    lines = [Line2D([], [], color=colour, linestyle=line, linewidth=1.5) for colour, line in styles]
    where = {"loc": "outside lower center", "ncols": in_a_line}
    draw_legend(axes, lines, tasks, TEXT_PT, labelcolor=INK, **where)

"""Figures of a sweep: scores over the number of shared layers, and the average of each mix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hmnet.analysis.sweep import Sweep
from hmnet.comparison.table import Comparison, Line
from relevance.escaping import for_figure
from relevance.figures.figure import (
    INK,
    ONE_COLUMN_PT,
    POSITIVE,
    TWO_COLUMNS_PT,
    draw_frame,
    draw_legend,
    figure_of,
    new_panels,
    text_width_em,
    wrapped,
)
from relevance.figures.scale import number
from relevance.figures.scatter import COLOURS
from relevance.figures.style import NO_WISHES, FigureStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import ErrorbarContainer

TEXT_PT = 6.5
TITLE_PT = 7.0
MOST_COLUMNS = 4
PANEL_PT = 105.0
LARGEST_PANEL_PT = 165.0
AROUND_PT = 22.0
HEIGHT_PT = 130.0
SLOT_PT, LEAST_SLOT_PT = 26.0, 20.0
BESIDE_PT = 50.0


@dataclass(frozen=True)
class SweepPanel:
    """One row of the table as a curve or as points.

    Attributes:
        name: Name of the task, or the average.
        metric: Metric that was measured.
        means: Means in percent, one per choice.
        deviations: Standard deviations over seeds, in percentage points; NaN for one seed.
    """

    name: str
    metric: str
    means: tuple[float, ...]
    deviations: tuple[float, ...]


@dataclass(frozen=True)
class SweepLayout:
    """A figure before it is drawn.

    Attributes:
        panels: One per task, the average last; for mixes the average alone.
        choices: Numbers of shared layers, or combinations.
        x_label: Label of the choices, with the meaning of the error bars.
    """

    panels: tuple[SweepPanel, ...]
    choices: tuple[str, ...]
    x_label: str


def lay_out(sweep: Sweep, compared: Comparison) -> SweepLayout:
    """Decide what the figure of a sweep and its runs' scores shows."""
    places = [compared.columns.index(name) for name in sweep.columns]
    ranked = [line for line in compared.lines if line.ranked]
    seeds = len(sweep.runs) // len(sweep.choices)
    bars = f"; bars: deviation over {seeds} seeds" if seeds > 1 else ""
    if sweep.what == "shared":
        panels = tuple(_panel(line, places) for line in ranked)
        choices = tuple(str(layers[0]) for layers in sweep.choices)
        return SweepLayout(panels, choices, f"number of shared layers{bars}")
    return SweepLayout(
        (_panel(ranked[-1], places),), sweep.columns, f"{{shared, cluster, task}} layers{bars}"
    )


def _panel(line: Line, places: list[int]) -> SweepPanel:
    entries = [entry for place in places if (entry := line.entries[place])]
    means = tuple(100 * entry.mean for entry in entries)
    deviations = (math.nan if entry.deviation is None else entry.deviation for entry in entries)
    return SweepPanel(line.task, line.metric, means, tuple(100 * each for each in deviations))


def sweep_figure(sweep: Sweep, compared: Comparison, *, style: FigureStyle | None = None) -> Axes:
    """Draw a sweep: curves over the number of shared layers, or a point per combination.

    Args:
        sweep: The runs.
        compared: Scores of the runs.
        style: Size and title that are wished for.

    Returns:
        The axes of the first panel; each has a scale of its own.

    Source:
        Fei et al. (2022), Figures 3 and 4.
    """
    layout = lay_out(sweep, compared)
    drawn = _curves if sweep.what == "shared" else _points
    return drawn(layout, style or NO_WISHES)


def _curves(layout: SweepLayout, style: FigureStyle) -> Axes:
    """A panel per task, as tasks differ in their scores by more than a choice changes them."""
    wished = style.width_pt
    most = MOST_COLUMNS if wished is None else max(1, min(MOST_COLUMNS, int(wished / PANEL_PT)))
    lines = math.ceil(len(layout.panels) / most)
    columns = math.ceil(len(layout.panels) / lines)
    side = wished / columns if wished else min(TWO_COLUMNS_PT / columns, LARGEST_PANEL_PT)
    width, height = columns * side, lines * PANEL_PT + AROUND_PT
    grid = new_panels(width, height, lines, columns, title=style.title)
    for axes in grid[len(layout.panels) :]:
        axes.remove()
    for panel, axes in zip(layout.panels, grid, strict=False):
        places = [int(choice) for choice in layout.choices]
        average = panel is layout.panels[-1]
        _errorbar(axes, places, panel, INK if average else POSITIVE, "-")
        axes.set_xticks(_ticks(places, side))
        name = f"{panel.name} ({panel.metric})"
        small = TITLE_PT * min(1.0, (side - 24.0) / (TITLE_PT * text_width_em(name)))
        axes.set_title(for_figure(name), fontsize=small, color=INK, pad=4, parse_math=False)
        _plain(axes)
    figure_of(grid[0]).supxlabel(_wrapped(layout.x_label, width), fontsize=TITLE_PT, color=INK)
    figure_of(grid[0]).supylabel("score (%)", fontsize=TITLE_PT, color=INK)
    return grid[0]


def _ticks(places: list[int], width_pt: float) -> list[int]:
    """As many of the numbers as fit on the axis."""
    step = math.ceil(len(places) * 1.6 * TEXT_PT / (width_pt - 24.0))
    return places[::step]


def _points(layout: SweepLayout, style: FigureStyle) -> Axes:
    """A point per combination; bars would have to begin at 0, where no difference is seen."""
    (panel,) = layout.panels
    count = len(layout.choices)
    names = TEXT_PT * max(map(text_width_em, layout.choices))
    width = style.width_pt or max(ONE_COLUMN_PT, count * SLOT_PT + BESIDE_PT)
    upright = names > 0.95 * (width - BESIDE_PT) / count
    height = HEIGHT_PT + (names if upright else TEXT_PT)
    (axes,) = new_panels(width, height, title=style.title)
    places = range(count)
    _errorbar(axes, places, panel, POSITIVE, "")
    fit = (width - BESIDE_PT) / count >= LEAST_SLOT_PT
    for place, mean in enumerate(panel.means if fit else ()):
        axes.annotate(
            number(mean, 1),
            (place, mean),
            xytext=(4, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=TEXT_PT,
            color=INK,
        )
    axes.set_xlim(-0.5, count - 0.3)
    axes.margins(y=0.15)
    axes.set_xticks(places, layout.choices, rotation=90 if upright else 0)
    _label(axes, layout, width)
    return axes


def specs_figure(
    found: Sequence[tuple[str, Sweep, Comparison]], *, style: FigureStyle | None = None
) -> Axes:
    """Draw the averages of mixes of layers for several groupings of the tasks side by side.

    Args:
        found: Name of the grouping, its sweep and the scores of its runs; the same mixes for all.
        style: Size and title that are wished for.

    Returns:
        The axes, in a figure one column of a paper wide or more.

    Source:
        Fei et al. (2022), Figure 4.
    """
    layouts = [(name, lay_out(sweep, compared)) for name, sweep, compared in found]
    first = layouts[0][1]
    count, names = len(first.choices), [name for name, _ in layouts]
    style = style or NO_WISHES
    wanted = max(ONE_COLUMN_PT, count * (SLOT_PT + 8.0 * len(layouts)) + BESIDE_PT)
    width = style.width_pt or wanted
    wide = TEXT_PT * max(map(text_width_em, first.choices))
    upright = wide > 0.95 * (width - BESIDE_PT) / count
    height = HEIGHT_PT + 3 * TEXT_PT + 1.5 * TEXT_PT * len(layouts) + upright * wide
    (axes,) = new_panels(width, height, title=style.title)
    lines: list[Any] = []
    for number_of, (_, layout) in enumerate(layouts):
        shift = 0.6 * ((number_of + 0.5) / len(layouts) - 0.5)
        places = [place + shift for place in range(count)]
        colour = COLOURS[number_of % len(COLOURS)]
        lines.append(_errorbar(axes, places, layout.panels[0], colour, ":"))
    axes.set_xlim(-0.5, count - 0.5)
    axes.margins(y=0.15)
    axes.set_xticks(range(count), first.choices, rotation=90 if upright else 0)
    _label(axes, first, width)
    draw_legend(axes, lines, names, TEXT_PT, loc="outside lower left")
    return axes


def _errorbar(
    axes: Axes, places: Sequence[int] | Sequence[float], panel: SweepPanel, colour: str, line: str
) -> ErrorbarContainer:
    return axes.errorbar(
        places,
        panel.means,
        yerr=panel.deviations,
        color=colour,
        linestyle=line,
        marker="o",
        markersize=3,
        linewidth=1.1,
        elinewidth=0.7,
        capsize=1.5,
    )


def _wrapped(label: str, width_pt: float) -> str:
    return "\n".join(wrapped(label, TITLE_PT, width_pt - BESIDE_PT))


def _label(axes: Axes, layout: SweepLayout, width_pt: float) -> None:
    """Say what the only axes of a figure show."""
    _plain(axes)
    axes.set_ylabel(f"{layout.panels[0].name} (%)", fontsize=TITLE_PT, color=INK)
    axes.set_xlabel(_wrapped(layout.x_label, width_pt), fontsize=TITLE_PT, color=INK)


def _plain(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(5))
    draw_frame(axes, TEXT_PT)

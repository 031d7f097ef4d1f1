"""Learning curves: loss, score or uncertainty over steps, a panel per task, a line per name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hmnet.analysis.curves import Curves
from hmnet.figures.learning_curves_layout import (
    MOST,
    QUANTITIES,
    By,
    SeedLines,
    TaskPanel,
    What,
    caption_of,
    lay_out,
    legend_of,
)
from relevance.escaping import for_figure
from relevance.figures.figure import (
    HINTED,
    INK,
    NOTE_PT,
    POINTS_PER_INCH,
    TWO_COLUMNS_PT,
    Axes,
    draw_frame,
    draw_legend,
    draw_title,
    figure_of,
    new_axes,
    text_width_em,
    title_pt,
    wrapped,
)
from relevance.figures.scale import plain_ticks
from relevance.figures.scatter import COLOURS
from relevance.figures.style import NO_WISHES, FigureStyle

TEXT_PT, TITLE_PT, LEAST_TITLE_PT = 6.5, 7.0, 5.0
LEAST_PANEL_PT, LARGEST_PANEL_PT, PANEL_HEIGHT_PT = 100.0, 240.0, 92.0
LABEL_PT, LINE_PT, CAPTION_LINE_PT, LEGEND_LINE_OF_PT = 14.0, 12.0, 8.5, 30.0
NUMBERS_PT, RIGHT_PT, BELOW_PT, ABOVE_PT = 26.0, 5.0, 16.0, 14.0
MOST_COLUMNS = 4


def learning_curves(
    runs: Sequence[tuple[str, Curves]],
    what: What = "loss",
    *,
    by: By = "step",
    style: FigureStyle | None = None,
) -> Axes:
    """Draw loss, score on dev or uncertainty: per name the mean over seeds, with a band.

    Losses and uncertainties are means over windows of steps. A mean is over all of the seeds: where
    one has no value its line between two values counts, and the mean ends with the first of them;
    further values of the others are thin lines.

    Args:
        runs: Names and curves, such as `[(run.config.label, hmnet.curves(run))]`; runs of one name
            are seeds, whose mean is drawn with one standard deviation at both sides.
        what: Quantity that is drawn, `loss`, `score` or `uncertainty`.
        by: Whether scores stand at steps or at epochs.
        style: Size and title that are wished for.

    Returns:
        The axes of the first panel, in a figure of up to two columns of a paper; each task has a
        scale of its own.

    Raises:
        RelevanceError: If no run has the quantity, or it is not known by epoch.

    Source:
        El Hattami (2021), figures 3.4 and 3.5.
    """
    style = style or NO_WISHES
    panels = lay_out(runs, what, by)
    legend = legend_of(runs, panels)
    titles = [panel.title for panel in panels]
    place = _place(titles, list(legend.values()), caption_of(panels, what), style)
    grid = new_axes(place.width, place.height + title_pt(style.title, place.width), *place.boxes)
    for panel, axes in zip(panels, grid, strict=True):
        _draw(panel, axes, list(legend))
        _cut_bands(axes, MOST.get(what, math.inf))
    figure, whole = figure_of(grid[0]), place.height + title_pt(style.title, place.width)
    look: dict[str, Any] = {"color": INK, "ha": "center", "va": "center", "parse_math": False}
    figure.text(0.5, (place.below - 6.0) / whole, by, fontsize=TITLE_PT, **look)
    for number, text in enumerate(place.caption):
        low = place.below - LINE_PT - CAPTION_LINE_PT * (number + 0.5)
        figure.text(0.5, low / whole, text, fontsize=NOTE_PT, **look)
    middle = place.middle / whole
    figure.text(6.0 / place.width, middle, QUANTITIES[what], rotation=90, fontsize=TITLE_PT, **look)
    _legend(legend, panels, grid[0], place)
    draw_title(grid[0], style.title, whole=True)
    return grid[0]


class _Place(NamedTuple):
    """Room of everything, in points.

    Attributes:
        width: Width of the figure.
        height: Height of the figure without its title.
        below: Height of what stands below the panels: their label, the caption, the legend.
        caption: Lines of the caption.
        called: Names of the legend, wrapped.
        in_a_line: Number of names of the legend side by side.
        boxes: Left end, lower end, width and height of each panel.
    """

    width: float
    height: float
    below: float
    caption: tuple[str, ...]
    called: tuple[str, ...]
    in_a_line: int
    boxes: tuple[tuple[float, float, float, float], ...]

    @property
    def middle(self) -> float:
        """Height of the middle of all panels."""
        return (self.boxes[-1][1] + self.boxes[0][1] + self.boxes[0][3]) / 2


def _place(titles: Sequence[str], names: Sequence[str], caption: str, style: FigureStyle) -> _Place:
    """Lay out panels without asking how wide their numbers are, as hundreds take minutes else."""
    room = (style.width_pt or TWO_COLUMNS_PT) - LABEL_PT
    least = max(LEAST_PANEL_PT, _widest_pt(titles, LEAST_TITLE_PT) + NUMBERS_PT + RIGHT_PT)
    columns = max(1, min(len(titles), MOST_COLUMNS, int(room / least)))
    lines = math.ceil(len(titles) / columns)
    columns = math.ceil(len(titles) / lines)
    side = min(room / columns, LARGEST_PANEL_PT if style.width is None else room)
    width = LABEL_PT + columns * side
    in_a_line = min(len(names), int(width / (_widest_pt(names, TEXT_PT) + LEGEND_LINE_OF_PT)))
    called = ["\n".join(wrapped(name, TEXT_PT, width - LEGEND_LINE_OF_PT)) for name in names]
    named = math.ceil(len(names) / in_a_line) if in_a_line else sum(map(_lines_of, called))
    told = tuple(wrapped(caption, NOTE_PT, width - LABEL_PT))
    below = 8.0 + LINE_PT * (1 + named) + CAPTION_LINE_PT * len(told)
    boxes = tuple(
        (
            LABEL_PT + number % columns * side + NUMBERS_PT,
            below + (lines - 1 - number // columns) * PANEL_HEIGHT_PT + BELOW_PT,
            side - NUMBERS_PT - RIGHT_PT,
            PANEL_HEIGHT_PT - BELOW_PT - ABOVE_PT,
        )
        for number in range(len(titles))
    )
    height = below + lines * PANEL_HEIGHT_PT
    return _Place(width, height, below, told, tuple(called), max(1, in_a_line), boxes)


def _lines_of(text: str) -> int:
    return text.count("\n") + 1


def _widest_pt(texts: Sequence[str], size_pt: float) -> float:
    return size_pt * HINTED * max(map(text_width_em, texts))


def _draw(panel: TaskPanel, axes: Axes, names: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    for line in panel.lines:
        _draw_line(line, axes, COLOURS[names.index(line.name) % len(COLOURS)])
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    plain_ticks(axes.yaxis)
    width_pt = axes.get_window_extent().width * POINTS_PER_INCH / figure_of(axes).dpi
    size = TITLE_PT * min(1.0, width_pt / (TITLE_PT * HINTED * text_width_em(panel.title)))
    axes.set_title(for_figure(panel.title), fontsize=size, color=INK, pad=3, parse_math=False)
    draw_frame(axes, TEXT_PT)


def _cut_bands(axes: Axes, most: float) -> None:
    """End a scale where values end, as bands may go on beyond."""
    low, high = axes.get_ylim()
    axes.set_ylim(top=min(high, most + 0.04 * (high - low)))


def _draw_line(line: SeedLines, axes: Axes, colour: str) -> None:
    mean, spread = line.mean, line.deviation
    marker = "o" if len(line.places) < 10 else ""
    axes.plot(line.places, mean, color=colour, linewidth=1.1, marker=marker, markersize=2.5)
    if spread is not None:
        low, high = mean - spread, mean + spread
        axes.fill_between(line.places, low, high, color=colour, alpha=0.2, linewidth=0)
    for points in line.further:
        axes.plot(points.places, points.values, color=colour, linewidth=0.5)


def _legend(names: Iterable[str], panels: Sequence[TaskPanel], axes: Axes, place: _Place) -> None:
    """Name the lines; a name of which nothing is drawn has no colour."""
    from matplotlib.lines import Line2D

    drawn = {line.name for panel in panels for line in panel.lines}
    lines = [
        Line2D([], [], color=COLOURS[number % len(COLOURS)] if name in drawn else "none")
        for number, name in enumerate(names)
    ]
    draw_legend(axes, lines, place.called, TEXT_PT, loc="lower center", ncols=place.in_a_line)

"""Learning curves: training loss or score on dev over steps, a panel per task, a line per name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from hmnet.analysis.curves import Curves
from relevance.errors import RelevanceError
from relevance.escaping import for_figure
from relevance.figures.figure import (
    HINTED,
    INK,
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
)
from relevance.figures.scale import plain_ticks
from relevance.figures.scatter import COLOURS
from relevance.figures.style import NO_WISHES, FigureStyle

TEXT_PT, TITLE_PT = 6.5, 7.0
LEAST_PANEL_PT, LARGEST_PANEL_PT, PANEL_HEIGHT_PT = 100.0, 240.0, 92.0
LABEL_PT, LEGEND_LINE_PT, LEGEND_LINE_OF_PT = 14.0, 12.0, 30.0
NUMBERS_PT, RIGHT_PT, BELOW_PT, ABOVE_PT = 26.0, 5.0, 16.0, 14.0
MOST_COLUMNS = 4
SEVERAL = "steps of several tasks"
QUANTITIES = {"loss": "training loss, mean over a window of steps", "score": "score on dev (%)"}

What = Literal["loss", "score"]


class SeedLines(NamedTuple):
    """The runs of one name on one task.

    Attributes:
        name: Name that the runs share; they are seeds.
        steps: Steps at which the values stand.
        values: Values by place and run; NaN where a run has none.
    """

    name: str
    steps: Int[np.ndarray, " place"]
    values: Float[np.ndarray, "place run"]

    @property
    def mean(self) -> Float[np.ndarray, " place"]:
        """Mean over the runs that have a value; NaN where none has."""
        known = ~np.isnan(self.values)
        sums = np.where(known, self.values, 0.0).sum(axis=1)
        counts = known.sum(axis=1)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    @property
    def deviation(self) -> Float[np.ndarray, " place"]:
        """Standard deviation over the runs, of a sample; NaN where fewer than two have a value."""
        known = ~np.isnan(self.values)
        counts = known.sum(axis=1)
        squares = np.where(known, self.values - self.mean[:, None], 0.0) ** 2
        found = np.sqrt(squares.sum(axis=1) / np.maximum(counts - 1, 1))
        return np.where(counts > 1, found, np.nan)


class TaskPanel(NamedTuple):
    """What one task shows.

    Attributes:
        task: Name of the task, or `SEVERAL`.
        lines: The runs of each name that have values; runs of one name whose values stand at other
            steps are lines of their own.
    """

    task: str
    lines: tuple[SeedLines, ...]


def lay_out(runs: Sequence[tuple[str, Curves]], what: What) -> list[TaskPanel]:
    """Decide what the figure shows.

    Args:
        runs: Names and curves; runs of one name are seeds.
        what: Quantity that is drawn.

    Returns:
        A panel for every task of any run, in their order, and a last one for losses of steps that
        trained several tasks.

    Raises:
        RelevanceError: If no run has the quantity.
    """
    tasks = dict.fromkeys(task for _, found in runs for task in found.tasks)
    panels = [
        TaskPanel(task, lines)
        for task in (*tasks, SEVERAL)
        if (lines := tuple(_lines(runs, what, task)))
    ]
    if not panels:
        raise RelevanceError(
            "None of these runs was scored on dev while it was trained. Train with"
            ' `checkpoint="best"` or `patience=N`, or look at `what="loss"`.'
            if what == "score"
            else "The logs of these runs hold no loss, as those of an older version."
        )
    return panels


def _lines(runs: Sequence[tuple[str, Curves]], what: What, task: str) -> Iterable[SeedLines]:
    found: dict[tuple[str, bytes], list[Float[np.ndarray, " place"]]] = {}
    places: dict[tuple[str, bytes], Int[np.ndarray, " place"]] = {}
    for name, curves in runs:
        steps, values = _values(curves, what, task)
        if not np.isnan(values).all():
            key = name, steps.tobytes()
            places[key] = steps
            found.setdefault(key, []).append(values)
    for key, values_of_runs in found.items():
        yield SeedLines(key[0], places[key], np.stack(values_of_runs, axis=1))


def _values(
    curves: Curves, what: What, task: str
) -> tuple[Int[np.ndarray, " place"], Float[np.ndarray, " place"]]:
    """Steps and values of a task in a run; none where it has none."""
    table = curves.losses if what == "loss" else curves.scores
    steps = curves.steps if what == "loss" else curves.scored_at
    names = (*curves.tasks, SEVERAL) if what == "loss" else curves.tasks
    if table is None or task not in names:
        return steps[:0], np.zeros(0)
    return steps, (1.0 if what == "loss" else 100.0) * table[:, names.index(task)]


def learning_curves(
    runs: Sequence[tuple[str, Curves]], what: What = "loss", *, style: FigureStyle | None = None
) -> Axes:
    """Draw training loss or score on dev over steps: per name the mean over seeds, with a band.

    Losses are smoothed: each point is the mean over the steps of a window that trained the task,
    and a run has at most 60 windows of about as many steps each.

    Args:
        runs: Names and curves, such as `[(run.config.label, hmnet.curves(run))]`; runs of one name
            are seeds, whose mean is drawn with one standard deviation at both sides.
        what: Quantity that is drawn, `loss` or `score`.
        style: Size and title that are wished for.

    Returns:
        The axes of the first panel, in a figure of up to two columns of a paper; each task has a
        scale of its own.

    Raises:
        RelevanceError: If no run has the quantity.
    """
    style = style or NO_WISHES
    panels = lay_out(runs, what)
    names = list(dict.fromkeys(name for name, _ in runs))
    place = _place(len(panels), names, style)
    grid = new_axes(place.width, place.height + title_pt(style.title, place.width), *place.boxes)
    for panel, axes in zip(panels, grid, strict=True):
        _draw(panel, axes, names)
    bands = any(line.values.shape[1] > 1 for panel in panels for line in panel.lines)
    label = "step; band: one standard deviation over seeds" if bands else "step"
    figure, whole = figure_of(grid[0]), place.height + title_pt(style.title, place.width)
    look: dict[str, Any] = {"fontsize": TITLE_PT, "color": INK, "ha": "center", "va": "center"}
    figure.text(0.5, (place.legend + 6.0) / whole, label, **look)
    figure.text(6.0 / place.width, place.middle / whole, QUANTITIES[what], rotation=90, **look)
    _legend(names, panels, grid[0], place.in_a_line)
    draw_title(grid[0], style.title, whole=True)
    return grid[0]


class _Place(NamedTuple):
    """Room of everything, in points.

    Attributes:
        width: Width of the figure.
        height: Height of the figure without its title.
        legend: Height of the legend, at the bottom.
        in_a_line: Number of names of the legend side by side.
        boxes: Left end, lower end, width and height of each panel.
    """

    width: float
    height: float
    legend: float
    in_a_line: int
    boxes: tuple[tuple[float, float, float, float], ...]

    @property
    def middle(self) -> float:
        """Height of the middle of all panels."""
        return (self.boxes[-1][1] + self.boxes[0][1] + self.boxes[0][3]) / 2


def _place(count: int, names: Sequence[str], style: FigureStyle) -> _Place:
    """Lay out panels without asking how wide their numbers are, as hundreds take minutes else."""
    room = (style.width_pt or TWO_COLUMNS_PT) - LABEL_PT
    columns = max(1, min(count, MOST_COLUMNS, int(room / LEAST_PANEL_PT)))
    lines = math.ceil(count / columns)
    columns = math.ceil(count / lines)
    side = min(room / columns, LARGEST_PANEL_PT if style.width is None else room)
    width = LABEL_PT + columns * side
    in_a_line = max(1, min(len(names), int(width / (_widest_pt(names) + LEGEND_LINE_OF_PT))))
    legend = 6.0 + LEGEND_LINE_PT * math.ceil(len(names) / in_a_line)
    below = legend + LABEL_PT
    boxes = tuple(
        (
            LABEL_PT + number % columns * side + NUMBERS_PT,
            below + (lines - 1 - number // columns) * PANEL_HEIGHT_PT + BELOW_PT,
            side - NUMBERS_PT - RIGHT_PT,
            PANEL_HEIGHT_PT - BELOW_PT - ABOVE_PT,
        )
        for number in range(count)
    )
    return _Place(width, below + lines * PANEL_HEIGHT_PT, legend, in_a_line, boxes)


def _widest_pt(names: Sequence[str]) -> float:
    return TEXT_PT * HINTED * max(map(text_width_em, names))


def _draw(panel: TaskPanel, axes: Axes, names: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    for line in panel.lines:
        colour, mean = COLOURS[names.index(line.name) % len(COLOURS)], line.mean
        known = ~np.isnan(mean)
        steps, mean = line.steps[known], mean[known]
        marker = "o" if len(steps) < 10 else ""
        axes.plot(steps, mean, color=colour, linewidth=1.1, marker=marker, markersize=2.5)
        spread = np.nan_to_num(line.deviation[known])
        if spread.any():
            axes.fill_between(
                steps, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0
            )
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    plain_ticks(axes.yaxis)
    width_pt = axes.get_window_extent().width * POINTS_PER_INCH / figure_of(axes).dpi
    small = min(1.0, width_pt / (TITLE_PT * HINTED * text_width_em(panel.task)))
    axes.set_title(
        for_figure(panel.task), fontsize=TITLE_PT * small, color=INK, pad=3, parse_math=False
    )
    draw_frame(axes, TEXT_PT)


def _legend(names: Sequence[str], panels: Sequence[TaskPanel], axes: Axes, in_a_line: int) -> None:
    """Name the lines, and say of which runs there are none."""
    from matplotlib.lines import Line2D

    drawn = {line.name for panel in panels for line in panel.lines}
    lines = [
        Line2D([], [], color=COLOURS[number % len(COLOURS)] if name in drawn else "none")
        for number, name in enumerate(names)
    ]
    called = [name if name in drawn else f"{name} (nothing logged)" for name in names]
    draw_legend(axes, lines, called, TEXT_PT, loc="lower center", ncols=in_a_line)

"""Several runs over their steps: the median over tasks of scores and of uncertainty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from hmnet.analysis.curves import Curves
from relevance.errors import RelevanceError
from relevance.figures.figure import INK, TWO_COLUMNS_PT, Axes, draw_frame, draw_legend, new_panels
from relevance.figures.scatter import COLOURS
from relevance.figures.style import NO_WISHES, FigureStyle

TEXT_PT = 7.0
PANEL_PT = 130.0
AROUND_PT = 42.0


class RunLine(NamedTuple):
    """One quantity of one run.

    Attributes:
        name: Name of the run; runs of one name are seeds.
        steps: Steps at which the values stand.
        values: Median over the tasks that have one there.
    """

    name: str
    steps: Int[np.ndarray, " place"]
    values: Float[np.ndarray, " place"]


class RunsPanel(NamedTuple):
    """One quantity of all runs that have it.

    Attributes:
        quantity: Quantity on the vertical axis.
        lines: One per run.
        medians: One per name with several runs that stand at the same steps: the median over them.
    """

    quantity: str
    lines: tuple[RunLine, ...]
    medians: tuple[RunLine, ...]


def lay_out(runs: Sequence[tuple[str, Curves]]) -> list[RunsPanel]:
    """Decide what the figure shows.

    Args:
        runs: Names and curves, two at least.

    Returns:
        A panel for scores, and one for uncertainty, where a run has them.

    Raises:
        RelevanceError: If no run has either.
    """
    scores = [
        RunLine(name, found.scored_at, 100 * _median(found.scores))
        for name, found in runs
        if found.scores is not None
    ]
    unsure = [
        RunLine(name, found.steps, _median(values))
        for name, found in runs
        if (values := found.entropies) is not None
    ]
    panels = [
        RunsPanel(quantity, tuple(lines), tuple(_over_seeds(lines)))
        for quantity, lines in (
            ("score on dev (%)\nmedian over tasks", scores),
            ("uncertainty\nmedian over tasks", unsure),
        )
        if lines
    ]
    if not panels:
        raise RelevanceError(
            "None of these runs was scored while it was trained, or asked how unsure it is, so"
            " there is nothing to draw side by side. Train with"
            ' `checkpoint="best"` or `log_uncertainty=True`, or draw each run alone.'
        )
    return panels


def _median(values: Float[np.ndarray, "place task"]) -> Float[np.ndarray, " place"]:
    """Median over the tasks that have a value; NaN where none has."""
    known = ~np.isnan(values).all(axis=1)
    found = np.full(len(values), np.nan)
    found[known] = np.nanmedian(values[known], axis=1)
    return found


def _over_seeds(lines: Iterable[RunLine]) -> Iterable[RunLine]:
    by_name: dict[str, list[RunLine]] = {}
    for line in lines:
        by_name.setdefault(line.name, []).append(line)
    for name, same in by_name.items():
        first = same[0].steps
        if len(same) > 1 and all(np.array_equal(line.steps, first) for line in same):
            yield RunLine(name, first, _median(np.stack([line.values for line in same], axis=1)))


def runs_figure(runs: Sequence[tuple[str, Curves]], style: FigureStyle | None = None) -> Axes:
    """Draw how several runs went: a colour per name, seeds thin and their median thick.

    Args:
        runs: Names and curves, two at least.
        style: Size and title that are wished for.

    Returns:
        The axes of the first panel, in a figure two columns of a paper wide.

    Raises:
        RelevanceError: If there is nothing to draw.

    Source:
        El Hattami (2021), figures 3.4 and 3.5.
    """
    style, panels = style or NO_WISHES, lay_out(runs)
    height = len(panels) * PANEL_PT + AROUND_PT
    width = style.width_pt or TWO_COLUMNS_PT
    grid = new_panels(width, height, len(panels), title=style.title, sharex=True)
    names = list(dict.fromkeys(name for name, _ in runs))
    for panel, axes in zip(panels, grid, strict=True):
        _draw(panel, axes, names)
    grid[-1].set_xlabel(f"step{_said(panels)}", fontsize=TEXT_PT, color=INK)
    drawn = {line.name for panel in panels for line in panel.lines}
    _legend(names, drawn, grid[0])
    return grid[0]


def _said(panels: Iterable[RunsPanel]) -> str:
    """What thick lines are, and that seeds of other lengths have none."""
    drawn = [(Counter(line.name for line in p.lines), {m.name for m in p.medians}) for p in panels]
    thick = "; thick: median over seeds, thin: each seed" if any(m for _, m in drawn) else ""
    without = {name for counts, m in drawn for name, n in counts.items() if n > 1 and name not in m}
    return thick + ("; no median where seeds stand at different steps" if without else "")


def _draw(panel: RunsPanel, axes: Axes, names: Sequence[str]) -> None:
    averaged = {line.name for line in panel.medians}
    for lines, width in ((panel.lines, None), (panel.medians, 1.8)):
        for line in lines:
            known = ~np.isnan(line.values)
            axes.plot(
                line.steps[known],
                line.values[known],
                color=COLOURS[names.index(line.name) % len(COLOURS)],
                linewidth=width or (0.5 if line.name in averaged else 1.2),
                marker="o" if len(line.steps) < 10 else "",
                markersize=2.5,
            )
    axes.set_xlim(left=0)
    axes.set_ylabel(panel.quantity, fontsize=TEXT_PT, color=INK)
    draw_frame(axes, TEXT_PT)


def _legend(names: Sequence[str], drawn: Collection[str], axes: Axes) -> None:
    """Name the lines, and say of which runs there are none."""
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=COLOURS[n % len(COLOURS)] if name in drawn else "none")
        for n, name in enumerate(names)
    ]
    called = [name if name in drawn else f"{name} (nothing logged)" for name in names]
    where = {"loc": "outside lower center", "ncols": min(len(names), 5)}
    draw_legend(axes, lines, called, TEXT_PT, labelcolor=INK, **where)

"""One task's influence on others and of others on it, as bars (Figure 2 of the paper)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from relevance.errors import unknown_name
from relevance.escaping import for_figure
from relevance.figures.figure import (
    FAINT,
    INK,
    NEGATIVE,
    POSITIVE,
    TWO_COLUMNS_PT,
    new_figure,
    text_width_em,
)
from relevance.figures.heatmap_layout import number, quantity
from relevance.intervals import half_widths, over_examples
from relevance.matrix import RelevanceMatrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TEXT_PT = 7.0
TITLE_PT = 8.0
ROW_PT = 11.5
ABOVE_PT = 18.0
BELOW_PT = 28.0


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        task: The other task.
        percent: Length, NaN where unknown.
        error: Half the 95 % interval in percent, None without standard errors.
    """

    task: str
    percent: float
    error: float | None = None


@dataclass(frozen=True)
class BarsLayout:
    """Both panels before they are drawn, longest positive bar first and unknown ones last.

    Attributes:
        task: The task that both panels are about.
        on_others: Its row of the matrix: what others gain from it.
        by_others: Its column: what it gains from others.
        quantity: What the bars measure, and on a second line what their intervals leave out.
    """

    task: str
    on_others: tuple[Bar, ...]
    by_others: tuple[Bar, ...]
    quantity: str


def lay_out(matrix: RelevanceMatrix, task: str) -> BarsLayout:
    """Decide what the bars of a task show.

    Args:
        matrix: Any matrix.
        task: One of its tasks.

    Returns:
        The layout.

    Raises:
        RelevanceError: If the matrix does not have the task.
    """
    if task not in matrix.tasks:
        raise unknown_name("task", task, matrix.tasks)
    place = matrix.tasks.index(task)
    widths = half_widths(matrix)
    percent = 100 * matrix.values

    def panel(cells: tuple[int | slice, ...]) -> tuple[Bar, ...]:
        none = [None] * len(matrix.tasks)
        errors = none if widths is None else (100 * widths[cells]).tolist()
        found = map(Bar, matrix.tasks, percent[cells].tolist(), errors)
        return tuple(sorted((bar for bar in found if bar.task != task), key=_rank))

    return BarsLayout(
        task,
        on_others=panel((place, slice(None))),
        by_others=panel((slice(None), place)),
        quantity=quantity(matrix) + _intervals(matrix),
    )


def _intervals(matrix: RelevanceMatrix) -> str:
    """A second line of the label where intervals hold less than one might think."""
    return "\n95 % intervals: noise of the evaluation only" if over_examples(matrix) else ""


def _rank(bar: Bar) -> float:
    return math.inf if math.isnan(bar.percent) else -bar.percent


def bars(
    matrix: RelevanceMatrix, task: str, axes: tuple[Axes, Axes] | None = None
) -> tuple[Axes, Axes]:
    """Draw a task's influence on others, and the influence of others on it, in two panels.

    Args:
        matrix: Any matrix.
        task: One of its tasks.
        axes: Where to draw the two; None for a figure of its own, two columns of a paper wide.

    Returns:
        The axes, influence on others first; each has a scale of its own.

    Raises:
        RelevanceError: If the matrix does not have the task.

    Source:
        Fei et al. (2022), Figure 2.
    """
    layout = lay_out(matrix, task)
    left, right = axes or _new_axes(layout)
    on_others, by_others = _titles(task)
    _panel(left, layout.on_others, on_others, layout.quantity)
    _panel(right, layout.by_others, by_others, layout.quantity)
    return left, right


def _titles(task: str) -> tuple[str, str]:
    name = for_figure(task)
    return f"influence of {name} on others", f"influence of others on {name}"


def _new_axes(layout: BarsLayout) -> tuple[Axes, Axes]:
    names = 8.0 + TEXT_PT * max((text_width_em(bar.task) for bar in layout.on_others), default=0.0)
    title = TITLE_PT * max(map(text_width_em, _titles(layout.task)))
    panel = max(TWO_COLUMNS_PT / 2 - names - 8.0, title)
    rows = ROW_PT * max(len(layout.on_others), 2)
    below = BELOW_PT + (TEXT_PT + 1) * layout.quantity.count("\n")
    width, height = 2 * (names + panel + 8.0), ABOVE_PT + rows + below
    figure = new_figure(width, height)
    lefts = (names, 2 * names + panel + 8.0)
    first, second = (
        figure.add_axes((x / width, below / height, panel / width, rows / height)) for x in lefts
    )
    return first, second


def _panel(axes: Axes, shown: tuple[Bar, ...], title: str, label: str) -> None:
    lengths = np.nan_to_num([bar.percent for bar in shown])
    errors = np.nan_to_num([0.0 if np.isnan(bar.percent) else bar.error or 0.0 for bar in shown])
    places = range(len(shown))
    axes.barh(
        places,
        lengths,
        height=0.72,
        color=[POSITIVE if length >= 0 else NEGATIVE for length in lengths],
        xerr=np.where(errors > 0, errors, np.nan) if errors.any() else None,
        error_kw={"elinewidth": 0.7, "ecolor": INK, "capsize": 1.5, "capthick": 0.7},
    )
    _widen(axes, lengths - errors, lengths + errors)
    for place, bar, error in zip(places, shown, errors, strict=True):
        _value(axes, place, bar, error)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set_yticks(places, [for_figure(bar.task) for bar in shown], parse_math=False)
    axes.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, pad=2, labelsize=TEXT_PT, labelcolor=INK)
    axes.tick_params(axis="x", length=2, width=0.5, labelsize=TEXT_PT - 1, color=FAINT)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.set_title(title, fontsize=TITLE_PT, color=INK, pad=5, parse_math=False)
    axes.set_xlabel(label, fontsize=TEXT_PT, color=INK, labelpad=2, parse_math=False)


def _widen(axes: Axes, lows: np.ndarray, highs: np.ndarray) -> None:
    """Make room for the values that are printed at the ends of the bars."""
    low, high = min(0.0, lows.min(initial=0)), max(0.0, highs.max(initial=0))
    room = 0.16 * ((high - low) or 1.0)
    axes.set_xlim(low - (room if low < 0 else 0), high + room)


def _value(axes: Axes, place: int, bar: Bar, error: float) -> None:
    """Print a value beyond the end of its bar or interval."""
    unknown = math.isnan(bar.percent)
    sign = -1 if bar.percent < 0 else 1
    axes.annotate(
        "unknown" if unknown else number(bar.percent, 1),
        (0.0 if unknown else bar.percent + sign * error, place),
        xytext=(3 * sign, 0),
        textcoords="offset points",
        ha="left" if sign > 0 else "right",
        va="center_baseline",
        fontsize=TEXT_PT - 1,
        color=FAINT if unknown else INK,
    )

"""Influence of other tasks on one, and of it on them, as bars (Figure 2 of the paper)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relevance.errors import unknown_name
from relevance.escaping import for_figure
from relevance.figures.figure import (
    FAINT,
    INK,
    NEGATIVE,
    NOTE_LINE_PT,
    POINTS_PER_INCH,
    POSITIVE,
    TWO_COLUMNS_PT,
    Axes,
    draw_notes,
    draw_rows,
    figure_of,
    new_figure,
    text_width_em,
)
from relevance.figures.heatmap_layout import quantity
from relevance.figures.scale import MINUS, nice_ticks, one_style, tick_texts
from relevance.marks import COLLAPSED, marks
from relevance.matrices.intervals import POSTERIOR, half_widths, over_examples
from relevance.matrices.matrix import RelevanceMatrix

TEXT_PT = 7.0
TITLE_PT = 8.0
ROW_PT = 11.5
ABOVE_PT = 18.0
BELOW_PT = 28.0
# Beyond it whiskers would press the bars together; they are cut there, with an arrow.
MOST_REACH = 3.0
BEATEN, COLLAPSE = "\N{DAGGER}", "\N{DOUBLE DAGGER}"


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        task: The other task.
        percent: Length, NaN where unknown.
        error: Half the 95 % interval in percent, None without standard errors.
        is_noise: Whether the 95 % interval covers 0.
        signs: Marks against the value, as in tables; see `relevance.marks`.
        predicted: Whether nobody measured it, so that its value stands in brackets.
    """

    task: str
    percent: float
    error: float | None = None
    is_noise: bool = False
    signs: str = ""
    predicted: bool = False

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the interval, both at the bar's end without one; 0 for an unknown value."""
        if math.isnan(self.percent):
            return 0.0, 0.0
        width = self.error if self.error is not None and math.isfinite(self.error) else 0.0
        return self.percent - width, self.percent + width


@dataclass(frozen=True)
class BarsLayout:
    """Both panels before they are drawn, longest positive bar first and unknown ones last.

    Attributes:
        task: The task that both panels are about.
        by_others: The task's column of the matrix, the left panel: what it gains from others.
        on_others: The task's row, the right panel: what others gain from it.
        quantity: Quantity of the bars, and on a second line what their whiskers are.
        notes: Meanings of the marks, one line each.
    """

    task: str
    by_others: tuple[Bar, ...]
    on_others: tuple[Bar, ...]
    quantity: str
    notes: tuple[str, ...] = ()


def lay_out(matrix: RelevanceMatrix, task: str) -> BarsLayout:
    """Decide what the bars of a task show.

    Args:
        matrix: Any matrix.
        task: A task of the matrix.

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
    marked = marks(matrix)
    signs = np.char.add(
        np.where(marked.beaten, BEATEN, ""), np.where(marked.collapsed, COLLAPSE, "")
    )

    def panel(cells: tuple[int | slice, ...]) -> tuple[Bar, ...]:
        none = [None] * len(matrix.tasks)
        errors = none if widths is None else (100 * widths[cells]).tolist()
        against = (each[cells].tolist() for each in (marked.noise, signs, marked.predicted))
        found = map(Bar, matrix.tasks, percent[cells].tolist(), errors, *against)
        return tuple(sorted((bar for bar in found if bar.task != task), key=_rank))

    by_others, on_others = panel((slice(None), place)), panel((place, slice(None)))
    cut = any(is_cut(bar, span(bars)) for bars in (by_others, on_others) for bar in bars)
    whiskers = _whiskers(matrix, cut=cut) if widths is not None else ""
    return BarsLayout(
        task, by_others, on_others, quantity(matrix) + whiskers, _notes([*by_others, *on_others])
    )


def _notes(bars: Sequence[Bar]) -> tuple[str, ...]:
    signs = {sign for bar in bars for sign in bar.signs}
    notes = {
        "hatched: the 95 % interval covers 0": any(bar.is_noise for bar in bars),
        f"{BEATEN}: no run beats the majority class": BEATEN in signs,
        f"{COLLAPSE}: {COLLAPSED.replace('-', MINUS)}": COLLAPSE in signs,
        "in brackets: predicted, not measured": any(bar.predicted for bar in bars),
    }
    return tuple(note for note, said in notes.items() if said)


def _whiskers(matrix: RelevanceMatrix, *, cut: bool) -> str:
    """A second line of the label: what the whiskers are, and what an arrow at one means."""
    seeds = len(matrix.seeds)
    over = f" over {seeds} seeds" if seeds > 1 else ""
    what = ": noise of the evaluation only" if over_examples(matrix) else over
    if matrix.provenance.get("noise") == POSTERIOR:
        what = " of what is expected"
    return f"\n95 % intervals{what}" + ("; arrows: they go on" if cut else "")


def span(bars: Sequence[Bar]) -> tuple[float, float]:
    """Ends of a panel's axis, in percent.

    Two seeds make intervals of 12.7 standard errors; they would shrink all bars to nothing.

    Args:
        bars: Bars of the panel.

    Returns:
        Both ends, 0 between them: as far as bars and intervals go, but not beyond `MOST_REACH`
        times the longest bar.
    """
    lows, highs = zip(*(bar.interval for bar in bars), strict=True) if bars else ((0.0,), (0.0,))
    longest = max((abs(bar.percent) for bar in bars if not math.isnan(bar.percent)), default=0.0)
    most = MOST_REACH * longest or math.inf
    return max(min(0.0, *lows), -most), min(max(0.0, *highs), most)


def is_cut(bar: Bar, shown: tuple[float, float]) -> bool:
    """Whether a bar's interval goes on beyond what is shown."""
    low, high = bar.interval
    return low < shown[0] or high > shown[1]


def _rank(bar: Bar) -> float:
    return math.inf if math.isnan(bar.percent) else -bar.percent


def bars(
    matrix: RelevanceMatrix, task: str, axes: tuple[Axes, Axes] | None = None
) -> tuple[Axes, Axes]:
    """Draw the influence of other tasks on one task, and its influence on them, in two panels.

    Args:
        matrix: Any matrix.
        task: A task of the matrix.
        axes: Axes of the two panels; None for a figure of its own, two columns of a paper wide.

    Returns:
        The axes, influence of others on the task first; each has a scale of its own.

    Raises:
        RelevanceError: If the matrix does not have the task.

    Source:
        Fei et al. (2022), Figure 2.
    """
    layout = lay_out(matrix, task)
    left, right = axes or _new_axes(layout)
    by_others, on_others = _titles(task)
    _panel(left, layout.by_others, by_others, layout.quantity)
    _panel(right, layout.on_others, on_others, layout.quantity)
    draw_notes(left, layout.notes, _label_pt(layout), va="top")
    return left, right


def _titles(task: str) -> tuple[str, str]:
    name = for_figure(task)
    return f"influence of others on {name}", f"influence of {name} on others"


def _new_axes(layout: BarsLayout) -> tuple[Axes, Axes]:
    names = 8.0 + TEXT_PT * max((text_width_em(bar.task) for bar in layout.on_others), default=0.0)
    title = TITLE_PT * max(map(text_width_em, _titles(layout.task)))
    panel = max(TWO_COLUMNS_PT / 2 - names - 8.0, title)
    rows = ROW_PT * max(len(layout.on_others), 2)
    below = _label_pt(layout) + NOTE_LINE_PT * len(layout.notes)
    width, height = 2 * (names + panel + 8.0), ABOVE_PT + rows + below
    figure = new_figure(width, height)
    lefts = (names, 2 * names + panel + 8.0)
    first, second = (
        figure.add_axes((x / width, below / height, panel / width, rows / height)) for x in lefts
    )
    return first, second


def _label_pt(layout: BarsLayout) -> float:
    """Room below the bars for ticks and the label."""
    return BELOW_PT + (TEXT_PT + 1) * layout.quantity.count("\n")


def _panel(axes: Axes, shown: tuple[Bar, ...], title: str, label: str) -> None:
    lengths = np.nan_to_num([bar.percent for bar in shown])
    places = range(len(shown))
    axes.barh(
        places,
        lengths,
        height=0.72,
        color=[POSITIVE if length >= 0 else NEGATIVE for length in lengths],
        hatch=["/////" if bar.is_noise else "" for bar in shown],
        edgecolor="white",
        linewidth=0,
    )
    ends = span(shown)
    for place, bar in zip(places, shown, strict=True):
        _whisker(axes, place, bar, ends)
    _values(axes, shown, ends)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set_yticks(places, [for_figure(bar.task) for bar in shown], parse_math=False)
    axes.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    draw_rows(axes, TEXT_PT, pad_pt=2.0)
    axes.set_title(title, fontsize=TITLE_PT, color=INK, pad=5, parse_math=False)
    axes.set_xlabel(label, fontsize=TEXT_PT, color=INK, labelpad=2, parse_math=False)


def _whisker(axes: Axes, place: int, bar: Bar, ends: tuple[float, float]) -> None:
    """The interval of a bar, with arrows in place of its caps where it goes on."""
    low, high = bar.interval
    if low == high:
        return
    inside = max(low, ends[0]), min(high, ends[1])
    axes.plot(inside, (place, place), color=INK, linewidth=0.7)
    for end, full, arrow in zip(inside, (low, high), "<>", strict=True):
        mark = "|" if end == full else arrow
        axes.plot(
            end, place, color=INK, marker=mark, markersize=3.0, markeredgewidth=0.7, clip_on=False
        )


def _values(axes: Axes, shown: tuple[Bar, ...], ends: tuple[float, float]) -> None:
    """Print the values in a column at the right, clear of bars and whiskers, and their signs."""
    size = TEXT_PT - 1
    texts = [text or "unknown" for text in one_style([bar.percent for bar in shown])]
    texts = [f"({text})" if bar.predicted else text for bar, text in zip(shown, texts, strict=True)]
    signs = size * max((text_width_em(bar.signs) for bar in shown if bar.signs), default=0.0)
    column = size * max(map(text_width_em, texts), default=0.0) + signs + 6.0
    width = axes.get_window_extent().width * POINTS_PER_INCH / figure_of(axes).dpi
    left, right = (0.03 * (ends[1] - ends[0] or 1.0) * bool(end) for end in ends)
    low, high = ends[0] - left, ends[1] + right
    if low == high:
        high = 1.0
    # Values have a column of the axes to themselves, of at most half their width.
    share = min(column / width, 0.5)
    axes.set_xlim(low, high + (high - low) * share / (1 - share))
    places = nice_ticks(low, high, 6 if width > 130 else 3)
    axes.set_xticks(list(places), list(tick_texts(places)))
    for place, (bar, text) in enumerate(zip(shown, texts, strict=True)):
        for part, align in ((text, "right"), (bar.signs, "left")):
            if not part:
                continue
            axes.text(
                1.0 - signs / width,
                place,
                part,
                transform=axes.get_yaxis_transform(),
                ha=align,
                va="center_baseline",
                fontsize=size,
                color=FAINT if math.isnan(bar.percent) else INK,
            )

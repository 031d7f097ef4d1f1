"""Influence of other tasks on one, and of it on them, as bars (Figure 2 of the paper)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relevance.errors import RelevanceError, unknown_name
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
    Panels,
    draw_notes,
    draw_rows,
    draw_title,
    figure_of,
    new_axes,
    text_width_em,
    title_pt,
    wrapped,
)
from relevance.figures.heatmap_layout import quantity
from relevance.figures.order import order_of
from relevance.figures.scale import MINUS, nice_ticks, number, one_style, tick_texts
from relevance.figures.style import NO_WISHES, FigureStyle
from relevance.marks import COLLAPSED, marks
from relevance.matrices.intervals import POSTERIOR, half_widths, over_examples
from relevance.matrices.matrix import RelevanceMatrix

TEXT_PT = 7.0
TITLE_PT = 8.0
ROW_PT = 11.5
ABOVE_PT = 18.0
BELOW_PT = 28.0
BESIDE_PT = 8.0
NARROW_PT, NARROWEST_PT = 90.0, 60.0
"""Panels narrower than the first stand below each other; narrower than the second are none."""
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
        style: Size, title, scale and decimals that were asked for.
    """

    task: str
    by_others: tuple[Bar, ...]
    on_others: tuple[Bar, ...]
    quantity: str
    notes: tuple[str, ...] = ()
    style: FigureStyle = NO_WISHES


def lay_out(matrix: RelevanceMatrix, task: str, style: FigureStyle | None = None) -> BarsLayout:
    """Decide what the bars of a task show.

    Args:
        matrix: Any matrix.
        task: A task of the matrix.
        style: Size, title, scale, order and decimals that are wished for.

    Returns:
        The layout.

    Raises:
        RelevanceError: If the matrix does not have the task or one that the order names.
    """
    style = style or NO_WISHES
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
        others = {bar.task: bar for bar in found if bar.task != task}
        if style.order is None:
            return tuple(sorted(others.values(), key=_rank))
        return tuple(others[name] for name in order_of(matrix, None, style.order) if name != task)

    by_others, on_others = panel((slice(None), place)), panel((place, slice(None)))
    cut = any(
        is_cut(bar, span(bars, style.vmax)) for bars in (by_others, on_others) for bar in bars
    )
    whiskers = _whiskers(matrix, cut=cut) if widths is not None else ""
    return BarsLayout(
        task,
        by_others,
        on_others,
        quantity(matrix) + (whiskers or "; arrows: bars go on" * cut),
        _notes([*by_others, *on_others]),
        style,
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


def span(bars: Sequence[Bar], vmax: float | None = None) -> tuple[float, float]:
    """Ends of a panel's axis, in percent.

    Two seeds make intervals of 12.7 standard errors; they would shrink all bars to nothing.

    Args:
        bars: Bars of the panel.
        vmax: Percent at the ends, on the sides that have bars or intervals; None for as far as
            these go, but not beyond `MOST_REACH` times the longest bar.

    Returns:
        Both ends, 0 between them.
    """
    lows, highs = zip(*(bar.interval for bar in bars), strict=True) if bars else ((0.0,), (0.0,))
    longest = max((abs(bar.percent) for bar in bars if not math.isnan(bar.percent)), default=0.0)
    most = MOST_REACH * longest or math.inf
    if vmax is not None:
        return -vmax if min(lows) < 0 else 0.0, vmax if max(highs) > 0 else 0.0
    return max(min(0.0, *lows), -most), min(max(0.0, *highs), most)


def is_cut(bar: Bar, shown: tuple[float, float]) -> bool:
    """Whether a bar's interval goes on beyond what is shown."""
    low, high = bar.interval
    return low < shown[0] or high > shown[1]


def _rank(bar: Bar) -> float:
    return math.inf if math.isnan(bar.percent) else -bar.percent


def bars(
    matrix: RelevanceMatrix,
    task: str,
    ax: tuple[Axes, Axes] | None = None,
    *,
    style: FigureStyle | None = None,
) -> tuple[Axes, Axes]:
    """Draw the influence of other tasks on one task, and its influence on them, in two panels.

    Args:
        matrix: Any matrix.
        task: A task of the matrix.
        ax: Axes of the two panels; None for a figure of its own, two columns of a paper wide.
        style: Size, title, scale, order and decimals that are wished for. In a narrow figure one
            panel stands below the other.

    Returns:
        The axes, influence of others on the task first; each has a scale of its own.

    Raises:
        RelevanceError: If the matrix does not have the task, or what is wished for cannot be had.

    Source:
        Fei et al. (2022), Figure 2.
    """
    layout = lay_out(matrix, task, style)
    panels = Panels(ax) if ax is not None else _new_axes(layout)
    for axes, shown, title in zip(
        panels, (layout.by_others, layout.on_others), _titles(task), strict=True
    ):
        _panel(axes, shown, title, layout)
    width_pt = _width_pt(panels[0])
    stacked = panels[0].get_position().x0 == panels[1].get_position().x0
    below = panels[1] if stacked else panels[0]
    draw_notes(below, layout.notes, _label_pt(layout, width_pt), va="top")
    draw_title(panels[0], layout.style.title, whole=ax is None)
    left, right = panels
    return Panels((left, right))  # type: ignore[return-value]  # a pair that a notebook shows


def _titles(task: str) -> tuple[str, str]:
    return f"influence of others on {task}", f"influence of {task} on others"


def _new_axes(layout: BarsLayout) -> Panels:
    """Axes of both panels, side by side where these are wide enough."""
    names = BESIDE_PT + TEXT_PT * max(
        (text_width_em(bar.task) for bar in layout.on_others), default=0.0
    )
    wished, title = layout.style.width_pt, TITLE_PT * max(map(text_width_em, _titles(layout.task)))
    around = names + BESIDE_PT
    columns, panel = 2, (wished or TWO_COLUMNS_PT) / 2 - around
    if wished is None:
        panel = max(panel, title)
    elif panel < NARROW_PT:
        columns, panel = 1, wished - around
        if panel < NARROWEST_PT:
            least = (around + NARROWEST_PT) / POINTS_PER_INCH
            raise RelevanceError(
                f"`width={layout.style.width:g}` leaves no room beside the names of the tasks."
                f" Give at least {least + 0.05:.1f} inches."
            )
    width, rows = columns * (around + panel), ROW_PT * max(len(layout.on_others), 2)
    above = ABOVE_PT + TITLE_PT * (_most_lines(layout, panel) - 1)
    label, notes = _label_pt(layout, panel), NOTE_LINE_PT * len(layout.notes)
    first = notes + label + (2 - columns) * (above + rows + label)
    height = first + rows + above + title_pt(layout.style.title, width)
    places = (names, first), ((columns - 1) * (around + panel) + names, notes + label)
    return new_axes(width, height, *((x, y, panel, rows) for x, y in places))


def _most_lines(layout: BarsLayout, panel_pt: float) -> int:
    return max(len(wrapped(title, TITLE_PT, panel_pt)) for title in _titles(layout.task))


def _label_lines(layout: BarsLayout, panel_pt: float) -> list[str]:
    return wrapped(layout.quantity.split("\n"), TEXT_PT, panel_pt)


def _label_pt(layout: BarsLayout, panel_pt: float) -> float:
    """Room below the bars for ticks and the label."""
    return BELOW_PT + (TEXT_PT + 1) * (len(_label_lines(layout, panel_pt)) - 1)


def _width_pt(axes: Axes) -> float:
    return float(axes.get_window_extent().width * POINTS_PER_INCH / figure_of(axes).dpi)


def _panel(axes: Axes, shown: tuple[Bar, ...], title: str, layout: BarsLayout) -> None:
    ends = span(shown, layout.style.vmax)
    lengths = np.clip(np.nan_to_num([bar.percent for bar in shown]), *ends)
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
    for place, bar in zip(places, shown, strict=True):
        _whisker(axes, place, bar, ends)
    _values(axes, shown, ends, layout.style.decimals)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set_yticks(places, [for_figure(bar.task) for bar in shown], parse_math=False)
    axes.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    draw_rows(axes, TEXT_PT, pad_pt=2.0)
    width_pt = _width_pt(axes)
    title, label = (
        "\n".join(map(for_figure, lines))
        for lines in (wrapped(title, TITLE_PT, width_pt), _label_lines(layout, width_pt))
    )
    axes.set_title(title, fontsize=TITLE_PT, color=INK, pad=5, parse_math=False)
    axes.set_xlabel(label, fontsize=TEXT_PT, color=INK, labelpad=2, parse_math=False)


def _whisker(axes: Axes, place: int, bar: Bar, ends: tuple[float, float]) -> None:
    """The interval of a bar, with arrows in place of its caps where it or the bar goes on."""
    low, high = bar.interval
    inside = np.clip((low, high), *ends)
    axes.plot(inside, (place, place), color=INK, linewidth=0.7)
    for end, full in zip(inside, (low, high), strict=True):
        if low == high == end:
            continue  # there is no interval, and the bar ends within the panel
        mark = "|" if end == full else "<" if full < end else ">"
        axes.plot(
            end, place, color=INK, marker=mark, markersize=3.0, markeredgewidth=0.7, clip_on=False
        )


def _values(
    axes: Axes, shown: tuple[Bar, ...], ends: tuple[float, float], decimals: int | None
) -> None:
    """Print the values in a column at the right, clear of bars and whiskers, and their signs."""
    size = TEXT_PT - 1
    values = [bar.percent for bar in shown]
    found = one_style(values) if decimals is None else [number(each, decimals) for each in values]
    texts = [text or "unknown" for text in found]
    texts = [f"({text})" if bar.predicted else text for bar, text in zip(shown, texts, strict=True)]
    signs = size * max((text_width_em(bar.signs) for bar in shown if bar.signs), default=0.0)
    column = size * max(map(text_width_em, texts), default=0.0) + signs + 6.0
    width = _width_pt(axes)
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

"""The layout of a heat map as a plain value: order, texts, colour limits, marks and sizes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.figures.figure import (
    HINTED,
    NOTE_LINE_PT,
    NOTE_PT,
    ONE_COLUMN_PT,
    POINTS_PER_INCH,
    text_width_em,
    title_pt,
    wrapped,
)
from relevance.figures.order import ordered
from relevance.figures.scale import MINUS as MINUS
from relevance.figures.scale import decimals_for, needs_power, overhang_pt, power
from relevance.figures.scale import number as number
from relevance.figures.style import NO_WISHES, FigureStyle
from relevance.marks import COLLAPSED, Marks, marks
from relevance.matrices.intervals import over_examples
from relevance.matrices.matrix import RelevanceMatrix

MIN_TEXT_PT = 5.0
MAX_TEXT_PT = 8.0
MIN_CELL_PT = 11.7
SCREEN_CELL_PT = 22.0
MAX_CELL_PT = 32.0
MAX_SIDE_PT = 40 * SCREEN_CELL_PT
NAME_PT = 6.0
RIGHT_PT = 7.0
MARK_PT = 4.5
TOO_SMALL = "cells are too small for hatching and corners, which mark doubtful values"
FILL = 0.9
NARROWEST_PT = 60.0
LINE = 1.2
DIVERGING = frozenset({"joint-training", "short-runs", "top-layers"})
QUANTITIES = {
    "joint-training": "joint-training gain of the target",
    "short-runs": "gain of the target in short runs",
    "top-layers": "gain of the target over frozen layers",
    "vocabulary": "share of the target's vocabulary",
    "taxonomy": "closeness of the families",
}

Cells = Bool[np.ndarray, "source target"]


@dataclass(frozen=True, eq=False)
class HeatmapLayout:
    """A heat map before it is drawn.

    Attributes:
        tasks: Names in the order of rows and columns.
        percent: The values times 100, NaN where unknown.
        texts: Text of each cell; empty where unknown, and everywhere if nothing fits.
        text_pt: Font size of those texts.
        low: Value of the colour map's lower end, in percent.
        high: Value of its upper end.
        extend: Ends beyond which values lie: `neither`, `min`, `max` or `both`.
        diverging: Whether colours tell the sign, with the middle at 0.
        fixed_diagonal: Whether the diagonal is one number by definition, so that it says nothing.
        uncertain: Cells whose 95 % interval covers zero.
        beaten: Cells in which no run beats the majority class.
        collapsed: Cells of which a run collapsed.
        predicted: Cells that nobody measured, with texts in brackets.
        clusters: Sizes of the groups in the order shown, empty without groups.
        quantity: Meaning of the colours.
        notes: Meanings of the marks, one line each.
        style: Size, title and colour map that were asked for.
    """

    tasks: tuple[str, ...]
    percent: Float[np.ndarray, "source target"]
    texts: tuple[tuple[str, ...], ...]
    text_pt: float
    low: float
    high: float
    extend: str
    diverging: bool
    fixed_diagonal: bool
    uncertain: Cells
    beaten: Cells
    collapsed: Cells
    predicted: Cells
    clusters: tuple[int, ...]
    quantity: str
    notes: tuple[str, ...]
    style: FigureStyle = NO_WISHES


def lay_out(
    matrix: RelevanceMatrix,
    clusters: ClusterSpec | None = None,
    *,
    cell_pt: float = SCREEN_CELL_PT,
    style: FigureStyle | None = None,
) -> HeatmapLayout:
    """Decide what a heat map shows.

    Args:
        matrix: Any matrix.
        clusters: Groups of all its tasks, which then stand together in their order.
        cell_pt: Side of a cell in points, for the size and the decimals of the texts.
        style: Size, title, scale, order, decimals and colours that are wished for.

    Returns:
        The layout.

    Raises:
        RelevanceError: If the groups are not those of the matrix's tasks, or the order is none of
            its tasks.
    """
    style = style or NO_WISHES
    matrix, groups = ordered(matrix, clusters, style.order)
    percent = 100 * matrix.values
    diagonal = np.diagonal(percent)
    fixed = bool(np.isfinite(diagonal).all() and np.ptp(diagonal) == 0)
    judged = percent[~np.eye(len(percent), dtype=bool)] if fixed else percent.ravel()
    judged = judged[np.isfinite(judged)]
    diverging = matrix.measure in DIVERGING or bool((judged < 0).any())
    low, high = colour_limits(judged, diverging=diverging)
    if style.vmax is not None:
        high = style.vmax
        low = -high if diverging else low if low < high else 0.0
    marked = marks(matrix)
    notes = _notes(matrix, marked)
    if cell_pt < MARK_PT and notes:  # lines and corners would hide the colours of such cells
        marked, notes = _unmarked(marked), (TOO_SMALL,)
    texts, text_pt = cell_texts(
        percent,
        FILL * cell_pt,
        fixed_diagonal=fixed,
        bracketed=marked.predicted,
        decimals=style.decimals,
    )
    return HeatmapLayout(
        tasks=matrix.tasks,
        percent=percent,
        texts=texts,
        text_pt=text_pt,
        low=low,
        high=high,
        extend=_extend(bool((judged < low).any()), bool((judged > high).any())),
        diverging=diverging,
        fixed_diagonal=fixed,
        uncertain=marked.noise,
        beaten=marked.beaten,
        collapsed=marked.collapsed,
        predicted=marked.predicted,
        clusters=groups,
        quantity=quantity(matrix),
        notes=notes,
        style=style,
    )


def quantity(matrix: RelevanceMatrix) -> str:
    """Label of an axis: what the values are, with the unit they are printed in."""
    unit = matrix.shown_in
    if matrix.provenance.get("metric") == "loss":
        return f"reduction of the target's held-out loss ({unit})"
    return f"{QUANTITIES.get(matrix.measure, matrix.measure)} ({unit})"


def _extend(below: bool, above: bool) -> str:
    if below and above:
        return "both"
    return "min" if below else "max" if above else "neither"


def _notes(matrix: RelevanceMatrix, marked: Marks) -> tuple[str, ...]:
    noise = ", noise of the evaluation only" if over_examples(matrix) else ""
    notes = {
        f"hatched: the 95 % interval covers 0{noise}": marked.noise,
        "corner: no run beats the majority class": marked.beaten,
        f"dark corner: {COLLAPSED.replace('-', MINUS)}": marked.collapsed,
        "in brackets, pale corner: predicted, not measured": marked.predicted,
        "crossed out: unknown": np.isnan(matrix.values),
    }
    return tuple(note for note, cells in notes.items() if cells.any())


def _unmarked(marked: Marks) -> Marks:
    """Marks of the same cells, none of which is set."""
    none = np.zeros_like(marked.known)
    return replace(marked, noise=none, beaten=none, collapsed=none, predicted=none)


def colour_limits(percent: Float[np.ndarray, " cell"], *, diverging: bool) -> tuple[float, float]:
    """Ends of the colour map that outliers do not stretch: Tukey's fences, 1.5 quartile ranges out.

    Args:
        percent: The known values that colours should tell apart.
        diverging: Whether to make the limits symmetric around 0.

    Returns:
        Lower and upper end, always different; values beyond take the colour of the end.
    """
    if diverging:
        percent = np.abs(percent)
    if percent.size == 0 or np.ptp(percent) == 0:
        middle = float(percent[0]) if percent.size else 0.0
        bound = abs(middle) or 1.0
        return (-bound, bound) if diverging else (middle - bound, middle + bound)
    # One run that collapsed would else stretch the colours until all other cells look alike.
    first, third = np.quantile(percent, [0.25, 0.75])
    low, high = float(percent.min()), float(percent.max())
    if third > first:
        low, high = (
            max(low, first - 1.5 * (third - first)),
            min(high, third + 1.5 * (third - first)),
        )
    return (-float(high), float(high)) if diverging else (float(low), float(high))


def cell_texts(
    percent: Float[np.ndarray, "source target"],
    width_pt: float,
    *,
    fixed_diagonal: bool,
    bracketed: Cells | None = None,
    decimals: int | None = None,
) -> tuple[tuple[tuple[str, ...], ...], float]:
    """The most precise texts that fit into the cells at a size that can be read.

    Args:
        percent: Values in percent, NaN for none.
        width_pt: Room in a cell.
        fixed_diagonal: Whether the diagonal needs no decimals.
        bracketed: Cells whose texts stand in brackets, None for none.
        decimals: Digits after the point that they all have, None for as many as fit.

    Returns:
        Texts, all empty if none fit at 5 points, and their font size in points.
    """
    empty = tuple(("",) * len(row) for row in percent)
    if text_width_em("0") * MIN_TEXT_PT > width_pt:
        return empty, MIN_TEXT_PT
    styles = _styles(percent, fixed_diagonal=fixed_diagonal)
    if decimals is not None:
        styles = (lambda value: number(value, decimals),)
    for style in styles:
        texts = tuple(
            tuple(
                _in_brackets(
                    number(value, 0) if fixed_diagonal and x == y else style(value),
                    bracketed is not None and bool(bracketed[y, x]),
                )
                for x, value in enumerate(row)
            )
            for y, row in enumerate(percent.tolist())
        )
        widest = max(map(text_width_em, {text for row in texts for text in row}))
        if widest * MIN_TEXT_PT <= width_pt:
            return texts, min(MAX_TEXT_PT, width_pt / (widest or 1.0))
    return empty, MIN_TEXT_PT


def _in_brackets(text: str, chosen: bool) -> str:
    return f"({text})" if chosen and text else text


def _styles(
    percent: Float[np.ndarray, "source target"], *, fixed_diagonal: bool
) -> tuple[Callable[[float], str], ...]:
    """Ways to write the values of a matrix, the most precise first."""
    cells = ~np.eye(len(percent), percent.shape[1], dtype=bool) if fixed_diagonal else True
    known = percent[np.isfinite(percent) & cells]
    largest = float(np.abs(known).max(initial=0.0))
    rough = (lambda value: power(value, 0),)
    if needs_power(largest):
        return (lambda value: power(value, 1), *rough)
    if 0 < largest < 1:
        decimals = decimals_for(largest)
        fine = (lambda value: number(value, decimals), lambda value: number(value, decimals - 1))
        return (*fine, *rough)
    if (known == np.round(known)).all():
        return (lambda value: number(value, 0), *rough)
    return (
        lambda value: number(value, 1),
        lambda value: number(value, int(abs(value) < 9.95)),
        lambda value: number(value, 0),
        *rough,
    )


@dataclass(frozen=True)
class HeatmapSize:
    """Room for a heat map and what stands around it, in points.

    Attributes:
        cell: Side of a cell.
        left: Room for the names of the sources.
        bottom: Room for the colour bar and the notes.
        width: Width of the figure.
        height: Height of the figure.
    """

    cell: float
    left: float
    bottom: float
    width: float
    height: float


def size_of(layout: HeatmapLayout) -> HeatmapSize:
    """Choose the size of a figure: one column of a paper if that can be read, else larger.

    Args:
        layout: Layout that the figure will show; its text size does not matter.

    Returns:
        Sizes of the width that is wished for. Without a wish cells have at least 11.7 points, in
        which whole percents fit, up to 75 tasks; more have to share the same room.

    Raises:
        RelevanceError: If the width that is wished for has no room for cells beside the names.
    """
    cell, width = _cell_and_width(layout)
    side = len(layout.tasks) * cell
    left = _names_pt(layout.tasks, cell) if layout.style.width is None else 0.0
    top = _names_pt(layout.tasks, cell) if names_upright(layout.tasks, cell) else 28.0
    if layout.style.width is None:
        notes = list(layout.notes)
        widest = max((side, *(HINTED * NOTE_PT * text_width_em(note) for note in notes)))
        over = overhang_pt(layout.low, layout.high, side, label_size(cell) - 0.5)
        width = left + widest + max(RIGHT_PT, side + over - widest + 1.0)
    else:
        left = width - side - _right_pt(layout, side)
        notes = wrapped(layout.notes, NOTE_PT, width - left)
    bottom = bar_pt(layout, side) + NOTE_LINE_PT * len(notes)
    top += title_pt(layout.style.title, width)
    return HeatmapSize(cell, left, bottom, width, top + side + bottom)


def _cell_and_width(layout: HeatmapLayout) -> tuple[float, float]:
    """Side of a cell, and the width that is wished for or else that of a column."""
    count, wished = len(layout.tasks), layout.style.width_pt
    width = wished or ONE_COLUMN_PT
    cell, right = MIN_CELL_PT, RIGHT_PT
    for _ in range(8 if wished else 4):  # names grow with cells, which shrink by the names' room
        cell = (width - right - _names_pt(layout.tasks, cell)) / count
        if wished:
            right = _right_pt(layout, max(count * cell, 1.0))
    if wished:
        if count * cell < NARROWEST_PT:
            least = (width - count * cell + NARROWEST_PT) / POINTS_PER_INCH
            raise RelevanceError(
                f"`width={wished / POINTS_PER_INCH:g}` leaves no room beside the names of the"
                f" tasks. Give at least {least + 0.05:.1f} inches."
            )
        return cell, width
    if cell < MIN_CELL_PT:
        cell = min(SCREEN_CELL_PT, MAX_SIDE_PT / count)
    legend = label_size(MAX_CELL_PT) * text_width_em(layout.quantity)
    return min(cell, max(MAX_CELL_PT, legend / count)), width


def _right_pt(layout: HeatmapLayout, side_pt: float) -> float:
    """Room at the right of the cells, which the last number of the colour bar may need."""
    label_pt = label_size(side_pt / len(layout.tasks)) - 0.5
    return max(RIGHT_PT, overhang_pt(layout.low, layout.high, side_pt, label_pt) + 1.0)


def bar_pt(layout: HeatmapLayout, side_pt: float) -> float:
    """Room for the colour bar, its numbers and its label below cells of a side in all."""
    label_pt = label_size(side_pt / len(layout.tasks))
    lines = wrapped(layout.quantity, label_pt, side_pt)
    return 38.0 + LINE * label_pt * (len(lines) - 1)


def label_size(cell_pt: float) -> float:
    """Font size of task names beside cells of a size, both in points."""
    return min(max(0.42 * cell_pt, 5.5), 8.0)


def named(count: int, cell_pt: float) -> range:
    """Places of the tasks that are named: all, or evenly spread ones where names would overlap.

    >>> list(named(5, 22.0)), list(named(5, 2.5))
    ([0, 1, 2, 3, 4], [0, 3])
    """
    return range(0, count, math.ceil(NAME_PT / cell_pt))


def names_upright(tasks: Sequence[str], cell_pt: float) -> bool:
    """Whether the names over the columns have to be turned to fit."""
    return max(map(text_width_em, tasks)) * label_size(cell_pt) > 0.95 * cell_pt


def _names_pt(tasks: Sequence[str], cell_pt: float) -> float:
    """Room for names, their distance from the cells, and the word source or target."""
    return 8.0 + (max(map(text_width_em, tasks)) + 1.4) * label_size(cell_pt)

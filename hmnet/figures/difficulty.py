"""Difficulty of data sets beside the mean entropy of runs, as bars in two panels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hmnet.analysis.difficulty import Difficulties, note_on_left_out
from relevance.escaping import for_figure
from relevance.figures.figure import (
    FAINT,
    INK,
    NOTE_PT,
    TWO_COLUMNS_PT,
    Axes,
    draw_legend,
    draw_rows,
    new_panels,
    text_width_em,
    wrapped,
)
from relevance.figures.scale import number
from relevance.figures.scatter import COLOURS
from relevance.figures.style import NO_WISHES, FigureStyle

TEXT_PT = 7.0
BAR_PT, LEAST_LINE_PT, TEXT_LINE_PT, NOTE_LINE_PT = 6.0, 12.0, 9.0, 8.0
AROUND_PT, BESIDE_PT, LEGEND_LINE_PT, LEGEND_LINE_OF_PT = 26.0, 16.0, 12.0, 30.0
LABELS = "difficulty of the training rows (D2)", "mean normalised entropy while training"
MOST_OF_WIDTH = 0.35
"""Share of the width that names of data sets may take."""


def difficulty_figure(found: Difficulties, *, style: FigureStyle | None = None) -> Axes:
    """Draw difficulty and mean entropy of each data set, the most difficult one on top.

    Args:
        found: What `hmnet.difficulties` gives.
        style: Size and title that are wished for.

    Returns:
        The axes of the left panel, in a figure two columns of a paper wide.

    Source:
        El Hattami (2021), figure 3.8.
    """
    style = style or NO_WISHES
    width = style.width_pt or TWO_COLUMNS_PT
    tasks = [wrapped(each.task, TEXT_PT, MOST_OF_WIDTH * width) for each in found.sets]
    line = max(
        LEAST_LINE_PT, BAR_PT * (len(found.names) + 1), TEXT_LINE_PT * max(map(len, tasks)) + 3.0
    )
    notes = wrapped(_notes(found), NOTE_PT, width - 20.0)
    widest = TEXT_PT * max(map(text_width_em, found.names)) + LEGEND_LINE_OF_PT
    in_a_line = max(1, min(len(found.names), int(width / widest)))
    called = ["\n".join(wrapped(name, TEXT_PT, width - LEGEND_LINE_OF_PT)) for name in found.names]
    lines = sum(name.count("\n") + 1 for name in called)
    legend = LEGEND_LINE_PT * (lines if in_a_line == 1 else math.ceil(lines / in_a_line))
    named = TEXT_PT * max(text_width_em(part) for lines in tasks for part in lines)
    labels = [wrapped(text, TEXT_PT, (width - named) / 2 - BESIDE_PT) for text in LABELS]
    around = AROUND_PT + TEXT_LINE_PT * max(map(len, labels))
    height = len(tasks) * line + around + legend + NOTE_LINE_PT * len(notes)
    left, right = new_panels(width, height, 1, 2, title=style.title, sharey=True)
    places = np.arange(len(tasks))
    left.barh(places, [each.difficulty.total for each in found.sets], height=0.6, color=FAINT)
    names = ["\n".join(map(for_figure, lines)) for lines in tasks]
    left.set_yticks(places, names, parse_math=False)
    left.set_ylim(len(tasks) - 0.5, -0.5)
    drawn = _draw_entropies(found, right)
    for axes, label in zip((left, right), labels, strict=True):
        axes.set_xlabel("\n".join(label), fontsize=TEXT_PT, color=INK)
        draw_rows(axes, TEXT_PT, pad_pt=3.0)
    told = {"title": "\n".join(map(for_figure, notes)), "title_fontsize": NOTE_PT}
    where = {"loc": "outside lower center", "ncols": in_a_line}
    draw_legend(left, drawn, called, TEXT_PT, **where, **told)
    return left


def _draw_entropies(found: Difficulties, axes: Axes) -> list[Any]:
    """A bar per data set and name, none where a name has no entropy."""
    places, count = np.arange(len(found.sets)), len(found.names)
    height = 0.76 / count
    drawn = []
    for place, name in enumerate(found.names):
        values = [each.entropies.get(name, 0.0) for each in found.sets]
        beside = places + (place - (count - 1) / 2) * height
        colour = COLOURS[place % len(COLOURS)]
        drawn.append(axes.barh(beside, values, height=0.9 * height, color=colour))
    axes.set_xlim(0, 1)
    return drawn


def _notes(found: Difficulties) -> list[str]:
    """What the bars say together, and what is not shown."""
    several = len(found.names) > 1
    correlations = [
        f"{name} {number(value, 2)}" if several else number(value, 2)
        for name, value in found.correlations().items()
        if not math.isnan(value)
    ]
    told = f"Rank correlation (Spearman) of both: {', '.join(correlations)}."
    left_out = note_on_left_out(found.left_out)
    return [*([told] if correlations else []), *([left_out] if left_out else [])]

"""Figure of a confusion matrix: row = label, column = prediction."""

from __future__ import annotations

import numpy as np

from hmnet.analysis.confusion import Confusion
from hmnet.figures.grid import Grid, draw
from relevance.escaping import for_figure
from relevance.figures.figure import Axes
from relevance.figures.style import NO_WISHES, FigureStyle


def lay_out(found: Confusion, style: FigureStyle = NO_WISHES) -> Grid:
    """Decide what the figure shows.

    Args:
        found: A classifier's answers.
        style: Size, title and colours that are wished for.

    Returns:
        Counts as texts, coloured by the share of the label's rows, so that a rare label is seen as
        well as a common one; a label without rows has no colour.
    """
    rows = found.counts.sum(axis=1, keepdims=True)
    shares = np.where(rows > 0, 100 * found.counts / np.maximum(rows, 1), np.nan)
    return Grid(
        values=shares,
        texts=tuple(tuple(f"{count:,}" for count in row) for row in found.counts.tolist()),
        rows=found.labels,
        columns=found.labels,
        row_title="label",
        column_title="predicted",
        title=(
            f"{for_figure(found.task)} ({for_figure(found.split)})\n"
            f"accuracy {100 * found.accuracy:.1f}, macro F1 {100 * found.macro.f1:.1f}"
        ),
        low=0.0,
        high=100.0,
        quantity="share of the label's rows (%)",
        style=style,
    )


def confusion_figure(
    found: Confusion, ax: Axes | None = None, *, style: FigureStyle | None = None
) -> Axes:
    """Draw a confusion matrix.

    Args:
        found: A classifier's answers.
        ax: Axes to draw on; None for a figure of its own.
        style: Size, title and colours that are wished for.

    Returns:
        The axes.
    """
    return draw(lay_out(found, style or NO_WISHES), ax)

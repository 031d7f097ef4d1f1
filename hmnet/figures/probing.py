"""Heat map of probing: row = layer, column = task."""

from __future__ import annotations

import math

import numpy as np

from hmnet.figures.grid import Grid, draw
from hmnet.probing.probing import Probed
from relevance.escaping import for_figure
from relevance.figures.figure import Axes
from relevance.figures.scale import number
from relevance.figures.style import NO_WISHES, FigureStyle

OF = {"cls": "first token", "mean": "mean over tokens"}


def lay_out(found: Probed, style: FigureStyle = NO_WISHES) -> Grid:
    """Decide what the figure shows.

    Args:
        found: What every layer tells of every task.
        style: Size, title, scale, decimals and colours that are wished for.

    Returns:
        A grid, the majority class in its first row, then the layers from the lowest; colours go
        from the ten at or below the least accuracy to the ten above the largest.
    """
    rows = found.table_rows()
    names = tuple(task.name for task in found.tasks)
    values = np.array([[float(row[name] or 0.0) for name in names] for row in rows])
    decimals = 1 if style.decimals is None else style.decimals
    high = min(100.0, 10.0 * math.floor(values.max() / 10) + 10.0)
    return Grid(
        values=values,
        texts=tuple(tuple(number(value, decimals) for value in row) for row in values.tolist()),
        rows=tuple(str(row["layer"]) for row in rows),
        columns=names,
        row_title="layer",
        column_title="probing task",
        title=f"{for_figure(found.encoder)}, {OF[found.vector]}",
        low=min(10.0 * math.floor(values.min() / 10), high - 10.0),
        high=high,
        quantity="accuracy on test (%)",
    ).with_ends(style)


def probing_figure(
    found: Probed, ax: Axes | None = None, *, style: FigureStyle | None = None
) -> Axes:
    """Draw how much every layer tells of every task.

    Args:
        found: The accuracies.
        ax: Axes to draw on; None for a figure of its own.
        style: Size, title, scale, decimals and colours that are wished for.

    Returns:
        The axes.
    """
    return draw(lay_out(found, style or NO_WISHES), ax)

"""Figure of how alike two runs attend: row = layer, column = head."""

from __future__ import annotations

import math

from hmnet.analysis.attention import AttentionCosines
from hmnet.figures.grid import Grid, draw
from relevance.escaping import for_figure
from relevance.figures.figure import Axes
from relevance.figures.scale import number
from relevance.figures.style import NO_WISHES, FigureStyle


def lay_out(found: AttentionCosines, style: FigureStyle = NO_WISHES) -> Grid:
    """Decide what the figure shows.

    Args:
        found: Cosines of two runs.
        style: Size, title, scale, decimals and colours that are wished for.

    Returns:
        A grid; its colours end at 1, and begin at the tenth below the least cosine, or at the
        hundredth, thousandth and so on where all are that close to 1.
    """
    (layers, heads), (one, other) = found.cosines.shape, found.runs
    decimals = found.decimals if style.decimals is None else style.decimals
    steps = 10 ** max(1, found.decimals - 2)
    lowest = math.ceil(steps * float(found.cosines.min()) - 1) / steps
    return Grid(
        values=found.cosines,
        texts=tuple(tuple(number(n, decimals) for n in row) for row in found.cosines.tolist()),
        rows=tuple(map(str, range(1, layers + 1))),
        columns=tuple(map(str, range(1, heads + 1))),
        row_title="layer",
        column_title="head",
        title=f"{for_figure(f'{found.task}: {one}')}\n{for_figure(f'and {other}')}",
        low=max(0.0, lowest),
        high=1.0,
        quantity="cosine of attention maps",
    ).with_ends(style)


def attention_figure(
    found: AttentionCosines, ax: Axes | None = None, *, style: FigureStyle | None = None
) -> Axes:
    """Draw cosines of attention maps.

    Args:
        found: Cosines of two runs.
        ax: Axes to draw on; None for a figure of its own.
        style: Size, title, scale, decimals and colours that are wished for.

    Returns:
        The axes.

    Source:
        Fei et al. (2022), Figures 5 and 6.
    """
    return draw(lay_out(found, style or NO_WISHES), ax)

"""Heat map of the consensus: how often two tasks were in one group under resampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.figures.figure import Axes
from relevance.figures.heatmap import drawn
from relevance.figures.heatmap_layout import FILL, SCREEN_CELL_PT, HeatmapLayout, cell_texts
from relevance.figures.heatmap_layout import lay_out as lay_out_heatmap
from relevance.figures.style import FigureStyle
from relevance.matrices.matrix import RelevanceMatrix

QUANTITY = "together in one group, share of resamples"


def lay_out(
    spec: ClusterSpec, *, cell_pt: float = SCREEN_CELL_PT, style: FigureStyle | None = None
) -> HeatmapLayout:
    """Decide what the heat map shows.

    Args:
        spec: Groups with their stability.
        cell_pt: Side of a cell in points.
        style: Size and title that are wished for.

    Returns:
        The layout, tasks of a group together, in whole percent, colours from 0 to 100.

    Raises:
        RelevanceError: If the groups come without a consensus.
    """
    known = spec.stability
    if known is None or not known.tasks:
        raise RelevanceError(
            "These groups come without a consensus of resamples. One group, or one task in each,"
            " has none; `relevance cluster` measures it for others."
        )
    matrix = RelevanceMatrix(np.array(known.consensus), known.tasks, QUANTITY)
    layout = lay_out_heatmap(matrix, spec, cell_pt=cell_pt, style=style)
    percent = layout.percent.round()
    texts, text_pt = cell_texts(percent, FILL * cell_pt, fixed_diagonal=layout.fixed_diagonal)
    return replace(
        layout, percent=percent, texts=texts, text_pt=text_pt, low=0.0, high=100.0, extend="neither"
    )


def consensus(
    spec: ClusterSpec, ax: Axes | None = None, *, style: FigureStyle | None = None
) -> Axes:
    """Draw how often every two tasks were in one group, framed by the groups of the spec.

    Args:
        spec: Groups with their stability.
        ax: Axes to draw on; None for a figure of its own.
        style: Size and title that are wished for.

    Returns:
        The axes.

    Raises:
        RelevanceError: If the groups come without a consensus.
    """
    axes = drawn(lambda cell_pt: lay_out(spec, cell_pt=cell_pt, style=style), ax)
    axes.set_xlabel("")  # neither task is source or target
    axes.set_ylabel("")
    return axes

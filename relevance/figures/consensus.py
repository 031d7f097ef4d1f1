"""Heat map of the consensus: how often two tasks were in one group under resampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.figures.figure import Axes
from relevance.figures.heatmap import cell_side, draw, new_axes
from relevance.figures.heatmap_layout import FILL, SCREEN_CELL_PT, HeatmapLayout, cell_texts
from relevance.figures.heatmap_layout import lay_out as lay_out_heatmap
from relevance.matrices.matrix import RelevanceMatrix

QUANTITY = "together in one group, share of resamples"


def lay_out(spec: ClusterSpec, *, cell_pt: float = SCREEN_CELL_PT) -> HeatmapLayout:
    """Decide what the heat map shows.

    Args:
        spec: Groups with their stability.
        cell_pt: Side of a cell in points.

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
    layout = lay_out_heatmap(matrix, spec, cell_pt=cell_pt)
    percent = layout.percent.round()
    texts, text_pt = cell_texts(percent, FILL * cell_pt, fixed_diagonal=layout.fixed_diagonal)
    return replace(
        layout, percent=percent, texts=texts, text_pt=text_pt, low=0.0, high=100.0, extend="neither"
    )


def consensus(spec: ClusterSpec, axes: Axes | None = None) -> Axes:
    """Draw how often every two tasks were in one group, framed by the groups of the spec.

    Args:
        spec: Groups with their stability.
        axes: Axes to draw on; None for a figure of its own.

    Returns:
        The axes.

    Raises:
        RelevanceError: If the groups come without a consensus.
    """
    axes = axes or new_axes(lay_out(spec))
    draw(lay_out(spec, cell_pt=cell_side(axes, len(spec.tasks))), axes)
    axes.set_xlabel("")  # neither task is source or target
    axes.set_ylabel("")
    return axes

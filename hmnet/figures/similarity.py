"""Figure of covariance similarity: each task before and after training, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hmnet.analysis.covariance import Similarity
from relevance.escaping import for_figure
from relevance.figures.figure import FAINT, INK, ONE_COLUMN_PT, POSITIVE, draw_frame, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TEXT_PT = 7.0
LINE_PT = 15.0
AROUND_PT = 45.0


def similarity_figure(found: Similarity) -> Axes:
    """Draw how alike each task's inputs are to those of the others.

    Args:
        found: Means before and after training.

    Returns:
        The axes, in a figure one column of a paper wide.
    """
    tasks = list(found.before)
    places = np.arange(len(tasks))
    figure = new_figure(ONE_COLUMN_PT, len(tasks) * LINE_PT + AROUND_PT)
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    for offset, colour, label, means in (
        (-0.2, FAINT, "pretrained", found.before),
        (0.2, POSITIVE, "trained", found.after),
    ):
        axes.barh(places + offset, list(means.values()), height=0.36, color=colour, label=label)
    axes.set_yticks(places, list(map(for_figure, tasks)), parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("covariance similarity, mean over the other tasks", fontsize=TEXT_PT, color=INK)
    figure.legend(loc="outside upper center", ncols=2, fontsize=TEXT_PT, frameon=False)
    draw_frame(axes, TEXT_PT)
    return axes

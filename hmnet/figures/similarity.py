"""Figure of covariance similarity: each task in the backbone and in trained runs, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hmnet.analysis.covariance import Similarity
from relevance.escaping import for_figure
from relevance.figures.figure import (
    FAINT,
    INK,
    ONE_COLUMN_PT,
    POSITIVE,
    Axes,
    draw_frame,
    draw_legend,
    new_panels,
)
from relevance.figures.scatter import COLOURS
from relevance.figures.style import NO_WISHES, FigureStyle
from relevance.report.tables import Row

TEXT_PT = 7.0
LINE_PT = 15.0
AROUND_PT = 45.0
IMPROVEMENT = "score improvement (points)"


class Beside(NamedTuple):
    """Runs of the same tasks beside each other.

    Attributes:
        before: Similarities by task, of the pretrained backbone.
        after: Similarities by name of the run and task, means over seeds.
        improvement: Primary metric on dev of the last run less that of the first, by task, in
            percentage points.
    """

    before: dict[str, float]
    after: dict[str, dict[str, float]]
    improvement: dict[str, float]

    def table_rows(self) -> list[Row]:
        """One row per task.

        Returns:
            The similarities, and how many points the last run scores above the first.
        """
        return [
            {
                "task": task,
                "before": before,
                **{name: means[task] for name, means in self.after.items()},
                "improvement": self.improvement[task],
            }
            for task, before in self.before.items()
        ]


def beside(
    found: Sequence[tuple[str, Similarity]], scores: Sequence[dict[str, float]]
) -> Similarity | Beside:
    """Put the similarities of several runs together.

    Args:
        found: Name and similarities of each run; runs of one name are seeds.
        scores: Primary metric on dev by task of each run, fractions.

    Returns:
        Means over the seeds of each name.
    """
    tasks = list(found[0][1].before)
    names = list(dict.fromkeys(name for name, _ in found))

    def means(values: Sequence[dict[str, float]], name: str) -> dict[str, float]:
        own = [value for value, (other, _) in zip(values, found, strict=True) if other == name]
        return {task: float(np.mean([value[task] for value in own])) for task in tasks}

    after = [similarity.after for _, similarity in found]
    if len(names) == 1:
        return Similarity(found[0][1].before, means(after, names[0]))
    first, last = means(scores, names[0]), means(scores, names[-1])
    return Beside(
        before=found[0][1].before,
        after={name: means(after, name) for name in names},
        improvement={task: 100 * (last[task] - first[task]) for task in tasks},
    )


def similarity_figure(found: Similarity | Beside, *, style: FigureStyle | None = None) -> Axes:
    """Draw how alike each task's inputs are to those of the others.

    Args:
        found: Means before and after training, of one run or of several.
        style: Size and title that are wished for.

    Returns:
        The axes, in a figure one column of a paper wide; for several runs their improvement in
        score has an axis of its own above.

    Source:
        El Hattami (2021), figure 3.6.
    """
    trained = {"trained": found.after} if isinstance(found, Similarity) else found.after
    bars = {"pretrained": found.before, **trained}
    tasks = list(found.before)
    places = np.arange(len(tasks))
    height = 0.76 / len(bars)
    line = max(LINE_PT, 6.0 * len(bars))
    style = style or NO_WISHES
    height_pt = len(tasks) * line + AROUND_PT + 10.0 * len(bars)
    (axes,) = new_panels(style.width_pt or ONE_COLUMN_PT, height_pt, title=style.title)
    drawn: dict[str, Any] = {}
    for number, (name, means) in enumerate(bars.items()):
        colour = FAINT if number == 0 else POSITIVE if len(bars) == 2 else COLOURS[number - 1]
        offset = (number - (len(bars) - 1) / 2) * height
        drawn[name] = axes.barh(
            places + offset, [means[task] for task in tasks], height=0.9 * height, color=colour
        )
    axes.set_yticks(places, list(map(for_figure, tasks)), parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("covariance similarity, mean over the other tasks", fontsize=TEXT_PT, color=INK)
    draw_frame(axes, TEXT_PT)
    if isinstance(found, Beside):
        drawn[IMPROVEMENT] = _improvement(axes, [found.improvement[task] for task in tasks])
    draw_legend(
        axes, list(drawn.values()), list(drawn), TEXT_PT, loc="outside lower center", ncols=2
    )
    return axes


def _improvement(axes: Axes, points: Sequence[float]) -> object:
    """A diamond per task on an axis above, whose 0 is dashed."""
    above = axes.twiny()
    reach = 1.15 * max(1.0, *map(abs, points))
    above.set_xlim(-reach, reach)
    above.axvline(0, color=FAINT, linewidth=0.6, linestyle="--")
    (marks,) = above.plot(
        points, range(len(points)), color=INK, marker="D", markersize=3.0, linestyle=""
    )
    draw_frame(above, TEXT_PT)
    above.spines["top"].set_visible(True)
    above.spines["top"].set_color(FAINT)
    above.set_xlabel(IMPROVEMENT, fontsize=TEXT_PT, color=INK)
    return marks

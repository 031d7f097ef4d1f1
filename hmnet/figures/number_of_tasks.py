"""Figure of what more tasks do: the average over the number of tasks that a run trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hmnet.comparison.table import Comparison
from hmnet.runs.folder import Run
from relevance.errors import RelevanceError
from relevance.figures.figure import INK, ONE_COLUMN_PT, Axes, draw_frame, draw_legend, new_panels
from relevance.figures.scatter import COLOURS
from relevance.figures.style import NO_WISHES, FigureStyle

TEXT_PT = 7.0
HEIGHT_PT = 150.0
MARKERS = ("o", "s", "^", "D", "v")


class Trained(NamedTuple):
    """Method and number of tasks, which the runs of one column have in common.

    Attributes:
        method: Name of the method, with parameters that are given.
        tasks: Number of tasks that were trained.
    """

    method: str
    tasks: int


class Curve(NamedTuple):
    """The runs of one method, from few tasks to many.

    Attributes:
        method: Method that the runs share.
        tasks: Number of tasks that each trained.
        means: Average over the common rows, in percent.
        deviations: Standard deviations over seeds, in percentage points; NaN for one seed.
    """

    method: str
    tasks: tuple[int, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]


def trained_by(runs: Iterable[Run]) -> dict[str, Trained]:
    """Method and number of tasks of each column of a comparison.

    Args:
        runs: Finished runs; those of one name are seeds.

    Returns:
        Methods and tasks by the name of the run.

    Raises:
        RelevanceError: If runs of one name differ in either.
    """
    found: dict[str, Trained] = {}
    for run in runs:
        here = Trained(str(run.config.method), len(run.tasks))
        first = found.setdefault(run.config.label, here)
        if here != first:
            raise RelevanceError(
                f"Runs named '{run.config.label}' differ: {first.method} with {first.tasks} tasks,"
                f" {here.method} with {here.tasks}. Give those of each number of tasks another"
                " `name`."
            )
    return found


def lay_out(compared: Comparison, trained: Mapping[str, Trained]) -> tuple[tuple[Curve, ...], str]:
    """Decide what the figure shows.

    Args:
        compared: Scores of the runs; their average is over the rows that all runs have.
        trained: Method and number of tasks by column.

    Returns:
        Curves by method, and what the y axis is called.

    Raises:
        RelevanceError: If there is no average.
    """
    average = next((line for line in compared.lines if line.metric == "primary"), None)
    if average is None:
        raise RelevanceError(
            "`figure` draws the average over the rows that all runs have, and these have fewer than"
            " two in common. Compare runs whose tasks contain those of the smallest."
        )
    points: dict[str, list[tuple[int, float, float]]] = {}
    for column, entry in zip(compared.columns, average.entries, strict=True):
        if entry and column in trained:
            method, tasks = trained[column]
            deviation = math.nan if entry.deviation is None else 100 * entry.deviation
            points.setdefault(method, []).append((tasks, 100 * entry.mean, deviation))
    curves = (Curve(method, *zip(*sorted(found), strict=True)) for method, found in points.items())
    return tuple(curves), f"{average.task} (%)"


def number_of_tasks_figure(
    compared: Comparison, trained: Mapping[str, Trained], *, style: FigureStyle | None = None
) -> Axes:
    """Draw the average over the number of tasks, a line per method; bars: deviation over seeds.

    Args:
        compared: Scores of the runs.
        trained: Method and number of tasks by column.
        style: Size and title that are wished for.

    Returns:
        The axes, in a figure one column of a paper wide.

    Raises:
        RelevanceError: If there is no average.

    Source:
        El Hattami (2021), Figure 3.7.
    """
    curves, y_label = lay_out(compared, trained)
    style = style or NO_WISHES
    height = HEIGHT_PT + 1.5 * TEXT_PT * len(curves)
    (axes,) = new_panels(style.width_pt or ONE_COLUMN_PT, height, title=style.title)
    lines: dict[str, Any] = {}
    for number, curve in enumerate(curves):
        lines[curve.method] = axes.errorbar(
            curve.tasks,
            curve.means,
            yerr=curve.deviations,
            color=COLOURS[number % len(COLOURS)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=3.5,
            linewidth=1.1,
            elinewidth=0.7,
            capsize=1.5,
        )
    axes.set_xticks(sorted({tasks for curve in curves for tasks in curve.tasks}))
    axes.margins(y=0.12)
    axes.set_xlabel("number of tasks trained", fontsize=TEXT_PT, color=INK)
    axes.set_ylabel(y_label, fontsize=TEXT_PT, color=INK)
    draw_frame(axes, TEXT_PT)
    draw_legend(axes, list(lines.values()), list(lines), TEXT_PT, loc="outside lower left")
    return axes

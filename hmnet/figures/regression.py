"""Figure of a regression task: predictions over labels, and residuals over predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from hmnet.analysis.regression import RegressionDiagnosis, StraightLine
from relevance.figures.figure import (
    FAINT,
    INK,
    NEGATIVE,
    POSITIVE,
    TITLE_PAD_PT,
    TWO_COLUMNS_PT,
    Axes,
    draw_frame,
    figure_of,
    new_panels,
    title_pt,
    wrapped,
)
from relevance.figures.scale import number, plain_ticks
from relevance.figures.style import NO_WISHES, FigureStyle

TEXT_PT = 7.0
TITLE_PT = 8.0
HEIGHT_PT = 215.0
BESIDE_PT = 300.0
FEW = 200


@dataclass(frozen=True, eq=False)
class RegressionPanel:
    """One panel before it is drawn.

    Attributes:
        x: Places of the points.
        y: Heights of the points.
        line: The line of least squares, if there is one.
        ideal: Line that a model without error would lie on.
        x_label: Label of the x axis.
        y_label: Label of the y axis.
    """

    x: Float[np.ndarray, " row"]
    y: Float[np.ndarray, " row"]
    line: StraightLine | None
    ideal: StraightLine
    x_label: str
    y_label: str

    @property
    def title(self) -> str:
        """The line in figures."""
        if self.line is None:
            return "no regression line"
        return f"slope {number(self.line.slope, 2)}, intercept {number(self.line.intercept, 2)}"


def lay_out(found: RegressionDiagnosis) -> tuple[str, RegressionPanel, RegressionPanel]:
    """Decide what the figure shows: its title, the scatter and the residuals."""
    truth, predicted = found.truth, found.predicted
    equal, zero = StraightLine(1.0, 0.0), StraightLine(0.0, 0.0)
    what = "residual: label less predicted"
    title = (
        f"{found.task} ({found.split}): RMSE {number(found.rmse, 2)}, MAE {number(found.mae, 2)},"
        f" accuracy (rounded) {number(100 * found.accuracy, 1)} %"
    )
    return (
        title,
        RegressionPanel(truth, predicted, found.line, equal, "label", "predicted"),
        RegressionPanel(predicted, found.residuals, found.residual_line, zero, "predicted", what),
    )


def regression_figure(found: RegressionDiagnosis, *, style: FigureStyle | None = None) -> Axes:
    """Draw predictions and residuals of a regression task, each with its regression line.

    Args:
        found: Predictions of a regression task.
        style: Size and title that are wished for.

    Returns:
        The axes of the first panel, in a figure two columns of a paper wide; the second stands
        below it where the width is that of a column.
    """
    summary, scatter, residuals = lay_out(found)
    style = style or NO_WISHES
    width = style.width_pt or TWO_COLUMNS_PT
    columns = 2 if width > BESIDE_PT else 1
    lines = wrapped(summary, TITLE_PT, width - 2 * TITLE_PAD_PT)
    said, height = 1.3 * TITLE_PT * len(lines), HEIGHT_PT * (2 // columns)
    whole = height + title_pt(style.title, width)
    first, second = new_panels(width, height, 2 // columns, columns, title=style.title)
    _draw(scatter, first)
    _draw(residuals, second)
    figure = figure_of(first)
    figure.set_layout_engine("constrained", rect=(0.0, 0.0, 1.0, (height - said) / whole))
    figure.text(
        *(0.5, (height - 3.0) / whole, "\n".join(lines)),
        ha="center",
        va="top",
        fontsize=TITLE_PT,
        color=INK,
        parse_math=False,
    )
    return first


def _draw(panel: RegressionPanel, axes: Axes) -> None:
    ends = np.array([panel.x.min(), panel.x.max()])
    axes.plot(ends, _at(panel.ideal, ends), color=FAINT, linewidth=0.7, linestyle="--", zorder=1)
    axes.scatter(
        panel.x,
        panel.y,
        s=9,
        color=POSITIVE,
        alpha=0.6 if len(panel.x) <= FEW else 0.25,
        linewidths=0,
        rasterized=len(panel.x) > 10 * FEW,
    )
    if panel.line is not None:
        axes.plot(ends, _at(panel.line, ends), color=NEGATIVE, linewidth=1.3, zorder=3)
    axes.set_title(panel.title, fontsize=TEXT_PT, color=INK, pad=4)
    axes.set_xlabel(panel.x_label, fontsize=TEXT_PT, color=INK, labelpad=2)
    axes.set_ylabel(panel.y_label, fontsize=TEXT_PT, color=INK, labelpad=2)
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    draw_frame(axes, TEXT_PT - 0.5)


def _at(line: StraightLine, x: Float[np.ndarray, " end"]) -> Float[np.ndarray, " end"]:
    return np.asarray(line.intercept + line.slope * x)

"""Silhouette and stability over the number of clusters."""

from __future__ import annotations

from dataclasses import dataclass

from relevance.clustering.choose_k import ChoiceOfK
from relevance.figures.figure import (
    FAINT,
    INK,
    NEGATIVE,
    ONE_COLUMN_PT,
    POSITIVE,
    Axes,
    draw_frame,
    draw_title,
    new_axes,
    title_pt,
)
from relevance.figures.style import NO_WISHES, FigureStyle

TEXT_PT = 7.0
HEIGHT_PT = 150.0
LEFT_PT, RIGHT_PT, BELOW_PT, ABOVE_PT = 26.0, 6.0, 26.0, 22.0
MOST_TICKS = 13
ROOM = 0.05


@dataclass(frozen=True)
class CurveOverK:
    """One quantity for every k.

    Attributes:
        name: Name of the quantity.
        values: One value per k.
    """

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class ChoiceLayout:
    """The figure before it is drawn.

    Attributes:
        ks: Numbers of clusters that have groups, ascending.
        curves: Silhouette, stability, and the mean of both; silhouette alone where stability is
            unknown.
        chosen: The k that was chosen.
        ticks: The ks that are written below the axis.
        low: Lower end of the vertical axis, at most 0.
        high: Upper end, a little above 1.
    """

    ks: tuple[int, ...]
    curves: tuple[CurveOverK, ...]
    chosen: int
    ticks: tuple[int, ...]
    low: float
    high: float


def lay_out(choice: ChoiceOfK) -> ChoiceLayout:
    """Decide what the figure of a choice shows."""
    tried = choice.candidates
    ks = tuple(each.k for each in tried)
    step = -(-len(ks) // MOST_TICKS)
    curves = [CurveOverK("silhouette", tuple(each.silhouette for each in tried))]
    stability = [each.stability for each in tried if each.stability is not None]
    if stability:
        curves.append(CurveOverK("stability", tuple(stability)))
        curves.append(CurveOverK("mean", tuple(each.score for each in tried)))
    return ChoiceLayout(
        ks,
        tuple(curves),
        chosen=choice.best.k,
        ticks=ks[::step],
        low=min(0.0, *(value for curve in curves for value in curve.values)) - ROOM,
        high=1 + ROOM,
    )


def choice_of_k(
    choice: ChoiceOfK, ax: Axes | None = None, *, style: FigureStyle | None = None
) -> Axes:
    """Draw silhouette and stability of every k, and the k that was chosen.

    Args:
        choice: The candidates that were tried.
        ax: Axes to draw on; None for a figure of its own, one column of a paper wide.
        style: Size and title that are wished for.

    Returns:
        The axes.
    """
    style = style or NO_WISHES
    axes = draw(lay_out(choice), ax or _new_axes(style))
    draw_title(axes, style.title, whole=ax is None)
    return axes


def draw(layout: ChoiceLayout, axes: Axes) -> Axes:
    """Draw a layout on axes, and return these."""
    axes.axvline(layout.chosen, color="#dcdcdc", linewidth=7.0, zorder=0)
    axes.axhline(0, color=FAINT, linewidth=0.5, zorder=0)
    styles = ((POSITIVE, "o", "-"), (NEGATIVE, "s", "-"), (INK, "", ":"))
    for curve, (colour, marker, line) in zip(layout.curves, styles, strict=False):
        axes.plot(
            layout.ks,
            curve.values,
            label=curve.name,
            color=colour,
            marker=marker,
            linestyle=line,
            linewidth=1.1,
            markersize=3.2,
        )
    axes.set_xticks(layout.ticks)
    axes.set_xlim(layout.ks[0] - 0.6, layout.ks[-1] + 0.6)
    axes.set_ylim(layout.low, layout.high)
    axes.set_xlabel(f"number of clusters k (chosen: {layout.chosen})", fontsize=TEXT_PT, color=INK)
    draw_frame(axes, TEXT_PT - 1)
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(layout.curves),
        frameon=False,
        fontsize=TEXT_PT,
        handlelength=1.8,
    )
    return axes


def _new_axes(style: FigureStyle) -> Axes:
    width = style.width_pt or ONE_COLUMN_PT
    height = HEIGHT_PT + title_pt(style.title, width)
    box = LEFT_PT, BELOW_PT, width - LEFT_PT - RIGHT_PT, HEIGHT_PT - BELOW_PT - ABOVE_PT
    return new_axes(width, height, box)[0]

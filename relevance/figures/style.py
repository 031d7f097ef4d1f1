"""What a user may say of how a figure looks: size, title, scale, order, decimals, colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from relevance.choice import InHelp
from relevance.errors import RelevanceError, shown, unknown_name
from relevance.names import check_names

ORDERS = ("given", "clusters", "dendrogram")
WIDEST, MOST_DECIMALS = 100.0, 6
"""Inches, so that a width in millimetres or pixels is told; digits after the point."""


@dataclass(frozen=True, kw_only=True)
class FigureStyle:
    """How a figure looks; None leaves it to the figure.

    Attributes:
        width: Width of the whole figure in inches; a figure that is drawn into axes has theirs.
        title: Title above the figure, wrapped where it is too long for a line.
        vmax: Value at the end of the scale, in the unit that the figure prints, above 0. A
            scale with negative values ends at minus this value on its other side.
        order: Order of the tasks: `given` as the matrix has them, `clusters` as the groups have
            them, `dendrogram` so that tasks of similar rows are neighbours, or the names of some
            tasks, with commas or as a list, which alone are shown.
        decimals: Digits after the decimal point of the values in the figure.
        cmap: Name of a colour map of matplotlib.

    Raises:
        RelevanceError: If a value is out of range, or no colour map has the name.
    """

    width: Annotated[
        float | None,
        Field(description="width in inches; one column of a paper has 3.3"),
        InHelp("INCHES", "by what is shown"),
    ] = None
    title: Annotated[str | None, Field(description="a title above it"), InHelp("TEXT", "none")] = (
        None
    )
    vmax: Annotated[
        float | None,
        Field(description="where the scale ends, in the unit of its numbers"),
        InHelp("NUMBER", "by the values, outliers left out"),
    ] = None
    order: Annotated[
        Sequence[str] | None,
        Field(description="given, clusters, dendrogram, or the tasks that are shown, in order"),
        InHelp("ORDER|RTE,CB", "that of the clusters if there are any, else given", several=True),
    ] = None
    decimals: Annotated[
        int | None,
        Field(description="digits after the point; numbers that do not fit are left out"),
        InHelp("N", "as many as fit"),
    ] = None
    cmap: Annotated[
        str | None,
        Field(description="colour map of matplotlib, such as viridis or PuOr"),
        InHelp("NAME", "RdBu for gains, else YlGnBu"),
    ] = None

    def __post_init__(self) -> None:
        """Check every value, and make a tuple of the order."""
        if self.width is not None and not 0 < self.width <= WIDEST:
            raise RelevanceError(
                f"`width={self.width:g}` is no width of a figure. Give inches above 0, at most"
                f" {WIDEST:g}: 3.3 is one column of a paper, 6.9 are two."
            )
        if self.vmax is not None and not (self.vmax > 0 and math.isfinite(self.vmax)):
            raise RelevanceError(
                f"`vmax={self.vmax:g}` is no end of a scale. Give a number above 0, in the unit of"
                " the figure's numbers, such as 20 for 20 %."
            )
        if self.decimals is not None and not 0 <= self.decimals <= MOST_DECIMALS:
            raise RelevanceError(
                f"`decimals={self.decimals}` is no number of decimals. Give 0 to {MOST_DECIMALS}."
            )
        if self.cmap is not None:
            _check_cmap(self.cmap)
        object.__setattr__(self, "order", _order(self.order))

    @property
    def width_pt(self) -> float | None:
        """The width in points, 72 to the inch."""
        return None if self.width is None else 72.0 * self.width


def _check_cmap(name: str) -> None:
    from matplotlib import colormaps

    if name not in colormaps:
        # The list has 180 names, of which half are others turned round.
        raise unknown_name("colour map", name, [each for each in colormaps if each[-2:] != "_r"])


def _order(given: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Names of an order without repetition."""
    if given is None:
        return None
    names = [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given)
    if not names or "" in names:
        raise RelevanceError(
            f"`order={shown(given)}` names no order. Give one of {', '.join(ORDERS)}, or names of"
            " tasks with commas between them."
        )
    check_names(names, "`order`: task")
    return tuple(names)


NO_WISHES = FigureStyle()
"""Leaves everything to the figure."""

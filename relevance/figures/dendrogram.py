"""Dendrogram of agglomerative clustering: which groups are merged, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from relevance.clustering.features import check_k, features
from relevance.clustering.methods.agglomerative import merges
from relevance.clustering.settings import Linkage
from relevance.errors import RelevanceError
from relevance.escaping import for_figure
from relevance.figures.figure import (
    FAINT,
    INK,
    ONE_COLUMN_PT,
    POINTS_PER_INCH,
    draw_rows,
    draw_title,
    figure_of,
    new_axes,
    text_width_em,
    title_pt,
    wrapped,
)
from relevance.figures.style import NO_WISHES, FigureStyle
from relevance.matrices.matrix import RelevanceMatrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TEXT_PT = 7.0
ROW_PT = 11.5
BELOW_PT = 28.0
ABOVE_PT = 6.0
NARROWEST_PT = 60.0
COLOURS = ("#2f79b5", "#c43b3f", "#3c8f4d", "#8a5ea8", "#b8741a", "#3a9ca3", "#ab4d80", "#6b6b2f")
DISTANCES = {
    "ward": "distance of merged groups (Ward)",
    "average": "average distance of merged groups",
    "complete": "largest distance in merged groups",
    "single": "smallest distance of merged groups",
}


@dataclass(frozen=True)
class Merge:
    """A bracket that joins two groups.

    Attributes:
        places: Places of the two groups, 0 being the first task.
        starts: Distances at which they were merged themselves, 0 for a task.
        distance: Distance at which they are merged.
        cluster: Number of the cluster that both are in, None if it joins two clusters.
    """

    places: tuple[float, float]
    starts: tuple[float, float]
    distance: float
    cluster: int | None


@dataclass(frozen=True)
class DendrogramLayout:
    """A dendrogram before it is drawn.

    Attributes:
        tasks: Names in the order that lets no two brackets cross.
        clusters: Number of each task's cluster, in the order of the tasks, from 0.
        merges: All merges, nearest first.
        cut: Distance between the last merge within a cluster and the first across.
        quantity: Quantity that the axis of distances shows.
    """

    tasks: tuple[str, ...]
    clusters: tuple[int, ...]
    merges: tuple[Merge, ...]
    cut: float
    quantity: str


def lay_out(matrix: RelevanceMatrix, k: int, *, linkage: Linkage = "ward") -> DendrogramLayout:
    """Decide what a dendrogram shows.

    Args:
        matrix: A matrix without unknown values, of at least two tasks.
        k: Number of clusters that are told apart.
        linkage: A linkage that `Agglomerative` takes.

    Returns:
        The layout.

    Raises:
        RelevanceError: If a value is unknown, there are fewer than two tasks, or k is out of range.
    """
    from scipy.cluster.hierarchy import leaves_list

    rows = features(matrix)
    if len(rows) < 2:
        raise RelevanceError(f"A dendrogram takes at least two tasks, got {len(rows)}.")
    check_k(rows, k)
    tree = merges(rows, linkage, ordered=True)
    order = leaves_list(tree).tolist()
    count = len(rows)
    within = count - k  # merges within clusters; the others join clusters
    place = {task: float(position) for position, task in enumerate(order)}
    start = dict.fromkeys(range(count), 0.0)
    for number, (left, right, distance, _) in enumerate(tree.tolist(), start=count):
        place[number] = (place[left] + place[right]) / 2
        start[number] = distance
    owner = _clusters(tree, order, within)
    return DendrogramLayout(
        tasks=tuple(matrix.tasks[task] for task in order),
        clusters=tuple(owner[task] for task in order),
        merges=tuple(
            Merge(
                (place[left], place[right]),
                (start[left], start[right]),
                distance,
                owner[left] if number < within else None,
            )
            for number, (left, right, distance, _) in enumerate(tree.tolist())
        ),
        cut=_cut(tree[:, 2].tolist(), within),
        quantity=DISTANCES[linkage],
    )


def _cut(distances: list[float], within: int) -> float:
    """Distance at which a line separates the merges within clusters from the others."""
    below = distances[within - 1] if within else 0.0
    above = distances[within] if within < len(distances) else 1.04 * below
    return (below + above) / 2


def _clusters(tree: Float[np.ndarray, "merge 4"], order: list[int], within: int) -> dict[int, int]:
    """The cluster of every task and of every merge within one, numbered in the order shown."""
    count = len(order)
    root = {task: task for task in range(count)}
    for number, (left, right, *_) in enumerate(tree[:within].astype(int).tolist(), start=count):
        root = {node: number if top in (left, right) else top for node, top in root.items()}
        root[number] = number
    numbers = {top: place for place, top in enumerate(dict.fromkeys(root[task] for task in order))}
    return {node: numbers[top] for node, top in root.items()}


def dendrogram(
    matrix: RelevanceMatrix,
    k: int,
    *,
    linkage: Linkage = "ward",
    ax: Axes | None = None,
    style: FigureStyle | None = None,
) -> Axes:
    """Draw a dendrogram, its clusters in colours and the cut between them dashed.

    Args:
        matrix: A matrix without unknown values, of at least two tasks.
        k: Number of clusters.
        linkage: A linkage that `Agglomerative` takes.
        ax: Axes to draw on; None for a figure of its own, one column of a paper wide.
        style: Size and title that are wished for.

    Returns:
        The axes.

    Raises:
        RelevanceError: If a value is unknown, k out of range, or there is no room.
    """
    style = style or NO_WISHES
    layout = lay_out(matrix, k, linkage=linkage)
    axes = draw(layout, ax or _new_axes(layout, style))
    draw_title(axes, style.title, whole=ax is None)
    return axes


def draw(layout: DendrogramLayout, axes: Axes) -> Axes:
    """Draw a layout on axes, and return these."""
    for merge in layout.merges:
        axes.plot(
            (merge.starts[0], merge.distance, merge.distance, merge.starts[1]),
            (merge.places[0], merge.places[0], merge.places[1], merge.places[1]),
            color=FAINT if merge.cluster is None else _colour(merge.cluster),
            linewidth=1.1,
            solid_joinstyle="miter",
        )
    axes.axvline(layout.cut, color=INK, linewidth=0.6, linestyle=(0, (4, 3)))
    axes.set_xlim(1.04 * layout.merges[-1].distance or 1.0, 0)
    axes.set_ylim(len(layout.tasks) - 0.5, -0.5)
    axes.yaxis.tick_right()
    names = [for_figure(task) for task in layout.tasks]
    axes.set_yticks(range(len(names)), names, parse_math=False)
    draw_rows(axes, TEXT_PT, pad_pt=3.0)
    for label, cluster in zip(axes.get_yticklabels(), layout.clusters, strict=True):
        label.set_color(_colour(cluster))
    width_pt = axes.get_window_extent().width * POINTS_PER_INCH / figure_of(axes).dpi
    quantity = "\n".join(wrapped(layout.quantity, TEXT_PT, width_pt))
    axes.set_xlabel(quantity, fontsize=TEXT_PT, color=INK, labelpad=2)
    return axes


def _colour(cluster: int) -> str:
    return COLOURS[cluster % len(COLOURS)]


def _new_axes(layout: DendrogramLayout, style: FigureStyle) -> Axes:
    names = 8.0 + TEXT_PT * max(map(text_width_em, layout.tasks))
    tree = (style.width_pt or ONE_COLUMN_PT) - names - 8.0
    if style.width is None:
        tree = max(tree, 1.05 * TEXT_PT * text_width_em(layout.quantity))
    elif tree < NARROWEST_PT:
        least = (names + 8.0 + NARROWEST_PT) / POINTS_PER_INCH
        raise RelevanceError(
            f"`width={style.width:g}` leaves no room beside the names of the tasks. Give at least"
            f" {least + 0.05:.1f} inches."
        )
    rows, width = ROW_PT * len(layout.tasks), 8.0 + tree + names
    below = BELOW_PT + (TEXT_PT + 1) * (len(wrapped(layout.quantity, TEXT_PT, tree)) - 1)
    height = ABOVE_PT + rows + below + title_pt(style.title, width)
    return new_axes(width, height, (8.0, below, tree, rows))[0]

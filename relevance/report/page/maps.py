"""Matrices as the page draws them: rounded once, so that page and text print the same digits."""

import numpy as np
from jaxtyping import Float

from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.figures.dendrogram import lay_out as lay_out_dendrogram
from relevance.figures.heatmap_layout import lay_out
from relevance.figures.scale import needs_power, power
from relevance.gains.reliability import known_mean
from relevance.marks import is_gains
from relevance.matrices.intervals import half_widths
from relevance.matrices.matrix import RelevanceMatrix
from relevance.report.page.content import MOST_DRAWN, CellScores, Map, Order, PageTable
from relevance.report.tables import Row, decimals_of

PT_PER_PX = 0.75
SIDE_PX, MOST_PX = 900.0, 44.0
EXTREMES = 10
METRICS = {
    "gain": "mean of the gain metrics (%)",
    "primary": "primary metric (%)",
    "loss": "held-out loss",
}


def cell_px(count: int) -> float:
    """Side of a drawn cell in pixels.

    >>> cell_px(6), cell_px(30), cell_px(500)
    (44.0, 30.0, 1.8)
    """
    return min(MOST_PX, SIDE_PX / count)


def map_of(name: str, matrix: RelevanceMatrix, clusters: ClusterSpec | None) -> Map:
    """Decide what the page shows of a matrix.

    Args:
        name: Name of the matrix.
        matrix: Any matrix.
        clusters: Groups of some or all of its tasks, None without groups.

    Returns:
        The map.
    """
    count = len(matrix.tasks)
    layout = lay_out(matrix, cell_pt=PT_PER_PX * cell_px(count))
    largest = float(np.max(np.abs(layout.percent), initial=0.0, where=matrix.known))
    decimals = None if needs_power(largest) else decimals_of(layout.percent)
    widths = half_widths(matrix)

    def printed(
        values: Float[np.ndarray, "source target"] | None,
    ) -> Float[np.ndarray, "source target"] | None:
        if values is None:
            return None
        percent = np.round(100 * values, 10)
        return significant(percent) if decimals is None else np.round(percent, decimals)

    values = printed(matrix.values)
    assert values is not None  # noqa: S101 - told to mypy
    return Map(
        name=name,
        matrix=matrix,
        layout=layout,
        decimals=decimals,
        values=values,
        errors=printed(matrix.standard_errors),
        half_widths=printed(widths),
        scores=_scores(matrix),
        orders=_orders(matrix, clusters),
        extremes=_extremes(matrix, values, decimals) if count > MOST_DRAWN else None,
    )


def significant(values: Float[np.ndarray, "..."], digits: int = 3) -> Float[np.ndarray, "..."]:
    """Numbers rounded to some significant digits, NaN as it is.

    >>> significant(np.array([123456.0, -0.000123456, 0.0])).tolist()
    [123000.0, -0.000123, 0.0]
    """
    return np.array([float(f"{value:.{digits - 1}e}") for value in values.ravel()]).reshape(
        values.shape
    )


def _scores(matrix: RelevanceMatrix) -> CellScores | None:
    """Scores by the metric that the gains are made of; None where one of the two runs lacks it."""
    metric = matrix.provenance.get("metric", "gain")
    single, joint, majority = matrix.single or {}, matrix.joint or {}, matrix.majority or {}
    if not is_gains(matrix) or metric not in METRICS or metric not in single.keys() & joint.keys():
        return None
    is_loss = metric == "loss"
    decimals, factor = (4, 1) if is_loss else (2, 100)

    def rounded(scores: object) -> Float[np.ndarray, "..."]:
        return np.round(np.round(factor * np.asarray(scores, dtype=np.float64), 10), decimals)

    return CellScores(
        # Runs that were imported have scores by a metric of their own.
        metric=METRICS[metric] if "metric" in matrix.provenance else "score (%)",
        decimals=decimals,
        single=rounded(known_mean(np.asarray(single[metric], dtype=np.float64), axis=0)),
        joint=rounded(known_mean(np.asarray(joint[metric], dtype=np.float64), axis=0)),
        majority=rounded(majority[metric]) if metric in majority else None,
    )


def _orders(matrix: RelevanceMatrix, clusters: ClusterSpec | None) -> dict[str, Order]:
    """The orders there are, the one to begin with first."""
    place = {task: number for number, task in enumerate(matrix.tasks)}
    orders = {}
    if clusters is not None:
        members = [[place[task] for task in group if task in place] for group in clusters.clusters]
        grouped = [number for group in members for number in group]
        others = [number for number in place.values() if number not in set(grouped)]
        if grouped:
            sizes = tuple(len(group) for group in members if group)
            orders["clusters"] = Order((*grouped, *others), sizes)
    orders["given"] = Order(tuple(place.values()))
    try:
        leaves = lay_out_dendrogram(matrix, 1).tasks
    except RelevanceError:  # a value is unknown, or there is one task
        return orders
    return orders | {"dendrogram": Order(tuple(place[task] for task in leaves))}


def _extremes(
    matrix: RelevanceMatrix, values: Float[np.ndarray, "source target"], decimals: int | None
) -> PageTable | None:
    """The highest and the lowest cells off the diagonal; None where none is known."""
    places = np.argwhere(matrix.known)
    if not len(places):
        return None
    order = places[np.argsort(-values[matrix.known], kind="stable")]
    few = len(order) <= 2 * EXTREMES
    chosen = order if few else np.concatenate([order[:EXTREMES], order[-EXTREMES:]])
    heading = f"value ({matrix.shown_in})"
    rows: list[Row] = []
    for source, target in chosen.tolist():
        value = float(values[source, target])
        shown = power(value, 2) if decimals is None else value
        rows.append(
            {"source": matrix.tasks[source], "target": matrix.tasks[target], heading: shown}
        )
    remark = () if few else (f"The {EXTREMES} highest and the {EXTREMES} lowest cells.",)
    return PageTable(tuple(rows), decimals or 0, remarks=remark)

"""Matrices and groups as tables for notebooks, every name and label escaped."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from relevance.clustering.spec import ClusterSpec
from relevance.escaping import for_html
from relevance.figures.figure import FAINT, INK
from relevance.figures.heatmap import EMPTY, colours, is_light
from relevance.figures.heatmap_layout import HeatmapLayout, lay_out
from relevance.figures.scale import one_style
from relevance.matrices.matrix import RelevanceMatrix
from relevance.report.tables import MARKS, matrix_remark, table

MOST_TASKS = 50
CELL = "text-align:right;padding:2px 6px"


def matrix_html(matrix: RelevanceMatrix) -> str:
    """A matrix as a table in the colours of its heat map; row = source, column = target.

    Args:
        matrix: Any matrix; only the first 50 tasks are shown.

    Returns:
        HTML with values in hundredths of their unit, gains with their sign, marked as in
        `relevance.report.tables.matrix_table`, and below what the marks mean.
    """
    is_cut = len(matrix.tasks) > MOST_TASKS
    shown = matrix.select(matrix.tasks[:MOST_TASKS]) if is_cut else matrix
    layout = lay_out(shown)
    names = [for_html(task) for task in layout.tasks]
    head = "".join(f'<th style="{CELL}">{name}</th>' for name in names)
    rows = "".join(
        f'<tr><th style="text-align:left">{name}</th>{"".join(cells)}</tr>\n'
        for name, cells in zip(names, _cells(layout), strict=True)
    )
    notes = [matrix_remark(shown, "html")]
    if is_cut:
        notes.append(f"The first {MOST_TASKS} of {len(matrix.tasks):,} tasks.")
    return (
        '<table style="border-collapse:collapse">\n'
        f"<caption>{for_html(layout.quantity)}</caption>\n"
        f"<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
        + "".join(f"<p>{for_html(note)}</p>\n" for note in notes)
    )


def _cells(layout: HeatmapLayout) -> Iterator[list[str]]:
    """The cells of every row: value, marks, and the colour of the heat map."""
    from matplotlib.colors import to_hex

    star, dagger, double_dagger = MARKS["html"]
    texts = np.reshape(one_style(layout.percent.ravel().tolist()), layout.percent.shape)
    fills = _fills(layout)
    for y in range(len(layout.tasks)):
        row = []
        for x in range(len(layout.tasks)):
            value, fixed = layout.percent[y, x], layout.fixed_diagonal and x == y
            text = "\N{EN DASH}" if np.isnan(value) else str(texts[y, x])
            text = f"+{text}" if layout.diverging and value > 0 else text
            text = f"({text})" if layout.predicted[y, x] else text
            text += star * bool(layout.uncertain[y, x]) + dagger * bool(layout.beaten[y, x])
            text += double_dagger * bool(layout.collapsed[y, x])
            fill = fills[y, x]
            ink = FAINT if fixed or np.isnan(value) else INK if is_light(fill) else "white"
            ground = EMPTY if fixed or np.isnan(value) else to_hex(fill)
            row.append(f'<td style="{CELL};background:{ground};color:{ink}">{text}</td>')
        yield row


def _fills(layout: HeatmapLayout) -> Float[np.ndarray, "source target 3"]:
    """The colours of all cells, red, green and blue in [0, 1]."""
    # Mapped by hand as matplotlib's `Normalize` would: there are no axes here to ask.
    share = (np.nan_to_num(layout.percent) - layout.low) / (layout.high - layout.low)
    return np.asarray(colours(diverging=layout.diverging)(np.clip(share, 0, 1)))[..., :3]


def groups_html(spec: ClusterSpec) -> str:
    """Groups as an HTML table with a row for each, and how they were found."""
    names = spec.names or [str(number) for number in range(len(spec.clusters))]
    text = table(
        [
            {"group": name, "tasks": ", ".join(members)}
            for name, members in zip(names, spec.clusters, strict=True)
        ],
        "html",
    )
    facts = [f"method: {spec.method}"]
    if spec.silhouette is not None:
        facts.append(f"silhouette {spec.silhouette:.2f}")
    if spec.stability is not None:
        facts.append(str(spec.stability))
    return f"{text}<p>{for_html('; '.join(facts))}</p>\n"

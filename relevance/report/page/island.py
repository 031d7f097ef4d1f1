"""What the page's script reads, as JSON: names, colours, and the numbers of all cells."""

import base64
import json
from typing import Any

import numpy as np
from jaxtyping import Float

from relevance.escaping import for_line
from relevance.figures.heatmap import colours, is_light
from relevance.figures.scale import bar_ticks
from relevance.report.page.content import MOST_DRAWN, CellScores, Map, Page
from relevance.report.page.maps import PT_PER_PX, cell_px

STEPS = 256
BAR_PX, BAR_TEXT_PT = 320, 8.0
UNKNOWN = -(2**15)
MARKS = ("uncertain", "beaten", "collapsed", "predicted")
"""Cells of a layout that carry a mark; the first counts 1, the next 2, 4 and 8."""


def island(page: Page) -> str:
    """The data of the page.

    Args:
        page: The page.

    Returns:
        JSON that ends no script element and holds no line separator but blanks.
    """
    place = {task: number for number, task in enumerate(page.tasks)}
    clusters = [] if page.groups is None else page.groups.groups
    content = {
        "tasks": [for_line(task) for task in page.tasks],
        "groups": [
            {"name": for_line(group.name), "tasks": [place[task] for task in group.tasks]}
            for group in clusters
        ],
        "scales": {name: _scale(diverging=name == "diverging") for name in _scales(page)},
        "maps": [_map(each, place) for each in page.maps],
    }
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    # "</script>" and "<!--" would end the element or turn what follows into a comment.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _scales(page: Page) -> list[str]:
    return sorted({scale_of(each) for each in page.maps})


def scale_of(shown: Map) -> str:
    """Name of the colour map of a matrix."""
    return "diverging" if shown.layout.diverging else "sequential"


def _scale(*, diverging: bool) -> dict[str, Any]:
    """The colour map of the figures in steps, and whether dark text reads better on each."""
    from matplotlib.colors import to_hex

    found = np.asarray(colours(diverging=diverging)(np.arange(STEPS)))[:, :3]
    return {
        "colours": "".join(to_hex(colour)[1:] for colour in found),
        "light": "".join(str(int(is_light(colour))) for colour in found),
    }


def _map(shown: Map, place: dict[str, int]) -> dict[str, Any]:
    layout, count = shown.layout, len(shown.layout.tasks)
    drawn = count <= MOST_DRAWN
    places, texts = bar_ticks(layout.low, layout.high, PT_PER_PX * BAR_PX, BAR_TEXT_PT)
    marks = sum((getattr(layout, name).astype(int) << bit) for bit, name in enumerate(MARKS))
    return {
        "name": for_line(shown.name),
        "quantity": for_line(layout.quantity),
        "unit": shown.matrix.shown_in,
        "signed": layout.diverging,
        "tasks": [place[task] for task in layout.tasks],
        "cell": cell_px(count),
        "scale": scale_of(shown),
        "low": layout.low,
        "high": layout.high,
        "ticks": [[float(value), text] for value, text in zip(places, texts, strict=True)],
        "fixed": layout.fixed_diagonal,
        "notes": list(layout.notes),
        "orders": {
            name: {"places": list(order.places), "sizes": list(order.sizes)}
            for name, order in shown.orders.items()
        },
        "decimals": shown.decimals,
        "values": numbers(shown.values, shown.decimals, packed=not drawn),
        "errors": numbers(shown.errors, shown.decimals, packed=not drawn),
        "halves": numbers(shown.half_widths, shown.decimals, packed=not drawn),
        "marks": "".join(f"{mark:x}" for mark in np.asarray(marks).ravel().tolist()),
        "texts": [text for row in layout.texts for text in row] if drawn else None,
        "textSize": layout.text_pt / PT_PER_PX,
        "scores": None if shown.scores is None else _scores(shown.scores, packed=not drawn),
    }


def _scores(scores: CellScores, *, packed: bool) -> dict[str, Any]:
    return {
        "metric": scores.metric,
        "decimals": scores.decimals,
        "single": numbers(scores.single, scores.decimals),
        "joint": numbers(scores.joint, scores.decimals, packed=packed),
        "majority": numbers(scores.majority, scores.decimals),
    }


def numbers(
    values: Float[np.ndarray, "..."] | None, decimals: int | None, *, packed: bool = False
) -> list[int | float | None] | dict[str, Any] | None:
    """Numbers as the script reads them, row by row.

    Args:
        values: Numbers that are rounded already, NaN where unknown.
        decimals: Number of decimals that they are rounded to; None for significant digits.
        packed: Whether many numbers are to take little room.

    Returns:
        A list with None for NaN; or packed, as base64 of whole numbers of 16 bits that are to be
        divided by `scale` where all fit, -32768 for NaN, else of floats of 32 bits. None for None.

    >>> numbers(np.array([0.5, np.nan]), 2), numbers(np.array([0.5, np.nan]), 2, packed=True)
    ([0.5, None], {'int16': 'MgAAgA==', 'scale': 100})
    """
    if values is None:
        return None
    flat = values.ravel()
    if not packed:
        # Whole numbers without their ".0", which a reader of JSON does not need.
        return [
            None if np.isnan(value) else int(value) if value.is_integer() else value
            for value in flat.tolist()
        ]
    scale = 10 ** (decimals or 0)
    whole = np.round(flat * scale)
    if decimals is not None and np.abs(whole[np.isfinite(whole)]).max(initial=0) < -UNKNOWN:
        integers = np.where(np.isnan(whole), UNKNOWN, whole).astype("<i2")
        return {"int16": _base64(integers.tobytes()), "scale": scale}
    return {"float32": _base64(flat.astype("<f4").tobytes())}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")

"""The page as one HTML file that asks for nothing: script, style and data stand inside."""

import base64
import hashlib
from collections.abc import Collection, Mapping
from importlib import resources
from typing import Any

from relevance.escaping import for_line
from relevance.report.page.content import Page, PageTable
from relevance.report.page.island import island
from relevance.report.tables import Cell, cell_text

HERE = "relevance.report.page"


def render_html(page: Page) -> str:
    """The page as HTML.

    Args:
        page: The page.

    Returns:
        A document whose policy lets nothing run but the script and the style inside it, by hash,
        and nothing be fetched. Every name is text. Equal pages give equal bytes.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def text(value: Any) -> Any:
        """What is printed: text without controls and what turns its direction."""
        is_text = isinstance(value, str) and not isinstance(value, Markup)
        return for_line(value) if is_text else value

    place = {task: number for number, task in enumerate(page.tasks)}
    files = resources.files(HERE)
    script, style = ((files / f"page.{kind}").read_text("utf-8") for kind in ("js", "css"))
    environment = Environment(
        autoescape=True,
        finalize=text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.from_string((files / "page.html").read_text("utf-8"))
    return template.render(
        page=page,
        script=Markup(script),  # noqa: S704 - a file of this package
        style=Markup(style),  # noqa: S704
        script_hash=_hash(script),
        style_hash=_hash(style),
        island=Markup(island(page)),  # noqa: S704 - JSON with all of HTML's characters escaped
        place=place,
        rows=lambda table: _rows(table, place),
    )


def _hash(content: str) -> str:
    """The hash of an inline script or style, as a Content-Security-Policy has it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode("ascii")


def _rows(table: PageTable, place: Mapping[str, int]) -> list[list[dict[str, Any]]]:
    """The cells of a table by row: text, whether a number, bold or starred, and the task named."""
    keys = list(table.rows[0])
    numeric = {key for key in keys if all(not isinstance(row[key], str) for row in table.rows)}
    return [
        [
            {
                "text": cell_text(row[key], table.decimals, str, "\N{EN DASH}"),
                "numeric": key in numeric or _is_score(row[key]),
                "bold": (y, x) in table.bold,
                "starred": (y, x) in table.starred,
                "task": place.get(task_in(row[key], place) or ""),
            }
            for x, key in enumerate(keys)
        ]
        for y, row in enumerate(table.rows)
    ]


def _is_score(cell: Cell) -> bool:
    """Whether a text is a mean and its deviation, which is set as numbers are."""
    return isinstance(cell, str) and " \N{PLUS-MINUS SIGN} " in cell


def task_in(cell: Cell, tasks: Collection[str]) -> str | None:
    """The task that a cell names, alone or with its split.

    >>> task_in("MNLI (test)", ["MNLI"]), task_in("MNLI-mm", ["MNLI"]), task_in("x", ["MNLI"])
    ('MNLI', 'MNLI', None)
    """
    text = cell.removesuffix(" \N{DAGGER}") if isinstance(cell, str) else ""
    for name in (text, text.rpartition(" (")[0], text.removesuffix("-mm").removesuffix("-m")):
        if name in tasks:
            return name
    return None

"""Tables as Markdown, CSV or LaTeX, of a matrix or of any rows."""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from relevance.errors import RelevanceError, unknown_name
from relevance.escaping import csv_text, for_html, for_latex, for_markdown
from relevance.marks import COLLAPSED, Marks, is_gains, marks
from relevance.matrices.intervals import over_examples
from relevance.matrices.matrix import RelevanceMatrix

Cell: TypeAlias = str | int | float | None
Row: TypeAlias = Mapping[str, Cell]
Place: TypeAlias = tuple[int, int]
Span: TypeAlias = tuple[str, int]  # a heading, and how many columns it stands above

FORMATS = ("csv", "html", "latex", "markdown")
MARKS = {
    "latex": ("*", r"\textsuperscript{\dag}", r"\textsuperscript{\ddag}"),
    "markdown": (r"\*", "\N{DAGGER}", "\N{DOUBLE DAGGER}"),
    "html": ("*", "\N{DAGGER}", "\N{DOUBLE DAGGER}"),
}
"""Star, dagger and double dagger as each format writes them."""

PERCENT = {"latex": r"\%", "markdown": "%", "html": "%"}
SUFFIXES = {".csv": "csv", ".tex": "latex", ".md": "markdown"}
"""Formats by the suffix of a file."""

LABEL = re.compile(r"[A-Za-z0-9:._+/ -]+")
# LaTeX sets a hyphen where a minus sign is meant, and names such as SST-2 have hyphens.
NUMBER = r"(-?\d[\d.,]*( ± [\d.,]+)?|\N{EN DASH})"
NUMBERS = re.compile(f"{NUMBER}( / {NUMBER})*")


def table(
    rows: Sequence[Row],
    format: str,  # noqa: A002 - the option's name
    *,
    decimals: int = 2,
    bold: Collection[Place] = (),
    marked: Sequence[Collection[Place]] = (),
    bracketed: Collection[Place] = (),
    families: Sequence[str] = (),
) -> str:
    r"""A table of any rows.

    Args:
        rows: One row or more, all with the same keys, which become the header.
        format: Format: `csv`, `html`, `latex` (with booktabs) or `markdown`.
        decimals: Number of decimals of fractional numbers; CSV has them in full.
        bold: Places (row, column) from 0 to set in bold, not in CSV.
        marked: Places to mark with a star, a dagger and a double dagger, not in CSV.
        bracketed: Places to set in brackets, not in CSV.
        families: Headings above those of the columns, one for each column, empty for none; a
            column's own heading begins with its family's and `: `, and has it left out where LaTeX
            and HTML set the families above. Other formats have the whole heading.

    Returns:
        The table, ending with a line break. Text is escaped; None and NaN are empty in CSV and a
        dash elsewhere.

    Raises:
        RelevanceError: If the format is unknown or there are no rows.

    >>> rows = [{"task": "RTE", "score": 0.725, "rows": 2490}]
    >>> rows.append({"task": "a_b", "score": None, "rows": 1})
    >>> print(table(rows, "markdown", bold={(0, 1)}), end="")
    | task |    score |  rows |
    | :--- | -------: | ----: |
    | RTE  | **0.72** | 2,490 |
    | a_b  |        – |     1 |
    >>> print(table(rows, "csv"), end="")
    task,score,rows
    RTE,0.725,2490
    a_b,,1
    >>> print(table(rows, "latex", marked=[{(0, 1)}]), end="")
    \begin{tabular}{lrr}
    \toprule
    task & score & rows \\
    \midrule
    RTE & 0.72* & 2,490 \\
    a\_b & -- & 1 \\
    \bottomrule
    \end{tabular}
    """
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    if not rows:
        raise RelevanceError("A table needs at least one row.")
    if format == "csv":
        return csv_text([list(rows[0]), *([row[key] for key in rows[0]] for row in rows)])
    write, escape, strong, dash = {
        "latex": (_latex, for_latex, r"\textbf{{{}}}", "--"),
        "markdown": (_markdown, for_markdown, "**{}**", "\N{EN DASH}"),
        "html": (_html, for_html, "<b>{}</b>", "\N{EN DASH}"),
    }[format]
    over = families if format != "markdown" and any(families) else ()
    families = over or [""] * len(rows[0])
    keys = [key.removeprefix(f"{family}: ") for key, family in zip(rows[0], families, strict=True)]
    texts = [[escape(key) for key in keys]]
    for y, row in enumerate(rows):
        texts.append([])
        for x, key in enumerate(rows[0]):
            text = cell_text(row[key], decimals, escape, dash)
            if format == "latex":
                text = text.replace("-", "$-$") if NUMBERS.fullmatch(text) else text
            if (y, x) in bracketed:
                text = f"({text})"
            text += "".join(
                sign
                for sign, places in zip(MARKS[format], marked, strict=False)
                if (y, x) in places
            )
            texts[-1].append(strong.format(text) if (y, x) in bold else text)
    numeric = [all(_is_number(row[key]) for row in rows) for key in rows[0]]
    if over:
        spans = [(escape(name), len(list(same))) for name, same in groupby(over)]
        return (_latex if format == "latex" else _html)(texts, numeric, spans)
    return write(texts, numeric)


def _is_number(cell: Cell) -> bool:
    """Whether a cell stands right: text does if it is a number with decimals of its own."""
    return not isinstance(cell, str) or re.fullmatch(r"-?\d+\.\d+", cell) is not None


def matrix_table(
    matrix: RelevanceMatrix,
    format: str,  # noqa: A002 - the option's name
    *,
    decimals: int | None = None,
    caption: str | None = None,
    label: str | None = None,
) -> str:
    """A matrix in percent, like the paper's Tables 2 and 3: row = source, column = target.

    The best source of every target is in bold, ties all of them, as far as one helps: of gains only
    those above 0 that carry no mark, and none where all sources are alike. Values whose 95 %
    interval covers zero carry a star, a dagger where no run does better than the majority class,
    and a double dagger where a run behind them collapsed (`relevance.marks`). Values in brackets
    are predicted, not measured.

    Args:
        matrix: Any matrix.
        format: Format: `csv` (values in percent, no marks), `html`, `latex` or `markdown`.
        decimals: Number of decimals of the percentages, not in CSV; None for 2, or more where all
            values are so small that these would show fewer than three digits of the largest.
        caption: Plain text above a LaTeX table, which then floats.
        label: Name of a LaTeX table for references, which then floats.

    Returns:
        The table; below it, but for CSV, the meaning of the marks.

    Raises:
        RelevanceError: If the format is unknown, or has no caption and label.

    Source:
        Fei et al. (2022), Tables 2 and 3.
    """
    percent = np.round(100 * matrix.values, 10)  # 0.2826 * 100 is 28.259999999999998
    rows: list[Row] = [
        {"source": source, **dict(zip(matrix.tasks, values, strict=True))}
        for source, values in zip(matrix.tasks, percent.tolist(), strict=True)
    ]
    decimals = decimals_of(percent) if decimals is None else decimals
    marked = marks(matrix)
    best = _best_sources(matrix, np.round(percent, decimals), marked)
    text = table(
        rows,
        format,
        decimals=decimals,
        bold=_places(best),
        marked=[_places(cells) for cells in (marked.noise, marked.beaten, marked.collapsed)],
        bracketed=_places(marked.predicted),
    )
    remark = matrix_remark(matrix, format, marked, bold=bool(best.any()))
    text = {
        "csv": text,
        "latex": f"{text}\\par\\smallskip{{\\footnotesize {remark}\\par}}\n",
        "markdown": f"{text}\n{remark}\n",
        "html": f"{text}<p>{for_html(remark)}</p>\n",
    }[format]
    return floating(text, format, caption=caption, label=label)


def floating(
    text: str,
    format: str,  # noqa: A002 - the option's name
    *,
    caption: str | None = None,
    label: str | None = None,
) -> str:
    r"""A LaTeX table with a caption, a label or both.

    Args:
        text: The table.
        format: Format of the table.
        caption: Plain text, which is escaped.
        label: Name of the table for `\ref`.

    Returns:
        The table in a `table` environment; as it is without caption and label.

    Raises:
        RelevanceError: If the format is another one, or a label holds what LaTeX cannot take there.

    >>> print(floating("...\n", "latex", caption="Gains in %", label="tab:gains"), end="")
    \begin{table}
    \centering
    \caption{Gains in \%}
    \label{tab:gains}
    ...
    \end{table}
    """
    if caption is None and label is None:
        return text
    if format != "latex":
        raise RelevanceError(
            f"`caption` and `label` belong to LaTeX, and this table is {format}. Take"
            ' `format="latex"` or a name that ends in .tex.'
        )
    if label is not None and not LABEL.fullmatch(label):
        raise RelevanceError(
            f"`label` '{label}' must be of letters, digits and : . _ + / -, such as tab:gains."
        )
    lines = [] if caption is None else [f"\\caption{{{for_latex(caption)}}}\n"]
    lines += [] if label is None else [f"\\label{{{label}}}\n"]
    return f"\\begin{{table}}\n\\centering\n{''.join(lines)}{text}\\end{{table}}\n"


def format_of(chosen: str | None, out: Path | None) -> str:
    """The format of a table.

    Args:
        chosen: Format that was asked for; it wins.
        out: File that the table goes to.

    Returns:
        A name in `FORMATS`: that of the file's suffix, Markdown for other suffixes and without a
        file.

    >>> format_of(None, Path("t.tex")), format_of("csv", Path("t.tex")), format_of(None, None)
    ('latex', 'csv', 'markdown')
    """
    return chosen or SUFFIXES.get(out.suffix.lower() if out else "", "markdown")


def decimals_of(percent: Float[np.ndarray, "source target"]) -> int:
    """Number of decimals: two, or as many as show three digits of the largest value.

    >>> decimals_of(np.array([[0.0, 64.3], [-0.2, 0.0]])), decimals_of(np.array([[0.0, 0.00512]]))
    (2, 5)
    """
    largest = np.max(np.abs(percent), initial=0.0, where=np.isfinite(percent))
    return 2 if largest == 0 else max(2, 2 - math.floor(math.log10(largest)))


def matrix_remark(
    matrix: RelevanceMatrix,
    format: str,  # noqa: A002 - the option's name
    marked: Marks | None = None,
    *,
    bold: bool = False,
) -> str:
    """The meaning of the values and the marks of a matrix.

    Args:
        matrix: Matrix that the table shows.
        format: Format of the table.
        marked: Marks of the matrix, where they are known already.
        bold: Whether the best sources are in bold.

    Returns:
        A sentence in that format, HTML aside, which is not escaped yet; empty for CSV, which has
        no marks.
    """
    if format not in MARKS:
        return ""
    marked = marked or marks(matrix)
    star, dagger, double_dagger = MARKS[format]
    unit = matrix.shown_in.replace("%", "percent").capitalize()
    helps = " that helps" if is_gains(matrix) else ""
    noise = " for the noise of the evaluation alone" if over_examples(matrix) else ""
    collapsed = COLLAPSED.replace("%", PERCENT[format])
    if format == "latex":
        collapsed = collapsed.replace("-100", "$-$100")
    number, cells = int(marked.collapsed.sum()), int(marked.known.sum())
    predicted = int(marked.predicted.sum())
    remarks = {
        f"{unit}; row = source, column = target": True,
        f"bold: best source of each target{helps}": bold,
        f"{star}: the 95 {PERCENT[format]} interval{noise} covers 0": bool(marked.noise.any()),
        f"{dagger}: no run beats the majority class": bool(marked.beaten.any()),
        f"{double_dagger}: {collapsed}, {number} of {cells} cells": number > 0,
        f"in brackets: predicted, not measured, {predicted} of {cells} cells": predicted > 0,
    }
    return f"{'; '.join(remark for remark, said in remarks.items() if said)}."


def _best_sources(
    matrix: RelevanceMatrix, shown: Float[np.ndarray, "source target"], marked: Marks
) -> Bool[np.ndarray, "source target"]:
    """Cells with the largest value of each column, as far as it is printed and means something.

    Only unmarked gains above 0 can be the best; none is where all of a column are alike.
    """
    highest = np.where(marked.known, shown, -np.inf).max(axis=0, initial=-np.inf)
    lowest = np.where(marked.known, shown, np.inf).min(axis=0, initial=np.inf)
    worth = marked.known & ~marked.any & (lowest < highest)
    if is_gains(matrix):
        worth &= shown > 0
    others = np.where(worth, shown, -np.inf)
    return np.asarray(worth & (others == others.max(axis=0, initial=-np.inf)))


def _places(cells: Bool[np.ndarray, "source target"]) -> set[Place]:
    """Places of chosen cells in a table whose first column names the sources."""
    return {(y, x + 1) for y, x in np.argwhere(cells).tolist()}


def cell_text(cell: Cell, decimals: int, escape: Callable[[str], str], dash: str) -> str:
    """A cell as it is printed: text escaped, whole numbers with commas, a dash for none."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return dash
    if isinstance(cell, str):
        return escape(cell)
    text = f"{cell:,}" if isinstance(cell, int) else f"{cell:.{decimals}f}"
    return text if float(text.replace(",", "")) else text.removeprefix("-")


def _markdown(texts: list[list[str]], numeric: list[bool]) -> str:
    """Columns padded to equal width, so that the table can be read as it is."""
    widths = [max(4, *map(len, column)) for column in zip(*texts, strict=True)]
    rules = [
        "-" * (width - 1) + ":" if number else ":" + "-" * (width - 1)
        for width, number in zip(widths, numeric, strict=True)
    ]
    padded = [
        [
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(row, widths, numeric, strict=True)
        ]
        for row in texts
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in (padded[0], rules, *padded[1:]))


def _html(texts: list[list[str]], numeric: list[bool], over: Sequence[Span] = ()) -> str:
    """Rows of escaped texts; numbers stand at the right."""
    sides = ["right" if number else "left" for number in numeric]

    def line(tag: str, row: list[str]) -> str:
        cells = (
            f'<{tag} style="text-align:{side}">{text}</{tag}>'
            for side, text in zip(sides, row, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>\n"

    head, *rows = texts
    body = "".join(line("td", row) for row in rows)
    above = "".join(f'<th colspan="{count}">{name}</th>' for name, count in over)
    above = f"<tr>{above}</tr>\n" if over else ""
    return f"<table>\n<thead>{above}{line('th', head)}</thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def _latex(texts: list[list[str]], numeric: list[bool], over: Sequence[Span] = ()) -> str:
    lines = [f"{' & '.join(row)} \\\\" for row in texts]
    columns = "".join("r" if number else "l" for number in numeric)
    parts = [
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        *_latex_families(over),
        lines[0],
        "\\midrule",
        *lines[1:],
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "".join(f"{part}\n" for part in parts)


def _latex_families(over: Sequence[Span]) -> list[str]:
    """A line of headings above several columns each, and one of rules below these."""
    if not over:
        return []
    names, rules, first = [], [], 1
    for name, count in over:
        names.append(f"\\multicolumn{{{count}}}{{c}}{{{name}}}")
        if name:
            rules.append(f"\\cmidrule(lr){{{first}-{first + count - 1}}}")
        first += count
    return [f"{' & '.join(names)} \\\\", " ".join(rules)]

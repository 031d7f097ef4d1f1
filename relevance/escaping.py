"""Names, labels and paths made harmless for where they are shown: one function per medium.

They come from files of users and others, so they may hold what a terminal, LaTeX, Markdown, a
spreadsheet or matplotlib takes for a command.
"""

import csv
import html
import io
import math
import re
from collections.abc import Iterable

# C0 and C1 controls but for line break and tab, what turns the direction of text, line separators
# that are not "\n", and halves of surrogate pairs, which cannot be encoded.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",  # the start of a command in some languages
    "[": "{[}",  # at the start of a row it would be an argument of the line break before
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
# what begins or ends a mark, HTML or a link; a single < or [ between other characters does not
MARKDOWN = re.compile(
    r"[\\|*`~$]|<(?=[A-Za-z/!?])|\](?=[\[(:])|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])"
)
# Leading apostrophes count too: `for_csv` adds one, and `from_csv` has to find it again.
FORMULA = re.compile(r"'*[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?%?", re.ASCII)


def for_terminal(text: str) -> str:
    r"""Text that moves no cursor and changes no colour, title or direction: controls are spelt out.

    They are written as in JSON, so that JSON stays the same JSON.

    Args:
        text: Text of one line or several.

    Returns:
        The text; line breaks and tabs stay.

    >>> for_terminal("\x1b[2Jred\r\u202e.")
    '\\u001b[2Jred\\u000d\\u202e.'
    """
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def for_line(text: str) -> str:
    r"""Text on one line: as for a terminal, every run of white space one blank.

    >>> for_line("a\n\tb \x08")
    'a b \\u0008'
    """
    return for_terminal(re.sub(r"[ \t\r\n\f\v]+", " ", text))


def for_markdown(text: str) -> str:
    r"""Text of a cell of a table in which Markdown finds no mark, no HTML and no end of the cell.

    >>> print(for_markdown("a_b|<img> *c* _d_\n$x$"))
    a_b\|\<img> \*c\* \_d\_ \$x\$
    """
    return MARKDOWN.sub(r"\\\g<0>", for_line(text))


def for_latex(text: str) -> str:
    r"""Text in which LaTeX takes nothing for a command.

    >>> print(for_latex("my_task (50%)"), for_latex(r"\input{x}"))
    my\_task (50\%) \textbackslash{}input\{x\}
    """
    escaped = "".join(LATEX.get(character, character) for character in for_line(text))
    return f"{{*}}{escaped[1:]}" if escaped.startswith("*") else escaped


def for_html(text: str) -> str:
    r"""Text in which a browser finds no element and no entity, in an attribute neither.

    >>> for_html('<img src=x onerror="alert(1)">\n&amp;')
    '&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp;amp;'
    """
    return html.escape(for_line(text))


def for_csv(text: str) -> str:
    """Text of a cell that no spreadsheet takes for a formula: an apostrophe stands before it.

    >>> for_csv("=1+1"), for_csv("-1.5"), for_csv("RTE")
    ("'=1+1", '-1.5', 'RTE')
    """
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def from_csv(text: str) -> str:
    """Undo `for_csv`: the text that it was given.

    >>> from_csv(for_csv("=1+1")), from_csv("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def csv_line(cells: Iterable[str | int | float | None]) -> str:
    r"""A row of CSV without its end; what holds a line break of any kind stands in quotes.

    >>> csv_line(["a\nb", "c\rd", 1])
    '"a\nb","c\rd",1'
    """
    text = io.StringIO()
    # Python before 3.13 quotes no line breaks but those that end rows
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n")


def csv_text(rows: Iterable[Iterable[str | int | float | None]]) -> str:
    r"""Rows as CSV, numbers in full; None and NaN are empty cells, and no text is a formula.

    >>> csv_text([["task", "=1+1"], ["RTE", math.nan]])
    "task,'=1+1\nRTE,\n"
    """
    return "".join(f"{csv_line(map(_csv_cell, row))}\n" for row in rows)


def _csv_cell(cell: str | int | float | None) -> str | int | float | None:
    if isinstance(cell, str):
        return for_csv(cell)
    return None if cell is None or math.isnan(cell) else cell


def for_figure(text: str) -> str:
    r"""Text on one line of a figure; it is to be drawn with `parse_math=False`.

    >>> for_figure("a\nb")
    'a b'
    """
    return for_line(text)

"""Sizes, colours, frames, the width of a text, and saving, which all figures share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relevance.disk.files import replacing
from relevance.errors import RelevanceError
from relevance.escaping import for_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure
else:
    Axes = Figure = Any  # matplotlib takes a while to load, and is when something is drawn

POINTS_PER_INCH = 72.0
ONE_COLUMN_PT = 3.3 * POINTS_PER_INCH
TWO_COLUMNS_PT = 6.9 * POINTS_PER_INCH
INK = "#262626"
FAINT = "#8c8c8c"
POSITIVE = "#2f79b5"
NEGATIVE = "#c43b3f"
NOTE_PT, NOTE_LINE_PT = 5.5, 8.0
TITLE_PT, TITLE_LINE_PT, TITLE_PAD_PT = 9.0, 11.5, 7.0
SCREEN_DPI = 110  # text of 6 points is then 9 pixels high
HINTED = 1.04  # hinted glyphs are up to 4 % wider than their outlines
METADATA = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}


def new_figure(width_pt: float, height_pt: float) -> Figure:
    """An empty figure of a size in points, 72 to the inch, without a window or global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_pt / POINTS_PER_INCH, height_pt / POINTS_PER_INCH))


def new_panels(
    width_pt: float,
    height_pt: float,
    lines: int = 1,
    columns: int = 1,
    *,
    title: str | None = None,
    **shared: Any,
) -> list[Axes]:
    """Empty axes side by side in a figure of their own, placed so that nothing overlaps.

    Args:
        width_pt: Width of the figure, in points.
        height_pt: Height of the figure without its title, in points.
        lines: Number of lines of axes.
        columns: Number of axes in a line.
        title: Title of the whole figure, None for none.
        **shared: Whether axes share a scale, as matplotlib's `sharex` and `sharey`.

    Returns:
        The axes, line by line.
    """
    above_pt = title_pt(title, width_pt)
    figure = new_figure(width_pt, height_pt + above_pt)
    below_title = (0.0, 0.0, 1.0, height_pt / (height_pt + above_pt))
    figure.set_layout_engine("constrained", rect=below_title)
    grid = figure.subplots(lines, columns, squeeze=False, **shared).ravel()
    draw_title(grid[0], title, whole=True)
    return list(map(inline, grid))


def new_axes(
    width_pt: float, height_pt: float, *boxes: tuple[float, float, float, float]
) -> Panels:
    """Empty axes at fixed places in a figure of their own.

    Args:
        width_pt: Width of the figure, in points.
        height_pt: Height of the figure, in points.
        *boxes: Left end, lower end, width and height of each, in points from the lower left.

    Returns:
        The axes, in the order of the boxes.
    """
    figure = new_figure(width_pt, height_pt)
    return Panels(
        inline(
            figure.add_axes((left / width_pt, low / height_pt, wide / width_pt, high / height_pt))
        )
        for left, low, wide, high in boxes
    )


class Panels(tuple[Axes, ...]):
    """Axes of one figure, which a notebook shows as that figure."""

    __slots__ = ()

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        return picture(self[0])


def inline(axes: Axes) -> Axes:
    """Let a notebook show axes as their whole figure where they are the value of a cell.

    Figures of ours belong to no window and to no list of open figures, so nothing else shows them.
    """
    axes._repr_png_ = partial(picture, axes)  # type: ignore[attr-defined]  # IPython looks for it
    return axes


def picture(axes: Axes) -> tuple[bytes, dict[str, int]]:
    """The figure that axes stand in as PNG, with the size that a page should give it."""
    figure = figure_of(axes)
    content = BytesIO()
    _make_plain(figure)
    figure.savefig(content, format="png", dpi=2 * SCREEN_DPI)
    width, height = (round(SCREEN_DPI * inches) for inches in figure.get_size_inches())
    return content.getvalue(), {"width": width, "height": height}


def figure_of(axes: Axes) -> Figure:
    """The whole figure that axes stand in."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise RelevanceError("These axes have been taken out of their figure; hand in others.")
    return figure


def save_figure(axes: Axes, path: Path) -> None:
    """Save the figure that axes stand in; equal figures give equal bytes.

    Args:
        axes: Any axes of the figure.
        path: PDF or SVG (with text as fonts and outlines), or PNG with 300 dots per inch.

    Raises:
        RelevanceError: If the suffix is another one, or the file cannot be written.
    """
    from matplotlib import rc_context

    check_format(path)
    _make_plain(figure_of(axes))
    suffix = path.suffix.lower()
    content = BytesIO()  # where a disk is full, matplotlib's own files fail in many ways
    # Type 42 embeds fonts as journals want them; the salt fixes the names of SVG elements.
    with rc_context({"pdf.fonttype": 42, "svg.hashsalt": path.stem}):
        figure_of(axes).savefig(content, format=suffix[1:], dpi=300, metadata=METADATA[suffix])
    with replacing(path) as file:
        file.write_bytes(content.getvalue())


def _make_plain(figure: Figure) -> None:
    """Keep matplotlib from reading names as mathematics, and fonts from lacking controls."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_parse_math(False)
            text.set_text(_lines(text.get_text()))


def _lines(text: str) -> str:
    """Text as figures show it, on its own lines."""
    return "\n".join(map(for_figure, text.split("\n")))


def check_format(path: Path) -> None:
    """Refuse a file name that no figure can be saved under, before any work is done for it.

    Args:
        path: Place of a figure to be.

    Raises:
        RelevanceError: If the suffix is not that of a known format.
    """
    if path.suffix.lower() not in METADATA:
        known = ", ".join(METADATA)
        raise RelevanceError(f"{path}: a figure's name must end in one of {known}.")


def draw_frame(axes: Axes, text_pt: float) -> None:
    """Leave the frame's left and lower side, faint, with small ticks labelled in `text_pt`."""
    axes.tick_params(length=2, width=0.5, labelsize=text_pt, color=FAINT, labelcolor=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)


def draw_legend(
    axes: Axes, drawn: Sequence[Any], names: Sequence[str], text_pt: float, **layout: Any
) -> None:
    """Name what is drawn, once for all panels of a figure; names are text and no mathematics.

    Args:
        axes: Any axes of the figure.
        drawn: A line, marker or area for each name.
        names: Name of each; line breaks stay.
        text_pt: Size of the names, in points.
        **layout: Further arguments of matplotlib's `legend`, such as `loc` and `ncols`.
    """
    legend = figure_of(axes).legend(
        list(drawn), list(map(_lines, names)), fontsize=text_pt, frameon=False, **layout
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def draw_notes(axes: Axes, notes: Sequence[str], below_pt: float, va: str = "baseline") -> None:
    """Write lines below axes, the first one `below_pt` points below, from their left end on."""
    for line, note in enumerate(notes):
        axes.annotate(
            note,
            (0, 0),
            xycoords="axes fraction",
            xytext=(0, -(below_pt + NOTE_LINE_PT * line)),
            textcoords="offset points",
            va=va,
            fontsize=NOTE_PT,
            color=INK,
            annotation_clip=False,
        )


def draw_rows(axes: Axes, text_pt: float, *, pad_pt: float) -> None:
    """Leave names at the side and a faint scale at the bottom of axes whose rows are tasks."""
    axes.tick_params(axis="y", length=0, pad=pad_pt, labelsize=text_pt, labelcolor=INK)
    axes.tick_params(axis="x", length=2, width=0.5, labelsize=text_pt - 1, color=FAINT)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)


@cache
def text_width_em(text: str) -> float:
    """Width of a text in the figures' font, in multiples of the font size, on one line."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(
        for_figure(text), FontProperties(size=10), False
    )
    return float(width) / 10


def wrapped(texts: str | Iterable[str], size_pt: float, width_pt: float) -> list[str]:
    """Lines of text that are no wider than there is room.

    Args:
        texts: A text, or several that begin lines of their own.
        size_pt: Font size, in points.
        width_pt: Room, in points.

    Returns:
        The lines: as many words as fit on each; words that are too long alone are cut.

    >>> wrapped("one two three", 10.0, 45.0)
    ['one two', 'three']
    """
    most_em = width_pt / (HINTED * size_pt)
    lines: list[str] = []
    for text in [texts] if isinstance(texts, str) else texts:
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if text_width_em(longer) <= most_em:
                line = longer
                continue
            lines += [line] if line else []
            *full, line = _cut(word, most_em)
            lines += full
        lines += [line] if line else []
    return lines


def _cut(word: str, most_em: float) -> list[str]:
    """Pieces of a word that are no wider than there is room, of a character at least."""
    if text_width_em(word) <= most_em:
        return [word]
    pieces = [""]
    for character in word:
        if pieces[-1] and text_width_em(pieces[-1] + character) > most_em:
            pieces.append("")
        pieces[-1] += character
    return pieces


def title_pt(title: str | None, width_pt: float) -> float:
    """Room that the title of a figure takes at its top, in points; 0 without one."""
    lines = wrapped(title or "", TITLE_PT, width_pt - 2 * TITLE_PAD_PT)
    return TITLE_LINE_PT * len(lines) + TITLE_PAD_PT * bool(lines)


def draw_title(axes: Axes, title: str | None, *, whole: bool) -> None:
    """Write a title, wrapped.

    Args:
        axes: Any axes of the figure.
        title: The title; None or blank for none.
        whole: Whether it is that of the whole figure, which has room for it at its top, and not
            that of the axes alone.
    """
    if not title or not title.strip():
        return
    figure = figure_of(axes)
    if not whole:
        width_pt = axes.get_window_extent().width * POINTS_PER_INCH / figure.dpi
        lines = wrapped(title, TITLE_PT, width_pt)
        axes.set_title(
            "\n".join(map(for_figure, lines)), fontsize=TITLE_PT, color=INK, parse_math=False
        )
        return
    width_pt, height_pt = POINTS_PER_INCH * figure.get_size_inches()
    lines = wrapped(title, TITLE_PT, width_pt - 2 * TITLE_PAD_PT)
    for number, line in enumerate(lines):
        figure.text(
            0.5,
            1 - (TITLE_PAD_PT + TITLE_LINE_PT * number) / height_pt,
            for_figure(line),
            ha="center",
            va="top",
            fontsize=TITLE_PT,
            color=INK,
            parse_math=False,
        )

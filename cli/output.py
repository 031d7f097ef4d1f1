"""What commands say: results on stdout or in files, notes on stderr."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import relevance
from cli.flags import in_flags
from cli.streams import Results
from relevance.errors import RelevanceError
from relevance.escaping import for_terminal

if TYPE_CHECKING:
    from typing import Any

    from matplotlib.axes import Axes


class Unread(BaseException):
    """Nobody takes what a command goes on to answer."""


def note(text: str) -> None:
    """One line on stderr: settings as options, what would change a terminal's state spelt out."""
    print(for_terminal(in_flags(text)), file=sys.stderr, flush=True)  # noqa: T201 - the command line is where printing belongs


def show(text: str) -> None:
    """A result on stdout, made as harmless for a terminal as `note` makes its lines."""
    print(for_terminal(text), flush=True)  # noqa: T201 - the command line is where printing belongs


def stream(text: str) -> None:
    """One of many results on stdout, as they come.

    Args:
        text: A line.

    Raises:
        Unread: If stdout takes no more, so that there is no use in going on.
    """
    show(text)
    if isinstance(sys.stdout, Results) and sys.stdout.is_lost:
        raise Unread


def deliver(text: str, out: Path | None) -> None:
    """A result into a file, or on stdout where there is none.

    Args:
        text: The result; it ends with one line break either way.
        out: The file; an older one is replaced.
    """
    from relevance.disk.files import write_text

    text = text.rstrip("\n")
    if out is None:
        show(text)
    else:
        write_text(out, text + "\n")
        note(f"wrote {out}")


def save(axes: "Axes", path: Path) -> None:
    """The figure of some axes into a file; an older one is replaced."""
    relevance.save_figure(axes, path)
    note(f"wrote {path}")


def look(style: "Mapping[str, Any]", *figures: Path | None) -> relevance.FigureStyle:
    """What the options of a figure say of how it looks, checked before any work is done.

    Args:
        style: Values of the options that were given.
        *figures: Places of the figures that they are for.

    Returns:
        The style.

    Raises:
        RelevanceError: If a value is out of range, or no figure is drawn that could follow it.
    """
    if style and not any(figures):
        given = " and ".join(f"`{name}`" for name in style)
        raise RelevanceError(f"{given} is for a figure, and none is drawn. Name its file too.")
    return relevance.FigureStyle(**style)


def check_places(*files: Path | None, figures: Sequence[Path | None] = ()) -> None:
    """Refuse places that nothing can be written to, before any work is done for them.

    Args:
        *files: Places of files to be; None where none is wanted.
        figures: Places of figures to be, which have to end in a known suffix.

    Raises:
        RelevanceError: If a file could not be made.
    """
    from relevance.disk.files import check_writable
    from relevance.figures.figure import check_format

    for figure in filter(None, figures):
        check_format(figure)
    for file in filter(None, (*files, *figures)):
        check_writable(file)

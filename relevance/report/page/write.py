"""The page written to a file, with the same as text beside it."""

from collections.abc import Sequence
from pathlib import Path

from relevance.clustering.spec import ClusterSpec
from relevance.disk.files import write_text
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from relevance.report.page.build import lay_out
from relevance.report.page.content import Page, RunScores
from relevance.report.page.html import render_html
from relevance.report.page.markdown import render_markdown

SUFFIXES = (".html", ".htm")


def write_report(
    matrices: RelevanceMatrix | Sequence[RelevanceMatrix],
    out: str | Path,
    *,
    clusters: ClusterSpec | None = None,
    scores: RunScores | None = None,
    title: str | None = None,
) -> Path:
    """Write the page of matrices, groups and scores: one HTML file that asks for nothing else.

    Args:
        matrices: One matrix or several.
        out: File that ends in `.html`; the same as text goes beside it, with the suffix `.md`.
        clusters: Groups of tasks that the matrices have, None without.
        scores: Scores of runs, as `hmnet.compare(runs).for_report()` gives them; None without.
        title: Heading; None for one that counts the tasks.

    Returns:
        The file.

    Raises:
        RelevanceError: If there is no matrix, the groups list a task that none has, or the file has
            another suffix or cannot be written.
    """
    several = [matrices] if isinstance(matrices, RelevanceMatrix) else list(matrices)
    file = page_file(out)
    write_page(lay_out(several, clusters=clusters, scores=scores, title=title), file)
    return file


def page_file(out: str | Path) -> Path:
    """The file of a page, refused where its name is that of something else.

    Args:
        out: Name of the file.

    Returns:
        Its path.

    Raises:
        RelevanceError: If it does not end in .html.
    """
    if Path(out).suffix.lower() not in SUFFIXES:
        raise RelevanceError(f"{out}: a report's name must end in .html; the text goes beside it.")
    return Path(out)


def write_page(page: Page, out: Path) -> None:
    """Write a page, and the same as text beside it."""
    write_text(out, render_html(page))
    write_text(out.with_suffix(".md"), render_markdown(page))

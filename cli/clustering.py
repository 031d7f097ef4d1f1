"""Options of `relevance cluster`, and what it does with them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.app import listed, note
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from relevance.clustering.choose_k import ChoiceOfK
    from relevance.clustering.spec import ClusterSpec
    from relevance.matrices.matrix import RelevanceMatrix

METHOD = "Method"
FIGURES = "Figures"
AUTO = "auto"


def _checked_k(value: str | None) -> str | None:
    try:
        return value if value in {None, AUTO} else str(int(value or ""))
    except ValueError:
        raise typer.BadParameter(f"'{value}' is neither a whole number nor {AUTO}.") from None


@dataclass(frozen=True)
class GroupingOptions:
    """How many groups, and how they are found."""

    k: Annotated[
        str | None,
        typer.Option(
            "--k",
            help="Number of groups; auto: by silhouette and stability; none needed for a taxonomy.",
            metavar="N|auto",
            callback=_checked_k,
            rich_help_panel=METHOD,
        ),
    ] = None
    method: Annotated[
        str | None,
        typer.Option(
            help=f"{listed('relevance.clustering.methods')}; with predicted-gain --k is the most"
            " groups.",
            metavar="NAME",
            show_default="kmeans",
            rich_help_panel=METHOD,
        ),
    ] = None
    max_k: Annotated[
        int | None,
        typer.Option(
            help="Largest k that auto tries.",
            metavar="N",
            min=2,
            show_default="one less than tasks",
            rich_help_panel=METHOD,
        ),
    ] = None
    linkage: Annotated[
        Literal["ward", "average", "complete", "single"] | None,
        typer.Option(
            help="agglomerative: what the distance of two groups is.",
            show_default="ward",
            rich_help_panel=METHOD,
        ),
    ] = None
    overlap: Annotated[
        bool,
        typer.Option(
            "--overlap",
            help="predicted-gain: groups may train tasks that another group serves.",
            rich_help_panel=METHOD,
        ),
    ] = False


@dataclass(frozen=True)
class GroupFigures:
    """Figures to draw of the groups."""

    consensus: Annotated[
        Path | None,
        typer.Option(
            help="How often every two tasks are in one group under resampling.",
            metavar="FILE",
            rich_help_panel=FIGURES,
        ),
    ] = None
    curve: Annotated[
        Path | None,
        typer.Option(
            help="--k auto: silhouette and stability over k.",
            metavar="FILE",
            rich_help_panel=FIGURES,
        ),
    ] = None
    dendrogram: Annotated[
        Path | None,
        typer.Option(
            help="--method agglomerative: which groups are merged.",
            metavar="FILE",
            rich_help_panel=FIGURES,
        ),
    ] = None


def check(options: GroupingOptions, figures: GroupFigures) -> None:
    """Refuse options that nothing could be done with, before any work is done.

    Args:
        options: How to group.
        figures: What to draw.

    Raises:
        RelevanceError: If one needs another that is not given, or a figure cannot be written.
    """
    from relevance.disk.files import check_writable
    from relevance.figures.figure import check_format

    for name, value in (("--max-k", options.max_k), ("--curve", figures.curve)):
        if value is not None and options.k != AUTO:
            raise RelevanceError(f"{name} goes with --k auto.")
    if figures.dendrogram is not None and options.method != "agglomerative":
        raise RelevanceError("--dendrogram goes with --method agglomerative.")
    for place in (figures.consensus, figures.curve, figures.dendrogram):
        if place is not None:
            check_format(place)
            check_writable(place)


def group(
    matrix: "RelevanceMatrix", name: str, options: GroupingOptions, seed: int
) -> "tuple[ClusterSpec, ChoiceOfK | None]":
    """Group the tasks of a matrix as the options say.

    Args:
        matrix: What to group by.
        name: Its name, for messages.
        options: How to group.
        seed: Seed of whatever is random.

    Returns:
        The groups, and how their number was chosen where it was.

    Raises:
        RelevanceError: If the options or the matrix do not allow it.
    """
    from relevance.clustering.choose_k import choose_k
    from relevance.clustering.cluster import cluster
    from relevance.clustering.families import has_families
    from relevance.clustering.methods.method import make_method

    how: dict[str, Any] = {"linkage": options.linkage, "overlap": options.overlap or None}
    if options.k == AUTO:
        method = make_method(options.method or "kmeans", **how)
        choice = choose_k(matrix, method, seed=seed, largest=options.max_k)
        return choice.spec, choice
    k = None if options.k is None else int(options.k)
    if k is None and options.method is not None:
        raise RelevanceError(f"--method {options.method} needs --k N, or --k auto to choose one.")
    if k is None and not has_families(matrix):
        raise RelevanceError(
            f"{name} names no families, so --k N must say how many clusters are wanted,"
            " or --k auto choose."
        )
    return cluster(matrix, k, method=options.method, seed=seed, **how), None


def draw(
    figures: GroupFigures,
    matrix: "RelevanceMatrix",
    spec: "ClusterSpec",
    choice: "ChoiceOfK | None",
) -> None:
    """Draw the figures that are wanted.

    Args:
        figures: Which, and where.
        matrix: What was grouped.
        spec: Its groups.
        choice: How their number was chosen, if it was.

    Raises:
        RelevanceError: If the groups have no such figure, or it cannot be written.
    """
    from relevance.figures.choice_of_k import choice_of_k
    from relevance.figures.consensus import consensus
    from relevance.figures.dendrogram import dendrogram
    from relevance.figures.figure import save_figure

    def keep(axes: "Axes", path: Path) -> None:
        save_figure(axes, path)
        note(f"wrote {path}")

    if figures.consensus is not None:
        keep(consensus(spec), figures.consensus)
    if figures.curve is not None and choice is not None:
        keep(choice_of_k(choice), figures.curve)
    if figures.dendrogram is not None:
        linkage = spec.provenance["linkage"]
        keep(dendrogram(matrix, len(spec.clusters), linkage=linkage), figures.dendrogram)

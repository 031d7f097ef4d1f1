"""`relevance cluster`: groups of the tasks of a matrix, what they rest on, and their figures."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import relevance
from cli.flags import in_flags
from cli.gains import GainOptions, MatrixArgument, load_gains, note_distrust, tell
from cli.generated import Given, SettingsOf
from cli.options import FIGURE, OutOption, SizeOptions
from cli.output import check_places, look, note, save, show
from relevance.errors import RelevanceError
from relevance.numerals import integer

if TYPE_CHECKING:
    from relevance.clustering.choose_k import ChoiceOfK
    from relevance.clustering.spec import ClusterSpec
    from relevance.clustering.worth import Worth
    from relevance.matrices.matrix import RelevanceMatrix

METHOD, AUTO = "Method", "auto"


def _k(text: str | None) -> Any:
    """A number of groups, `auto` or None."""
    number = None if text is None else integer(text)
    if text not in {None, AUTO} and number is None:
        raise typer.BadParameter(f"'{text}' is neither a whole number nor {AUTO}.")
    return text if number is None else number


def _figure(help_text: str) -> Any:
    return typer.Option(help=help_text, metavar="FILE", rich_help_panel=FIGURE)


def cluster(
    matrix: MatrixArgument,
    *,
    k: Annotated[
        str | None,
        typer.Option(
            "--k",
            help="Number of groups; auto: by silhouette and stability; none needed for a taxonomy.",
            metavar="N|auto",
            callback=_k,
            rich_help_panel=METHOD,
        ),
    ] = None,
    options: Annotated[
        Given, SettingsOf("relevance.clustering.settings:GroupingSettings", panel=METHOD)
    ],
    gains: GainOptions,
    style: SizeOptions,
    consensus: Annotated[
        Path | None, _figure("How often every two tasks are in one group under resampling.")
    ] = None,
    curve: Annotated[Path | None, _figure("--k auto: silhouette and stability over k.")] = None,
    dendrogram: Annotated[
        Path | None, _figure("--method agglomerative: which groups are merged.")
    ] = None,
    out: OutOption = None,
) -> None:
    """Group the tasks, by k-means on the raw rows or another method; say how stable that is.

    Example: relevance cluster paper:table3 --k 3 --out out.json
    """
    from cli.progress import StatusLine
    from relevance.clustering.cluster import cluster_and_choice
    from relevance.clustering.families import has_families
    from relevance.clustering.worth import group_worth

    if curve is not None and k != AUTO:
        raise RelevanceError("--curve goes with --k auto.")
    if dendrogram is not None and options.get("method") != "agglomerative":
        raise RelevanceError("--dendrogram goes with --method agglomerative.")
    looks = look(style, consensus, curve, dendrogram)
    check_places(out, figures=(consensus, curve, dendrogram))
    loaded, lines = load_gains(matrix, gains)
    if k is None and "method" not in options and not has_families(loaded):
        raise RelevanceError(
            f"{matrix} names no families, so --k N must say how many clusters are wanted,"
            " or --k auto choose."
        )
    if "subsets" in options:
        from relevance.clustering.measured_groups import read_measured_groups

        options["subsets"] = read_measured_groups(options["subsets"], loaded.tasks)
    with StatusLine():
        spec, choice = cluster_and_choice(loaded, k, **options)  # type: ignore[arg-type]  # made of text by `_k`
    spec = spec.made_from(matrix, loaded.measure)
    worth = group_worth(loaded, spec)
    spec = spec if worth is None else worth.kept_in(spec)
    if consensus is not None:
        save(relevance.consensus(spec, style=looks), consensus)
    if curve is not None and choice is not None:
        save(relevance.choice_of_k(choice, style=looks), curve)
    if dendrogram is not None:
        linkage = spec.provenance["linkage"]
        drawn = relevance.dendrogram(loaded, len(spec.clusters), linkage=linkage, style=looks)
        save(drawn, dendrogram)
    for line in _lines(loaded, spec, choice, worth):
        note(line) if out is None else show(in_flags(line))
    tell(loaded, lines)
    note_distrust(loaded)
    if out is None:
        show(spec.to_json())
    else:
        spec.save(out)


def _lines(
    matrix: "RelevanceMatrix",
    spec: "ClusterSpec",
    choice: "ChoiceOfK | None",
    worth: "Worth | None",
) -> Iterator[str]:
    """What there is to say of groups: which they are, what decides them, what they are worth."""
    from relevance.clustering.column_influence import deciding_columns
    from relevance.clustering.resting import resting_on
    from relevance.report.tables import table

    columns: set[str] = set()
    if choice is not None:
        yield f"{table(choice.rows(), 'markdown')}{choice}"
    for number, members in enumerate(spec.clusters):
        yield f"{spec.names[number] if spec.names else number}: {', '.join(members)}"
    if spec.inertia is not None:
        yield f"inertia: {spec.inertia:.4f}"
        deciding = deciding_columns(matrix, spec)
        columns = {*deciding.carrying, *deciding.changing}
        yield str(deciding)
    yield from spec.provenance.get("notes", ())
    if spec.stability is not None:
        yield str(spec.stability)
    if resting := resting_on(matrix, sorted(columns)):
        yield resting
    if worth is not None:
        yield table(worth.rows(), "markdown").rstrip("\n")
        yield from worth.lines()

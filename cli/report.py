"""`relevance report`: matrices, groups and scores of runs as one page to read and to mail."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import relevance
from cli.flags import in_flags
from cli.gains import load_gains
from cli.output import check_places, note
from cli.streams import begin_soon
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from relevance.matrices.matrix import RelevanceMatrix
    from relevance.report.page.content import RunScores


def report(
    matrices: Annotated[
        list[str],
        typer.Argument(
            help="Matrices, the one to begin with first; a folder among them is a run.",
            metavar="MATRIX ...",
        ),
    ],
    clusters: Annotated[
        Path | None, typer.Option(help="Groups of the tasks.", metavar="out.json")
    ] = None,
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            help="Trained runs, or folders of seeds, whose scores to show. Can be repeated.",
            metavar="DIR",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="Test the other runs against the run of this name.", metavar="NAME"),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the page.", metavar="TEXT")] = None,
    out: Annotated[
        Path, typer.Option(help="Page to write; report.md goes beside it.", metavar="FILE")
    ] = Path("report.html"),
) -> None:
    """One self-contained page: what not to trust, maps, groups, scores, cost, how it was made.

    It opens by double click, asks nothing of the network, and can be mailed as it is.

    Example: relevance report gains.json vocab.json --clusters out.json --out report.html
    """
    begin_soon()
    from cli.progress import StatusLine
    from relevance.report.page.build import lay_out
    from relevance.report.page.write import page_file, write_page
    from relevance.stages import counted

    text = page_file(out).with_suffix(".md")
    check_places(out, text)
    folders = [*(Path(name) for name in matrices if Path(name).is_dir()), *(runs or ())]
    files = [name for name in matrices if not Path(name).is_dir()]
    if not files:
        raise RelevanceError("A report takes at least one matrix, such as gains.json.")
    if baseline is not None and not folders:
        raise RelevanceError("`baseline` goes with runs. Name them: `runs`.")
    spec = None if clusters is None else relevance.ClusterSpec.load(clusters)
    with StatusLine():
        found = [load_gains(name, {})[0] for name in counted(files, "matrices read")]
        page = lay_out(
            found,
            files,
            clusters=spec,
            scores=_scores(folders, baseline) if folders else None,
            title=title,
            commands=[shlex.join(["relevance", *sys.argv[1:]])],
        )
        write_page(page.reworded(in_flags), out)
    note(f"wrote {out} and {text}")


def _scores(folders: list[Path], baseline: str | None) -> "RunScores":
    """The scores of runs as `hmnet compare` has them, and how the runs were made."""
    import hmnet
    from hmnet.comparison.origins import run_origins

    found = hmnet.TrainedRun.load_all(folders)
    return hmnet.compare(found, baseline=baseline).for_report(run_origins(found))


def page_beside(out: Path | None) -> Path | None:
    """Where the page of a study goes: beside its matrix, `gains.report.html` for `gains.json`."""
    return None if out is None else out.with_suffix(".report.html")


def report_study(matrix: "RelevanceMatrix", out: Path, page: Path) -> None:
    """Write the page of a matrix that was just measured.

    Args:
        matrix: The matrix.
        out: Its file.
        page: File of the page.
    """
    from relevance.report.page.build import lay_out
    from relevance.report.page.write import write_page

    commands = [shlex.join(["relevance", *sys.argv[1:]])]
    laid_out = lay_out([matrix], [str(out)], commands=commands)
    write_page(laid_out.reworded(in_flags), page)
    note(f"wrote {page}, and the same as text beside it: open it in a browser")

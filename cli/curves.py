"""The command `hmnet curves`: how runs went, as figures and tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import hmnet
from cli.model_options import RunsArgument
from cli.options import FigureOption, FormatOption, SizeOptions
from cli.output import check_places, look, note, save, show
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    import relevance
    from hmnet.analysis.curves import Curves
    from hmnet.runs.folder import Run

What = Literal["overview", "loss", "score", "uncertainty", "difficulty"]


def curves(
    folders: RunsArgument,
    style: SizeOptions,
    what: Annotated[
        What,
        typer.Option(
            help="overview: task mix, passes, uncertainty, scores; loss: training loss by task;"
            " score: primary metric on dev by task; uncertainty: normalised entropy by task;"
            " difficulty: that of the training rows, beside the mean entropy."
        ),
    ] = "overview",
    by: Annotated[
        Literal["step", "epoch"], typer.Option(help="Where scores stand, with --what score.")
    ] = "step",
    out: FigureOption = None,
    form: FormatOption = "markdown",
) -> None:
    """How a run went: task mix, passes over the rows, uncertainty, losses, scores of its epochs.

    Prints which share of each task's data was trained. Scores are there for runs that were trained
    with --checkpoint best or --patience, uncertainty for --sampler uncertainty or
    --log-uncertainty. Of several runs, or a folder of seeds, the figure shows medians over tasks, a
    colour per name. With --what loss, score or uncertainty it has a panel per task: the mean over
    the seeds of a name, with a band of one standard deviation. Losses are means over windows, 60 at
    most. --what difficulty is about classification tasks alone, and prints its own table.

    Example: hmnet curves multi/ hmnet/ --what score --out scores.pdf
    """
    from hmnet.analysis.curves import curves_of_all
    from hmnet.analysis.seeds import notes_on_seeds

    looks = look(style, out)
    if what not in {"overview", "difficulty"} and out is None:
        raise RelevanceError(f"--what {what} is a figure. Name its file: --out.")
    if by != "step" and what != "score":
        raise RelevanceError(f"--by {by} is for --what score; all else is known by step.")
    check_places(figures=(out,))
    runs = hmnet.TrainedRun.load_all(folders)
    found = list(zip(runs, curves_of_all(runs), strict=True))
    if what == "difficulty":
        _show_difficulty(found, out, looks, form)
    else:
        if out is not None:
            _draw([(run.config.label, each) for run, each in found], what, by, out, looks)
        _show_shares(found, form)
    for line in notes_on_seeds(runs) if out is not None or what == "difficulty" else []:
        note(line)


def _draw(
    found: "Sequence[tuple[str, Curves]]",
    what: Literal["overview", "loss", "score", "uncertainty"],
    by: Literal["step", "epoch"],
    out: Path,
    looks: "relevance.FigureStyle",
) -> None:
    from hmnet.figures.several_runs import runs_figure

    if what != "overview":
        save(hmnet.learning_curves(found, what, by=by, style=looks), out)
    elif len(found) > 1:
        save(runs_figure(found, looks), out)
    else:
        save(hmnet.curves_figure(found[0][1], style=looks), out)


def _show_shares(found: "Sequence[tuple[Run, Curves]]", form: str) -> None:
    """How much of each task's data each run trained."""
    from relevance.report.tables import table

    rows = [
        {**({"run": str(run.folder)} if len(found) > 1 else {}), **row}
        for run, each in found
        for row in each.table_rows()
    ]
    show(table(rows, form, decimals=1))


def _show_difficulty(
    found: "Sequence[tuple[Run, Curves]]",
    out: Path | None,
    looks: "relevance.FigureStyle",
    form: str,
) -> None:
    from hmnet.analysis.difficulty import note_on_left_out
    from relevance.report.tables import table

    sets = hmnet.difficulties(found)
    if out is not None:
        save(hmnet.difficulty_figure(sets, style=looks), out)
    show(table(sets.table_rows(), form, decimals=3))
    for line in filter(None, (*sets.remarks, note_on_left_out(sets.left_out))):
        note(line)

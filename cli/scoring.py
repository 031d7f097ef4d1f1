"""Commands of `hmnet` that score runs and set them side by side."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import hmnet
from cli.flags import in_flags
from cli.model_options import RunArgument, RunOnOptions, SplitOption
from cli.options import (
    CaptionOption,
    FigureOption,
    FileFormatOption,
    FormatOption,
    LabelOption,
    OutOption,
    SizeOptions,
)
from cli.output import check_places, deliver, look, note, save, show
from cli.streams import begin_soon
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from relevance.tasks.task import Task


LayoutOption = Annotated[
    str | None,
    typer.Option(
        help="Rows, columns and averages of a benchmark or of a paper's table, or your own: glue,"
        " superglue, table1, camtl, cs224n, aksoy-squad, aksoy-mnli, aksoy-concat, aksoy-probing.",
        metavar="NAME|FILE.toml",
        show_default="a row per task, a column per name",
    ),
]


def note_f1(tasks: Iterable["Task"], *, primary: bool = False) -> None:
    """Say which label F1 scores, where that is not plain from the task."""
    from relevance.tasks.overview import f1_labels

    for line in f1_labels(tasks, primary=primary):
        note(f"hmnet: note: {line}.")


def evaluate(
    folder: RunArgument,
    run_on: RunOnOptions,
    split: SplitOption = None,
    form: FormatOption = "markdown",
) -> None:
    """Scores per task and metric, the majority class beside them.

    Example: hmnet evaluate run/
    """
    from cli.progress import StatusLine

    splits = None if split is None else [split]
    with StatusLine():
        from hmnet.comparison.compare import compare as side_by_side

        runs = hmnet.TrainedRun.load_all([folder])
        scores = [score for one in runs for score in one.evaluate(splits=splits, **run_on)]
    show(in_flags(side_by_side(scores, every_metric=True).to_table(form)))
    note_f1(task for one in runs for task in one.tasks)


def compare(
    folders: Annotated[
        list[Path], typer.Argument(help="Runs; those of one --name are seeds.", metavar="RUN ...")
    ],
    baseline: Annotated[
        str | None,
        typer.Option(help="Test the others against the run of this name.", metavar="NAME"),
    ] = None,
    allow_different: Annotated[
        bool,
        typer.Option(
            "--allow-different",
            help="Test, average and set in bold scores of other rows or labels too, marked.",
        ),
    ] = False,
    layout: LayoutOption = None,
    form: FileFormatOption = None,
    out: OutOption = None,
    caption: CaptionOption = None,
    label: LabelOption = None,
    figure: FigureOption = None,
    *,
    style: SizeOptions,
) -> None:
    """A table like the paper's Table 1: mean and deviation over seeds, best per row in bold.

    Below the tasks and their average: deviation over all metrics, parameters, and the time of
    training. With --baseline each row is tested in pairs, tasks over seeds (t) and the average over
    tasks (Wilcoxon), and rows at or above the baseline are counted. The figure has the average over
    the number of tasks of the runs, a line per method. --layout takes what hmnet probe wrote too.

    Example: hmnet compare single/ multi/ hmnet/ --baseline single --format latex
    """
    begin_soon()
    from hmnet.figures.number_of_tasks import number_of_tasks_figure, trained_by
    from relevance.report.tables import floating, format_of

    shown, looks = format_of(form, out), look(style, figure)
    floating("", shown, caption=caption, label=label)  # refuses before runs are read
    check_places(out, figures=(figure,))
    if layout is not None:
        if figure is not None:
            raise RelevanceError(
                "--figure draws the table without --layout. Leave one of them out."
            )
        laid_out = hmnet.compare(
            folders, baseline=baseline, allow_different=allow_different, layout=layout
        )
        text = in_flags(laid_out.to_table(shown))
        deliver(floating(text, shown, caption=caption, label=label), out)
        _note_remarks(laid_out.comparison.remarks, shown)
        return
    runs = hmnet.TrainedRun.load_all(folders)
    compared = hmnet.compare(runs, baseline=baseline, allow_different=allow_different)
    axes = (
        None if figure is None else number_of_tasks_figure(compared, trained_by(runs), style=looks)
    )
    text = in_flags(compared.to_table(shown))
    deliver(floating(text, shown, caption=caption, label=label), out)
    _note_remarks(compared.remarks, shown)
    note_f1((task for one in runs for task in one.tasks), primary=True)
    if figure is not None and axes is not None:
        save(axes, figure)


def _note_remarks(remarks: Sequence[str], form: str) -> None:
    """Say on stderr what a table of a format has no room for."""
    for remark in remarks if form == "csv" else ():
        note(f"hmnet: note: {remark}")

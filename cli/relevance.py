"""`relevance`: which tasks help each other."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import relevance
from cli import clustering, inspection, matrices
from cli.app import AGAIN, goes_on, new_app, run
from cli.check_groups import check_groups
from cli.commands import command
from cli.estimate import estimate, taxonomy, vocab
from cli.flags import in_flags
from cli.gains import GainOptions, MatrixArgument, load_gains, tell
from cli.lists import only
from cli.options import (
    BarsOptions,
    CaptionOption,
    FigureOption,
    FileFormatOption,
    FormatOption,
    LabelOption,
    OutOption,
    SizeOptions,
    StyleOptions,
    TaskOption,
    TaskOptions,
)
from cli.output import check_places, deliver, look, note, save, show
from cli.pairwise import pairwise
from cli.report import report
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from hmnet.demo import Stage
    from relevance.jobs.job import Event

app = new_app("relevance", "Which NLU tasks help each other: measure it, group the tasks, draw it.")

DrawOption = Annotated[
    Path, typer.Option("--out", help="Figure to write: .pdf, .svg or .png.", metavar="FILE")
]


def main() -> None:
    """Entry point of `relevance`."""
    run(app, "relevance")


def tasks(
    chosen: TaskOptions,
    stats: Annotated[bool, typer.Option("--stats", help="Rows of each split (Table 4).")] = False,
    form: FormatOption = "markdown",
) -> None:
    """The catalogue: family, kind, metrics, licence, where the data comes from; sizes.

    Example: relevance tasks --stats --data-dir data/
    """
    from relevance.report.tables import table
    from relevance.tasks.data import DataOptions
    from relevance.tasks.find import catalogue
    from relevance.tasks.overview import overview, sizes

    found = relevance.find_tasks(chosen.pop("tasks", None) or list(catalogue()))
    if stats:
        rows = sizes(found, DataOptions(**chosen))
    else:
        rows = [{**row, "source": in_flags(row["source"])} for row in overview(found)]
    show(table(rows, form))


def prepare(chosen: TaskOptions) -> None:
    """Fetch tasks from the hub into data_cache/tasks, with uniform columns.

    Example: relevance prepare --tasks RTE,CB
    """
    from relevance.disk.files import begin_cache
    from relevance.tasks.find import PAPER_TASKS

    folder = chosen.get("data_dir") or begin_cache() / "tasks"
    with goes_on(AGAIN):
        for task in relevance.find_tasks(chosen.get("tasks", PAPER_TASKS)):
            for split in relevance.prepare_task(task, folder):
                show(str(split.path))
                note(f"relevance: note: {split}.")
    if limits := [f"--{name.replace('_', '-')}" for name in chosen if name.startswith("max_")]:
        note(f"relevance: note: {' and '.join(limits)} not used: all rows are kept.")


def heatmap(
    matrix: MatrixArgument,
    out: DrawOption,
    gains: GainOptions,
    style: StyleOptions,
    clusters: Annotated[
        Path | None, typer.Option(help="Draw tasks of a cluster together.", metavar="out.json")
    ] = None,
) -> None:
    """Heat map: row = source, column = target.

    Example: relevance heatmap paper:table3 --out table3.pdf --width 3.3 --vmax 20
    """
    looks = look(style, out)
    spec = None if clusters is None else relevance.ClusterSpec.load(clusters)
    check_places(figures=(out,))
    loaded, lines = load_gains(matrix, gains)
    save(relevance.heatmap(loaded, clusters=spec, style=looks), out)
    tell(loaded, lines)


def bars(
    matrix: MatrixArgument,
    task: TaskOption,
    out: DrawOption,
    gains: GainOptions,
    style: BarsOptions,
) -> None:
    """Influence of one task on the others and of the others on it (Figure 2).

    Example: relevance bars paper:table3 --task BoolQ --out boolq.pdf
    """
    name, looks = only(task, "--task"), look(style, out)
    check_places(figures=(out,))
    loaded, lines = load_gains(matrix, gains)
    axes, _ = relevance.bars(loaded, name, style=looks)
    save(axes, out)
    tell(loaded, lines)


def table(
    matrix: MatrixArgument,
    gains: GainOptions,
    form: FileFormatOption = None,
    out: OutOption = None,
    caption: CaptionOption = None,
    label: LabelOption = None,
) -> None:
    """A matrix as a table for a paper or a page, in percent.

    Example: relevance table paper:table3 --out table3.tex --label tab:gains
    """
    from relevance.report.tables import format_of

    shown = format_of(form, out)
    loaded, lines = load_gains(matrix, gains)
    deliver(relevance.matrix_table(loaded, shown, caption=caption, label=label), out)
    tell(loaded, lines)


def compare(
    style: SizeOptions,
    matrices: Annotated[
        list[str],
        typer.Argument(
            help="Two or more; with --reference one will do.", metavar="MATRIX MATRIX ..."
        ),
    ],
    reference: Annotated[
        str | None,
        typer.Option(help="Judge the others by this one, such as gains.", metavar="MATRIX"),
    ] = None,
    k: Annotated[
        int | None,
        typer.Option(
            "--k",
            help="Compare groups of k clusters; with --reference they are compared anyway.",
            show_default="with --reference its best silhouette",
        ),
    ] = None,
    form: FileFormatOption = None,
    out: OutOption = None,
    figure: FigureOption = None,
) -> None:
    """Rank correlation of the values off the diagonal, and agreement of the groups.

    With --reference one row per measure: also within targets, beside the ceiling that the noise of
    the reference sets, at finding negative pairs, and what the measure cost.

    Example: relevance compare paper:table2 --reference paper:table3 --figure scatter.pdf
    """
    from relevance.comparison.judging import different_names
    from relevance.report.comparison import comparison_table, remarks
    from relevance.report.tables import format_of
    from relevance.report.tables import table as as_table

    shown = format_of(form, out)
    if reference is None and figure is not None:
        raise RelevanceError("--figure draws matrices against a reference. Name it: --reference.")
    looks = look(style, figure)
    check_places(out, figures=(figure,))
    found = [load_gains(name, {})[0] for name in matrices]
    if reference is None:
        rows = [asdict(agreement) for agreement in relevance.compare(found, matrices, k)]
        if k is None:
            rows = [{key: row[key] for key in row if key != "adjusted_rand"} for row in rows]
        deliver(as_table(rows, shown), out)
        return
    judge, names = load_gains(reference, {})[0], different_names(found, matrices)
    comparison = relevance.compare_with(judge, found, names, k=k)
    deliver(in_flags(comparison_table(comparison, shown)), out)
    if shown == "csv":  # it has no room for them
        for remark in remarks(comparison):
            note(f"relevance: note: {remark}")
    if figure is not None:
        save(relevance.scatter(comparison, style=looks), figure)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything it makes.")] = Path("demo"),
) -> None:
    """The whole main job on eight generated tasks with planted relations, offline.

    Example: relevance demo --out demo/
    """
    from cli.progress import StudyLine
    from hmnet.demo import Stage, run_demo

    with StudyLine() as line:

        def on_event(event: "Event | Stage") -> None:
            if isinstance(event, Stage):
                line.say(event.text)
            else:
                line.on_event(event)

        with goes_on(AGAIN):
            result = run_demo(out, on_event=on_event)
    show(result.report())
    note(f"wrote {out}: read report.md first, then open report.html in a browser")


for each in (
    tasks,
    inspection.init,
    inspection.check,
    prepare,
    vocab,
    taxonomy,
    estimate,
    pairwise,
    matrices.merge,
    matrices.predict,
    clustering.cluster,
    heatmap,
    bars,
    table,
    compare,
    report,
    demo,
):
    command(app)(each)
command(app, "import")(matrices.import_runs)
command(app, "check-groups")(check_groups)

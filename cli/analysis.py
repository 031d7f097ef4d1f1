"""Commands of `hmnet` that look into trained runs, and `hmnet sweep`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import hmnet
from cli.app import AGAIN, goes_on, loading
from cli.lists import only, split_layers, split_names, split_numbers
from cli.model_options import (
    DeviceOption,
    FolderOption,
    RunArgument,
    RunOnOptions,
    RunsArgument,
    SplitOption,
    read_spec,
)
from cli.options import (
    ConfigOption,
    ConfusionOptions,
    FigureOption,
    FormatOption,
    GridOptions,
    SeedsOption,
    SizeOptions,
    TaskOption,
    TrainingOptions,
    settings,
)
from cli.output import check_places, deliver, look, note, save, show
from cli.streams import begin_soon
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from hmnet.analysis.covariance import Similarity
    from hmnet.figures.similarity import Beside


def diagnose(
    folder: RunArgument,
    out: FolderOption,
    run_on: RunOnOptions,
    style: ConfusionOptions,
    task: Annotated[
        list[str] | None,
        typer.Option(help="A task, or several.", metavar="RTE", show_default="all"),
    ] = None,
    split: SplitOption = None,
    figures: Annotated[
        Literal["pdf", "svg", "png"], typer.Option(help="Format of the figures.")
    ] = "pdf",
) -> None:
    """Confusion matrices with precision, recall and F1; scatter and residuals of regression tasks.

    DIR gets a figure per task and split, labels.csv, confusion.csv and regression.csv.

    Example: hmnet diagnose run/ --task RTE,STS-B --out diagnosis/
    """
    begin_soon()
    from cli.progress import StatusLine
    from hmnet.analysis.diagnosis import confusion_rows, label_rows, regression_rows
    from hmnet.figures.diagnosis import save_figures
    from relevance.disk.folders import alone
    from relevance.report.tables import table

    looks = look(style, out)
    check_places(out / "labels.csv")
    run = hmnet.load(folder)
    with StatusLine():
        names = split_names(task) if task else None
        found = hmnet.diagnose(run, tasks=names, split=split, **run_on)
    tables = {
        "labels": label_rows(found),
        "confusion": confusion_rows(found),
        "regression": regression_rows(found),
    }
    with alone(out):
        for name, rows in tables.items():
            if rows:
                deliver(table(rows, "csv"), out / f"{name}.csv")
        for path in save_figures(found, run, out, figures, looks):
            note(f"wrote {path}")
    for name in ("labels", "regression"):
        if tables[name]:
            show(table(tables[name], "markdown"))


def attention(
    first: Annotated[Path, typer.Argument(help="Such as a single-task run.", metavar="RUN1")],
    second: Annotated[Path, typer.Argument(help="Such as a co-trained run.", metavar="RUN2")],
    task: TaskOption,
    device: DeviceOption,
    style: GridOptions,
    split: Annotated[
        str | None, typer.Option(help="What is read.", show_default="the first that is scored")
    ] = None,
    max_rows: Annotated[
        int | None, typer.Option(help="Read the first N rows.", metavar="N", min=1)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File for the cosines: .json or .csv.", metavar="FILE")
    ] = None,
    heatmap: FigureOption = None,
) -> None:
    """Cosine of two runs' attention maps per layer and head, on the same inputs.

    Example: hmnet attention single/ run/ --task RTE --heatmap attention.pdf
    """
    begin_soon()
    from cli.progress import StatusLine
    from relevance.report.tables import table

    name, looks = only(task, "--task"), look(style, heatmap)
    if out is not None and out.suffix.lower() not in {".json", ".csv"}:
        raise RelevanceError(f"{out}: --out must end in .json or .csv.")
    check_places(out, figures=(heatmap,))
    runs = hmnet.load(first), hmnet.load(second)
    with StatusLine():
        found = hmnet.compare_attention(*runs, name, split=split, max_rows=max_rows, **device)
    if out is not None and out.suffix.lower() == ".csv":
        deliver(table(found.table_rows(), "csv"), out)
    elif out is not None:
        found.save(out)
        note(f"wrote {out}")
    if heatmap is not None:
        save(hmnet.attention_figure(found, style=looks), heatmap)
    show(table(found.table_rows(), "markdown", decimals=found.decimals))


def similarity(
    folders: RunsArgument,
    device: DeviceOption,
    style: SizeOptions,
    out: FigureOption = None,
    form: FormatOption = "markdown",
) -> None:
    """How alike the tasks' inputs of the first layer are, before training and after.

    Covariance similarity to the other tasks on dev, in the pretrained backbone and in the run. Of
    several runs of the same tasks, such as one of --method single and a joint one, the last one's
    gain in score over the first stands beside them.

    Example: hmnet similarity single/ run/ --out similarity.pdf
    """
    begin_soon()
    from hmnet.analysis.covariance import same_inputs_before
    from hmnet.figures.similarity import beside
    from hmnet.runs.rows import read_run_scores
    from hmnet.runs.scores import primary_on_dev
    from relevance.report.tables import table

    looks = look(style, out)
    check_places(figures=(out,))
    runs = hmnet.TrainedRun.load_all(folders)
    same_inputs_before(runs)
    each = [(run.config.label, hmnet.similarity(run, **device)) for run in runs]
    found: Similarity | Beside = each[0][1]
    if len(runs) > 1:
        scores = [
            primary_on_dev(read_run_scores(run.folder), run.tasks, run.folder) for run in runs
        ]
        found = beside(each, scores)
    if out is not None:
        save(hmnet.similarity_figure(found, style=looks), out)
    show(table(found.table_rows(), form, decimals=3))


def sweep(
    training: TrainingOptions,
    what: Annotated[
        Literal["shared", "mix"],
        typer.Option(
            help="shared: layers that all tasks share, the others being their own (Figure 3);"
            " mix: combinations of shared, cluster and task layers (Figure 4)."
        ),
    ],
    out: FolderOption,
    style: SizeOptions,
    clusters: Annotated[
        list[Path] | None,
        typer.Option(
            help="Which tasks share the middle layers; give several files for several lines.",
            metavar="out.json",
        ),
    ] = None,
    shared: Annotated[
        list[str] | None,
        typer.Option(
            help="Numbers of shared layers.", metavar="0,4,8", show_default="0 to all layers"
        ),
    ] = None,
    mix: Annotated[
        list[str] | None,
        typer.Option(
            help="A combination; give the option once for each.",
            metavar="X,Y,Z",
            show_default="from all layers shared to a third of each",
        ),
    ] = None,
    seeds: SeedsOption = None,
    config: ConfigOption = None,
    figure: Annotated[
        Path | None,
        typer.Option(help=".pdf, .svg or .png.", metavar="FILE", show_default="DIR/sweep.pdf"),
    ] = None,
    form: FormatOption = "markdown",
) -> None:
    """How many layers to share: a run per choice and seed, then a table and a figure.

    A sweep that is stopped goes on when it is called again; finished runs are used as they are.

    Example: hmnet sweep --what shared --tasks RTE,MRPC --seeds 0,1,2 --out sweep/
    """
    with loading():
        from cli.progress import RunsLines
        from hmnet.analysis.sweep import different_names, plan_sweep, run_sweep
        from hmnet.figures.sweep import specs_figure, sweep_figure
        from relevance.disk.folders import alone

    figure = figure or out / "sweep.pdf"
    looks = look(style, figure)
    check_places(figures=(figure,))
    chosen = settings(training, seeds=seeds, config=config)
    files: list[Path | None] = list(clusters) if clusters else [None]
    specs = {
        name: read_spec([file] if file else None) for name, file in different_names(files).items()
    }
    first = next(iter(specs.values()))
    if first is not None:
        chosen.setdefault("tasks", list(first.tasks))
    places = {name: out / name if len(specs) > 1 else out for name in specs}
    planned = {
        name: plan_sweep(
            what,
            {field: value for field, value in chosen.items() if field != "seeds"},
            places[name],
            spec=spec,
            seeds=chosen.get("seeds", (chosen.get("seed", 0),)),
            shared=split_numbers(shared, "--shared") if shared else None,
            mixes=[split_layers(text, "--mix") for text in mix or ()],
        )
        for name, spec in specs.items()
    }
    lines = RunsLines(sum(len(plan.runs) for plan in planned.values()))
    with alone(out), goes_on(AGAIN):
        compared = {name: run_sweep(plan, lines.watch) for name, plan in planned.items()}
        found = [(name, planned[name], compared[name]) for name in specs]
        for name, _, table in found:
            deliver(table.to_table("csv"), places[name] / "sweep.csv")
        if len(found) == 1:
            save(sweep_figure(*found[0][1:], style=looks), figure)
        else:
            save(specs_figure(found, style=looks), figure)
    for name, _, table in found:
        show(f"{name}:\n\n{table.to_table(form)}" if len(found) > 1 else table.to_table(form))

"""Commands of `hmnet` that look into trained runs, and `hmnet sweep`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.app import AGAIN, deliver, goes_on, loading, note, show
from cli.lists import only, split_layers, split_names, split_numbers
from cli.model_options import (
    DeviceOption,
    PrecisionOption,
    RunArgument,
    RunsArgument,
    read_spec,
)
from cli.options import (
    ConfigOption,
    FormatOption,
    SeedsOption,
    TrainingOptions,
    settings,
)
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from hmnet.analysis.covariance import Similarity
    from hmnet.figures.similarity import Beside
    from hmnet.runs.train import Note
    from hmnet.training.hooks.progress import Progress

FigureFormat = Annotated[
    Literal["pdf", "svg", "png"], typer.Option("--figures", help="Format of the figures.")
]


def diagnose(
    folder: RunArgument,
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.", metavar="DIR")],
    task: Annotated[
        list[str] | None,
        typer.Option(help="A task, or several.", metavar="RTE", show_default="all"),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Only this split.", show_default="dev and the further ones")
    ] = None,
    figures: FigureFormat = "pdf",
    precision: PrecisionOption = "fp32",
    device: DeviceOption = "auto",
) -> None:
    """Confusion matrices with precision, recall and F1; scatter and residuals of regression tasks.

    DIR gets a figure per task and split, labels.csv, confusion.csv and regression.csv.

    Example: hmnet diagnose run/ --task RTE,STS-B --out diagnosis/
    """
    from hmnet.analysis.diagnosis import confusion_rows, label_rows, regression_rows
    from hmnet.analysis.diagnosis import diagnose as diagnosed
    from hmnet.figures.diagnosis import save_figures
    from hmnet.runs.folder import load_run
    from relevance.disk.files import check_writable
    from relevance.disk.folders import alone
    from relevance.report.tables import table

    check_writable(out / "labels.csv")
    names = split_names(task) if task else None
    run = load_run(folder)
    found = diagnosed(run, tasks=names, split=split, precision=precision, device=device)
    tables = {
        "labels": label_rows(found),
        "confusion": confusion_rows(found),
        "regression": regression_rows(found),
    }
    with alone(out):
        for name, rows in tables.items():
            if rows:
                deliver(table(rows, "csv"), out / f"{name}.csv")
        for path in save_figures(found, run, out, figures):
            note(f"wrote {path}")
    for name in ("labels", "regression"):
        if tables[name]:
            show(table(tables[name], "markdown"))


def attention(
    first: Annotated[Path, typer.Argument(help="Such as a single-task run.", metavar="RUN1")],
    second: Annotated[Path, typer.Argument(help="Such as a co-trained run.", metavar="RUN2")],
    task: Annotated[list[str], typer.Option(help="A task of both runs.", metavar="RTE")],
    split: Annotated[
        str | None, typer.Option(help="What is read.", show_default="the first that is scored")
    ] = None,
    max_rows: Annotated[
        int | None, typer.Option(help="Read the first N rows.", metavar="N", min=1)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File for the cosines: .json or .csv.", metavar="FILE")
    ] = None,
    heatmap: Annotated[
        Path | None, typer.Option(help="Draw them: .pdf, .svg or .png.", metavar="FILE")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Cosine of two runs' attention maps per layer and head, on the same inputs.

    Example: hmnet attention single/ run/ --task RTE --heatmap attention.pdf
    """
    from hmnet.analysis.attention import compare_attention
    from hmnet.figures.attention import attention_figure
    from hmnet.runs.folder import load_run
    from relevance.figures.figure import check_format, save_figure
    from relevance.report.tables import table

    name = only(task, "--task") or ""
    if heatmap is not None:
        check_format(heatmap)
    if out is not None and out.suffix.lower() not in {".json", ".csv"}:
        raise RelevanceError(f"{out}: --out must end in .json or .csv.")
    runs = load_run(first), load_run(second)
    found = compare_attention(*runs, name, split=split, max_rows=max_rows, device=device)
    if out is not None and out.suffix.lower() == ".csv":
        deliver(table(found.table_rows(), "csv"), out)
    elif out is not None:
        found.save(out)
        note(f"wrote {out}")
    if heatmap is not None:
        save_figure(attention_figure(found), heatmap)
        note(f"wrote {heatmap}")
    show(table(found.table_rows(), "markdown", decimals=found.decimals))


def curves(
    folders: RunsArgument,
    out: Annotated[
        Path | None, typer.Option(help="Draw them: .pdf, .svg or .png.", metavar="FILE")
    ] = None,
    form: FormatOption = "markdown",
) -> None:
    """How a run went: task mix, passes over the rows, uncertainty, and scores of its epochs.

    Prints which share of each task's data was trained. Scores are there for runs that were trained
    with --checkpoint best or --patience, uncertainty for --sampler uncertainty or
    --log-uncertainty. Of several runs, or a folder of seeds, the figure shows medians over tasks, a
    colour per name.

    Example: hmnet curves run/ --out curves.pdf
    """
    from hmnet.analysis.curves import curves as read_curves
    from hmnet.figures.curves import curves_figure
    from hmnet.figures.several_runs import runs_figure
    from hmnet.trained_run import TrainedRun
    from relevance.figures.figure import check_format, save_figure
    from relevance.report.tables import table

    if out is not None:
        check_format(out)
    runs = TrainedRun.load_all(folders)
    found = [(run.config.label, read_curves(run)) for run in runs]
    if out is not None:
        save_figure(curves_figure(found[0][1]) if len(found) == 1 else runs_figure(found), out)
        note(f"wrote {out}")
    several = len(found) > 1
    rows = [
        {**({"run": str(run.folder)} if several else {}), **row}
        for run, (_, each) in zip(runs, found, strict=True)
        for row in each.table_rows()
    ]
    show(table(rows, form, decimals=1))


def similarity(
    folders: RunsArgument,
    out: Annotated[
        Path | None, typer.Option(help="Draw it: .pdf, .svg or .png.", metavar="FILE")
    ] = None,
    form: FormatOption = "markdown",
    device: DeviceOption = "auto",
) -> None:
    """How alike the tasks' inputs of the first layer are, before training and after.

    Covariance similarity to the other tasks on dev, in the pretrained backbone and in the run. Of
    several runs of the same tasks, such as one of --method single and a joint one, the last one's
    gain in score over the first stands beside them.

    Example: hmnet similarity single/ run/ --out similarity.pdf
    """
    from hmnet.analysis.covariance import same_inputs_before
    from hmnet.analysis.covariance import similarity as compare_inputs
    from hmnet.figures.similarity import beside, similarity_figure
    from hmnet.runs.rows import read_run_scores
    from hmnet.runs.scores import primary_on_dev
    from hmnet.trained_run import TrainedRun
    from relevance.figures.figure import check_format, save_figure
    from relevance.report.tables import table

    if out is not None:
        check_format(out)
    runs = TrainedRun.load_all(folders)
    same_inputs_before(runs)
    each = [compare_inputs(run, device=device) for run in runs]
    names = [run.config.label for run in runs]
    found: Similarity | Beside = each[0]
    if len(runs) > 1:
        scores = [
            primary_on_dev(read_run_scores(run.folder), run.tasks, run.folder) for run in runs
        ]
        found = beside(list(zip(names, each, strict=True)), scores)
    if out is not None:
        save_figure(similarity_figure(found), out)
        note(f"wrote {out}")
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
    out: Annotated[Path, typer.Option(help="Folder of the runs.", metavar="DIR")],
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
        from hmnet.analysis.sweep import different_names, plan_sweep, run_sweep
        from hmnet.figures.sweep import specs_figure, sweep_figure
        from relevance.disk.folders import alone
        from relevance.figures.figure import check_format, save_figure

    figure = figure or out / "sweep.pdf"
    check_format(figure)
    chosen = settings(training, seeds=seeds, config=config)
    files: list[Path | None] = list(clusters) if clusters else [None]
    specs = {name: read_spec(file) for name, file in different_names(files).items()}
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
            mixes=[layers for text in mix or () if (layers := split_layers(text, "--mix"))],
        )
        for name, spec in specs.items()
    }
    with alone(out), goes_on(AGAIN):
        compared = {name: run_sweep(plan, _shown) for name, plan in planned.items()}
        found = [(name, planned[name], compared[name]) for name in specs]
        for name, _, table in found:
            deliver(table.to_table("csv"), places[name] / "sweep.csv")
        axes = sweep_figure(*found[0][1:]) if len(found) == 1 else specs_figure(found)
        save_figure(axes, figure)
    note(f"wrote {figure}")
    for name, _, table in found:
        show(f"{name}:\n\n{table.to_table(form)}" if len(found) > 1 else table.to_table(form))


@contextmanager
def _shown(folder: Path) -> Iterator[Callable[["Progress | Note"], None]]:
    """A status line for the run in a folder."""
    from cli.progress import TrainingLine

    with TrainingLine(str(folder)) as line:
        yield line.on_event

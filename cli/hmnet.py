"""`hmnet`: the multi-task model that follows the clusters, next to its baselines."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import hmnet
from cli import analysis
from cli.add_task import add_task
from cli.app import RESUME, goes_on, loading, new_app, run
from cli.commands import command
from cli.curves import curves
from cli.flags import in_flags
from cli.generated import Given, SettingsOf
from cli.lists import only, split_names
from cli.model_options import (
    ClustersOption,
    FolderOption,
    ResumeOption,
    RunArgument,
    RunOnOptions,
    SplitOption,
    TasksOption,
    read_spec,
)
from cli.options import (
    CONFIG,
    DATA,
    CaptionOption,
    ConfigOption,
    FigureOption,
    FileFormatOption,
    FormatOption,
    LabelOption,
    OutOption,
    RunOptions,
    SeedsOption,
    SizeOptions,
    settings,
)
from cli.output import check_places, deliver, look, note, save, show, stream
from cli.pretrain import pretrain
from cli.probe import probe
from cli.push import push
from cli.streams import begin_soon
from cli.submit import submit
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from hmnet.settings.config import RunConfig
    from relevance.clustering.spec import ClusterSpec
    from relevance.tasks.task import Task

COUNTED = (
    *DATA,
    *(
        "backbone",
        "method",
        "layers",
        "skills",
        "pooling",
        "head",
        "concat",
        "max_length",
        "freeze",
    ),
)

LayoutOption = Annotated[
    str | None,
    typer.Option(
        help="Rows, columns and averages of a benchmark or of a paper's table, or your own: glue,"
        " superglue, table1, camtl, cs224n, aksoy-squad, aksoy-mnli, aksoy-concat, aksoy-probing.",
        metavar="NAME|FILE.toml",
        show_default="a row per task, a column per name",
    ),
]

app = new_app(
    "hmnet", "Train the model whose layers follow the clusters, score it, ask it, export it."
)


def main() -> None:
    """Entry point of `hmnet`."""
    run(app, "hmnet")


@command(app)
def train(
    given: RunOptions,
    out: FolderOption,
    clusters: ClustersOption = None,
    seeds: SeedsOption = None,
    config: ConfigOption = None,
    resume: ResumeOption = False,
    *,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only say what it would take, by a few steps of each task: time, memory, disk.",
        ),
    ] = False,
) -> None:
    """Train on every task's batches (Algorithm 1), score dev, and keep it all in a folder.

    Example: hmnet train --clusters out.json --data-dir data/ --backbone minilm --out run/
    """
    with loading():
        from cli.progress import TrainingLine
        from hmnet.comparison.compare import compare as side_by_side
        from hmnet.runs.checked import check_run
        from hmnet.runs.rows import read_run_scores
        from hmnet.runs.train import train_run
        from hmnet.training.launch import is_main_process

    chosen = settings(given, seeds=seeds, config=config)
    several = chosen.pop("seeds", None)
    runs = {out: chosen}
    if several is not None:
        runs = {out / f"seed-{seed}": {**chosen, "seed": seed} for seed in several}
    spec = read_spec(clusters)
    configs = {folder: _config(fields, spec) for folder, fields in runs.items()}
    for folder, each in configs.items():
        check_run(each, spec, folder, resume=resume)
    if dry_run:
        _show_cost(next(iter(configs.items())), spec, len(configs))
        return
    for folder, each in configs.items():
        with goes_on(RESUME), TrainingLine(str(folder)) as line:
            done = train_run(each, spec, folder, resume=resume, on_event=line.on_event)
        if is_main_process():
            if folder == next(reversed(configs)):
                _note_f1(done.tasks)
            note(f"wrote {folder}")
    if not is_main_process():
        return
    scores = [score for folder in runs for score in read_run_scores(folder)]
    show(in_flags(side_by_side(scores, every_metric=True).to_table("markdown")))


def _show_cost(run: tuple[Path, "RunConfig"], spec: "ClusterSpec | None", runs: int) -> None:
    """Show what a run would take, and as many like it."""
    from cli.plan import show_run_plan
    from cli.progress import StatusLine
    from hmnet.runs.plan import plan_run

    folder, config = run
    with StatusLine():
        plan = plan_run(config, spec, folder)
    show_run_plan(plan, runs)


def _config(fields: Given, spec: "ClusterSpec | None") -> "RunConfig":
    """Settings of a run, whose tasks are those of the clusters where none are named."""
    from hmnet.api import default_tasks
    from relevance.disk.files import validated

    return validated(hmnet.RunConfig, {"tasks": default_tasks(spec), **fields}, "settings")


def _note_f1(tasks: Iterable["Task"], *, primary: bool = False) -> None:
    """Say which label F1 scores, where that is not plain from the task."""
    from relevance.tasks.overview import f1_labels

    for line in f1_labels(tasks, primary=primary):
        note(f"hmnet: note: {line}.")


@command(app)
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
        from hmnet.runs.rows import note_on_changed

        runs = hmnet.TrainedRun.load_all([folder])
        found = {one.folder: one.evaluate(splits=splits, **run_on) for one in runs}
    scores = [score for own in found.values() for score in own]
    show(in_flags(side_by_side(scores, every_metric=True).to_table(form)))
    _note_f1(task for one in runs for task in one.tasks)
    for path, own in found.items():
        if said := note_on_changed(path, own):
            note(f"hmnet: note: {said}")


@command(app)
def predict(
    folder: RunArgument,
    task: TasksOption,
    run_on: RunOnOptions,
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input",
            help='Rows with the task\'s columns or {"text": [a, b]}: csv, tsv, json, jsonl, parquet'
            " or txt, .gz too; - for JSON lines on stdin.",
            metavar="in.jsonl",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="In place of --input: the rows of the task's own split, labelled or not.",
            metavar="test",
            show_default=False,
        ),
    ] = None,
    out: OutOption = None,
    form: Annotated[
        Literal["jsonl", "csv"],
        typer.Option("--format", help="JSON lines, or a table with a row per line."),
    ] = "jsonl",
    batch_size: Annotated[int, typer.Option(help="Lines at a time.", min=1)] = 32,
) -> None:
    """Labels and probabilities of lines or rows; for several tasks each shared layer runs once.

    With --split every task answers the rows of its own test, dev or train split, each with the
    number of the row; labels there, or what stands in their place, are not looked at.

    Example: hmnet predict run/ --task all --input in.jsonl
    """
    if (input_file is None) == (split is None):
        raise RelevanceError(
            f"Give {'' if split is None else 'one of both as '}the rows to answer: --input FILE, or"
            " --split test for those of the task's own."
        )
    if str(input_file) != "-":  # lines are waited for there
        begin_soon()
    from hmnet.evaluation.answers import CsvAnswers, json_answer

    trained = hmnet.load(folder)
    names = [known.name for known in trained.tasks] if task == ["all"] else split_names(task)
    wanted = trained.with_sources(list({t.name: t for t in map(trained.task, names)}.values()))
    if not wanted:
        raise RelevanceError("--task names no task. Give one of the run's, or all.")
    if split is not None and form == "csv":
        only([one.name for one in wanted], "--task, with --split and --format csv,")
    lay_out = CsvAnswers(len(wanted)) if form == "csv" else json_answer
    asked = {"batch_size": batch_size, **run_on}
    with ExitStack() as stack:
        if input_file is None:
            found = trained.stream_split(split or "", None if task == ["all"] else names, **asked)
        else:
            lines, where = stack.enter_context(_lines(input_file, wanted))
            typed = where == "stdin" and sys.stdin.isatty()
            found = trained.answers(lines, names, where=where, line_by_line=typed, **asked)
        write, advance = stack.enter_context(_sink(out)), stack.enter_context(_counting(out))
        for answer in found:
            for line in lay_out(answer):
                write(line)
            advance()


@command(app)
def export(
    folder: RunArgument,
    out: FolderOption,
    task: Annotated[
        list[str] | None,
        typer.Option(help="A task; several for onnx and torch.", metavar="RTE"),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All tasks of the run, in one file.")
    ] = False,
    form: Annotated[
        Literal["checkpoint", "onnx", "torch"],
        typer.Option("--format", help="What transformers, an ONNX runtime or torch.export loads."),
    ] = "checkpoint",
) -> None:
    """A task as a plain Hugging Face checkpoint, or tasks as one program, with the tokenizer.

    A program (onnx, torch) has one output per task and each layer that tasks share once; tasks.json
    beside it says how texts are encoded and what outputs mean.

    Example: hmnet export run/ --all --format onnx --out all-tasks/
    """
    names = split_names(task or [])
    if every == bool(names):
        raise RelevanceError("Give the tasks to export: --task RTE, or --all for every task.")
    if form == "checkpoint" and names:
        names = [only(names, "--task")]
    begin_soon()
    asked = None if every else names
    note(f"wrote {hmnet.load(folder).export(asked, out, format=form)}")


@command(app)
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
    _note_f1((task for one in runs for task in one.tasks), primary=True)
    if figure is not None and axes is not None:
        save(axes, figure)


def _note_remarks(remarks: Sequence[str], form: str) -> None:
    """Say on stderr what a table of a format has no room for."""
    for remark in remarks if form == "csv" else ():
        note(f"hmnet: note: {remark}")


@command(app)
def count(
    given: Annotated[Given, SettingsOf(CONFIG, COUNTED)], clusters: ClustersOption = None
) -> None:
    """Parameters overall and activated by each task, as JSON, without loading any weights.

    Beside them those of one backbone, those that the method puts into its layers, and how many are
    trained.

    Example: hmnet count --backbone bert-base/ --method hmnet --clusters out.json
    """
    from hmnet.backbones.backbone import load_config
    from hmnet.kinds._reading import check_concat, read_depth
    from hmnet.models.count import total
    from relevance.tasks.find import find_tasks

    spec = read_spec(clusters)
    config = _config(settings(given), spec)
    found = find_tasks(config.tasks)
    sharing = config.method.build(spec, config.layers, config.skills, max_length=config.max_length)
    if sharing.note:
        note(f"hmnet: note: {sharing.note}")
    config.head.check(config.pooling, found)
    backbone = load_config(config.backbone)
    check_concat(backbone, found, config.concat)
    parts = sharing.plans(found, read_depth(backbone, found, config.concat))
    counts = [
        hmnet.count_parameters(
            config.backbone,
            [task for task in found if task.name in part.tasks],
            part.plan,
            config.pooling,
            config.head,
            config.freeze,
            config.concat,
        )
        for part in parts
    ]
    show(json.dumps(total(counts)))


for each in (
    add_task,
    pretrain,
    probe,
    push,
    submit,
    analysis.diagnose,
    analysis.attention,
    curves,
    analysis.similarity,
    analysis.sweep,
):
    command(app)(each)


@contextmanager
def _lines(
    path: Path, tasks: "Sequence[Task]"
) -> Iterator[tuple[Iterable[bytes | Mapping[str, object]], str]]:
    """Lines of a file or of stdin as they come, or rows of a file, and how to name their place."""
    from hmnet.evaluation.lines import input_rows
    from relevance.tasks.read import COMPRESSED, FORMATS

    if str(path) == "-":
        yield sys.stdin.buffer, "stdin"
        return
    suffix = path.suffix.lower()
    if suffix != ".jsonl" and suffix in {*FORMATS, COMPRESSED}:
        yield input_rows(tasks, path), str(path)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise RelevanceError(f"{path} cannot be read: {error.strerror}.") from None
    with file:
        yield file, str(path)


@contextmanager
def _counting(out: Path | None) -> Iterator[Callable[[], None]]:
    """Counts answers on stderr where they go to a file; on stdout they show themselves."""
    from cli.progress import StatusLine
    from relevance.stages import stage

    if out is None:
        yield lambda: None
        return
    with StatusLine(), stage("answers written") as advance:
        yield advance


@contextmanager
def _sink(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Takes lines for stdout, or for a file that appears when all are there."""
    from relevance.disk.files import replacing

    if path is None:
        yield stream
        return
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield lambda line: print(line, file=file)
    note(f"wrote {path}")

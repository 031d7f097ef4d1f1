"""`relevance`: which tasks help each other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import AGAIN, deliver, goes_on, listed, new_app, note, run, show
from cli.clustering import GroupFigures, GroupingOptions, check, draw, group
from cli.commands import command
from cli.flags import in_flags
from cli.gains import GainOptions, load_gains, tell
from cli.generated import Given
from cli.lists import only
from cli.options import (
    CaptionOption,
    ConfigOption,
    FileFormatOption,
    FormatOption,
    LabelOption,
    SeedsOption,
    TaskOptions,
    TrainingOptions,
    settings,
)
from cli.study import PaperOption, ResourceOptions, StudyOptions

if TYPE_CHECKING:
    from hmnet.measuring.joint_trainer import JointTrainer
    from relevance.clustering.spec import ClusterSpec
    from relevance.interfaces.probe import Probe
    from relevance.jobs.job import Event, Schedule
    from relevance.matrices.matrix import RelevanceMatrix
    from relevance.measures.measure import Inputs
    from relevance.tasks.task import Task
    from relevance.text.token_vectors import TokenVectors

app = new_app("relevance", "Which NLU tasks help each other: measure it, group the tasks, draw it.")

MatrixArgument = Annotated[
    str,
    typer.Argument(
        help="A matrix: JSON, CSV with a header row and a first column of task names,"
        " paper:table2 or paper:table3.",
        metavar="MATRIX",
        show_default=False,
    ),
]
OutOption = Annotated[
    Path | None, typer.Option(help="File for the result; without it, stdout.", metavar="FILE")
]
TokenizerOption = Annotated[
    str, typer.Option(help="minilm, word, a file or folder, or a hub name.", metavar="NAME")
]
FigureOption = Annotated[
    Path, typer.Option(help="Figure to write: .pdf, .svg or .png.", metavar="FILE")
]


def main() -> None:
    """Entry point of `relevance`."""
    run(app, "relevance")


@command(app, "tasks")
def list_tasks(
    tasks: TaskOptions,
    stats: Annotated[bool, typer.Option("--stats", help="Rows of each split (Table 4).")] = False,
    form: FormatOption = "markdown",
) -> None:
    """The catalogue: family, kind, metrics, licence, where the data comes from; sizes.

    Example: relevance tasks --stats --data-dir data/
    """
    from relevance.report.tables import table
    from relevance.tasks.find import catalogue, find_tasks
    from relevance.tasks.overview import overview, sizes

    chosen = find_tasks(tasks.get("tasks") or list(catalogue()))
    if stats:
        rows = sizes(chosen, tasks.get("data_dir"))
    else:
        rows = [{**row, "source": in_flags(row["source"])} for row in overview(chosen)]
    show(table(rows, form))


@command(app)
def prepare(tasks: TaskOptions) -> None:
    """Fetch tasks from the hub into data_cache/tasks, with uniform columns.

    Example: relevance prepare --tasks RTE,CB
    """
    from relevance.disk.files import begin_cache
    from relevance.tasks.prepare import prepare_task

    folder = tasks.get("data_dir") or begin_cache() / "tasks"
    with goes_on(AGAIN):
        for task in _tasks(tasks.get("tasks")):
            for split in prepare_task(task, folder):
                show(str(split.path))
                note(f"relevance: note: {split}.")


@command(app)
def vocab(
    tasks: TaskOptions,
    out: OutOption = None,
    tokenizer: TokenizerOption = "bert-base-uncased",
    heatmap: Annotated[
        Path | None, typer.Option(help="Draw it as well: .pdf, .svg or .png.", metavar="FILE")
    ] = None,
) -> None:
    """Shared vocabulary: the share of the target's tokens that the source has too (eq. 2).

    Example: relevance vocab --tokenizer minilm --data-dir data/ --out vocab.json
    """
    from relevance.figures.figure import check_format
    from relevance.measures.measure import measure

    if heatmap is not None:
        check_format(heatmap)
    _check_places(out, heatmap)
    with _study(settings(tasks)) as (inputs, found):
        matrix = measure("vocabulary", found, inputs, tokenizer=tokenizer)
    _deliver(matrix, out)
    if heatmap is not None:
        _draw_heatmap(matrix, heatmap)


@command(app)
def taxonomy(
    tasks: TaskOptions,
    out: OutOption = None,
    graded: Annotated[
        bool, typer.Option("--graded", help="Count how closely two families are related.")
    ] = False,
) -> None:
    """The manual taxonomy: 1 within a family, 0 across, or graded over a tree of families.

    Example: relevance taxonomy --out taxonomy.json
    """
    from relevance.measures.measure import measure

    with _study(settings(tasks)) as (inputs, found):
        matrix = measure("taxonomy", found, inputs, graded=graded)
    _deliver(matrix, out)


@command(app)
def estimate(
    measure: Annotated[
        str,
        typer.Argument(
            help=f"One of {listed('relevance.measures')}.",
            metavar="MEASURE",
            show_default=False,
        ),
    ],
    training: TrainingOptions,
    out: OutOption = None,
    seeds: SeedsOption = None,
    config: ConfigOption = None,
    tokenizer: TokenizerOption = "bert-base-uncased",
    graded: Annotated[
        bool, typer.Option("--graded", help="taxonomy: count how closely families are related.")
    ] = False,
) -> int:
    """Any measure by name, most of them for a small share of what pairwise costs.

    Without an encoder: vocabulary, taxonomy, token-embedding. The encoder as it is: embedding.
    With a head: fisher. Trained on each task alone: logme, h-score. On all together, once:
    gradient-cosine, lookahead, linearised. And joint-training, as `relevance pairwise` does it.

    Example: relevance estimate embedding --backbone minilm --data-dir data/ --out m.json
    """
    from relevance.measures.measure import measure as measured
    from relevance.measures.measure import measures

    kept = measures().find(measure).keeps_jobs  # an unknown measure is told before tasks are
    _check_places(out)
    with (
        _study(settings(training, seeds=seeds, config=config)) as (inputs, found),
        goes_on(AGAIN if kept else ""),
    ):
        matrix = measured(measure, found, inputs, tokenizer=tokenizer, graded=graded)
    return _deliver(matrix, out)


@command(app)
def pairwise(
    training: TrainingOptions,
    resources: ResourceOptions,
    study: StudyOptions,
    out: OutOption = None,
    paper: PaperOption = False,
    seeds: SeedsOption = None,
    config: ConfigOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which jobs there are and what is cached.")
    ] = False,
) -> int:
    """Joint-training gains of every pair of tasks; the same command again resumes (eq. 4).

    Example: relevance pairwise --tasks RTE,CB,MRPC --data-dir data/ --backbone minilm
    """
    from cli.plan import show_plan
    from relevance.measures.joint_training import JointTraining

    _check_places(out)
    chosen = settings(training, seeds=seeds, config=config)
    with _study(chosen, study, resources, paper=paper) as (inputs, found):
        measure = JointTraining.build(inputs)
        _note_unpaired(chosen)
        if dry_run:
            show_plan(measure.plan(found), inputs.schedule())
            return 0
        with goes_on(AGAIN):
            matrix = measure.measure(found)
    return _deliver(matrix, out)


@command(app)
def merge(
    matrices: Annotated[
        list[str], typer.Argument(help="Matrices of one measure.", metavar="MATRIX MATRIX ...")
    ],
    out: OutOption = None,
) -> int:
    """One matrix of gains that were measured on several machines.

    Example: relevance merge node1.json node2.json --out gains.json
    """
    from relevance.matrices.matrix import load_matrix
    from relevance.matrices.merge import merge_matrices

    return _deliver(merge_matrices([load_matrix(name) for name in matrices], matrices), out)


@command(app)
def cluster(
    matrix: MatrixArgument,
    options: GroupingOptions,
    figures: GroupFigures,
    gains: GainOptions,
    out: OutOption = None,
    seed: Annotated[int, typer.Option(help="Of random starts and resampling.", min=0)] = 0,
) -> None:
    """Group the tasks, by k-means on the raw rows or another method; say how stable that is.

    Example: relevance cluster paper:table3 --k 3 --out out.json
    """
    from relevance.clustering.column_influence import deciding_columns
    from relevance.clustering.resting import resting_on
    from relevance.clustering.worth import group_worth
    from relevance.report.tables import table as as_table

    check(options, figures)
    loaded, lines = load_gains(matrix, gains)
    spec, choice = group(loaded, matrix, options, seed)
    spec = spec.made_from(matrix)
    worth = group_worth(loaded, spec)
    spec = spec if worth is None else worth.kept_in(spec)
    draw(figures, loaded, spec, choice)

    def say(text: str) -> None:
        note(text) if out is None else show(in_flags(text))

    columns: set[str] = set()
    if choice is not None:
        say(f"{as_table(choice.rows(), 'markdown')}{choice}")
    for number, members in enumerate(spec.clusters):
        say(f"{spec.names[number] if spec.names else number}: {', '.join(members)}")
    if spec.inertia is not None:
        say(f"inertia: {spec.inertia:.4f}")
        deciding = deciding_columns(loaded, spec)
        columns = {*deciding.carrying, *deciding.changing}
        say(str(deciding))
    for line in spec.provenance.get("notes", ()):
        say(line)
    if spec.stability is not None:
        say(str(spec.stability))
    if resting := resting_on(loaded, sorted(columns)):
        say(resting)
    if worth is not None:
        say(as_table(worth.rows(), "markdown").rstrip("\n"))
        for line in worth.lines():
            say(line)
    tell(loaded, lines)
    _note_distrust(loaded)
    if out is None:
        show(spec.to_json())
    else:
        spec.save(out)


@command(app)
def heatmap(
    matrix: MatrixArgument,
    out: FigureOption,
    gains: GainOptions,
    clusters: Annotated[
        Path | None, typer.Option(help="Draw tasks of a cluster together.", metavar="out.json")
    ] = None,
) -> None:
    """Heat map: row = source, column = target.

    Example: relevance heatmap paper:table3 --out table3.pdf
    """
    from relevance.clustering.spec import ClusterSpec

    spec = None if clusters is None else ClusterSpec.load(clusters)
    loaded, lines = load_gains(matrix, gains)
    _draw_heatmap(loaded, out, spec)
    tell(loaded, lines)


@command(app)
def bars(
    matrix: MatrixArgument,
    task: Annotated[list[str], typer.Option(help="The task that it is about.", metavar="RTE")],
    out: FigureOption,
    gains: GainOptions,
) -> None:
    """Influence of one task on the others and of the others on it (Figure 2).

    Example: relevance bars paper:table3 --task BoolQ --out boolq.pdf
    """
    from relevance.figures.bars import bars as draw
    from relevance.figures.figure import check_format, save_figure

    name = only(task, "--task") or ""
    check_format(out)
    loaded, lines = load_gains(matrix, gains)
    axes, _ = draw(loaded, name)
    save_figure(axes, out)
    tell(loaded, lines)


@command(app)
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
    from relevance.report.tables import format_of, matrix_table

    shown = format_of(form, out)
    loaded, lines = load_gains(matrix, gains)
    deliver(matrix_table(loaded, shown, caption=caption, label=label), out)
    tell(loaded, lines)


@command(app)
def compare(
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
    figure: Annotated[
        Path | None,
        typer.Option(
            help="Draw the matrices against the reference: .pdf, .svg or .png.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Rank correlation of the values off the diagonal, and agreement of the groups.

    With --reference one row per measure: also within targets, beside the ceiling that the noise of
    the reference sets, at finding negative pairs, and what the measure cost.

    Example: relevance compare paper:table2 --reference paper:table3 --figure scatter.pdf
    """
    from relevance.clustering.agreement import compare as compared
    from relevance.errors import RelevanceError
    from relevance.matrices.matrix import load_matrix
    from relevance.report.tables import format_of
    from relevance.report.tables import table as as_table

    shown = format_of(form, out)
    if reference is not None:
        return _compare_with(reference, matrices, k, shown, out, figure)
    if figure is not None:
        raise RelevanceError("--figure draws matrices against a reference. Name it: --reference.")
    agreements = compared([load_matrix(name) for name in matrices], matrices, k)
    rows = [asdict(agreement) for agreement in agreements]
    if k is None:
        rows = [{key: row[key] for key in row if key != "adjusted_rand"} for row in rows]
    return deliver(as_table(rows, shown), out)


def _compare_with(
    reference: str,
    files: list[str],
    k: int | None,
    form: str,
    out: Path | None,
    figure: Path | None,
) -> None:
    """Judge matrices by a reference: the table, what CSV has no room for as notes, the figure."""
    from relevance.comparison.judging import compare_with, different_names
    from relevance.figures.figure import check_format, save_figure
    from relevance.figures.scatter import scatter
    from relevance.matrices.matrix import load_matrix
    from relevance.report.comparison import comparison_table, remarks

    if figure is not None:
        check_format(figure)
    _check_places(out, figure)
    matrices = [load_matrix(name) for name in files]
    names = different_names(matrices, files)
    comparison = compare_with(load_matrix(reference), matrices, names, k=k)
    deliver(comparison_table(comparison, form), out)
    if form == "csv":
        for remark in remarks(comparison):
            note(f"relevance: note: {remark}")
    if figure is not None:
        save_figure(scatter(comparison), figure)
        note(f"wrote {figure}")


@command(app)
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
    note(f"wrote {out}: read report.md first, then look at gains.png")


def _tasks(names: Sequence[str] | None) -> tuple["Task", ...]:
    from relevance.tasks.find import PAPER_TASKS, find_tasks

    return find_tasks(PAPER_TASKS if names is None else names)


@contextmanager
def _study(
    given: Given,
    study: Given | None = None,
    resources: Given | None = None,
    *,
    paper: bool = False,
) -> Iterator[tuple["Inputs", tuple["Task", ...]]]:
    """Everything a measure may ask for, with a live line about the jobs of those that have jobs."""
    from cli.progress import StudyLine
    from relevance.errors import RelevanceError
    from relevance.gains.protocol import PAPER, RELIABLE, GainSettings
    from relevance.measures.measure import Inputs
    from relevance.tasks.data import DataOptions

    chosen = dict(given)
    device = chosen.pop("device", "auto")
    if device != "auto" and resources is not None:
        raise RelevanceError("--device is for one run. A study takes --gpus N or --jobs N.")
    seeds = chosen.pop("seeds", None) or (chosen.pop("seed", 0),)
    protocol = PAPER if paper else RELIABLE
    gains = GainSettings(
        **{
            "metric": protocol.metric,
            "gain_split": protocol.gain_split,
            "single_seeds": protocol.single_seeds(seeds),
            **(study or {}),
        }
    )
    found = _tasks(chosen.pop("tasks", None))

    def schedule() -> "Schedule":
        from hmnet.devices import resolve_schedule, schedule_on

        if device != "auto":
            return schedule_on(device)
        return resolve_schedule(**(resources or {}))

    def trainer() -> "JointTrainer":
        from hmnet.measuring.joint_trainer import make_trainer

        return make_trainer(
            found,
            chosen,
            device=schedule().devices[0],
            gain_split=gains.gain_split,
            drop_overlap=gains.drop_overlap,
        )

    def probe() -> "Probe":
        from hmnet.measuring.probe import EncoderProbe

        where = schedule()
        return EncoderProbe(trainer(), where.devices[0], where.threads)

    def token_vectors() -> "TokenVectors":
        from hmnet.backbones.token_vectors import read_token_vectors
        from hmnet.settings.config import RunConfig

        default = RunConfig.model_fields["backbone"].default
        return read_token_vectors(chosen.get("backbone", default))

    data_dir = chosen.get("data_dir")
    with StudyLine() as line:
        inputs = Inputs(
            data=DataOptions(
                None if data_dir is None else Path(data_dir),
                chosen.get("max_train"),
                chosen.get("max_dev"),
            ),
            token_vectors=token_vectors,
            trainer=trainer,
            probe=probe,
            seeds=seeds,
            schedule=schedule,
            on_event=line.on_event,
            **asdict(gains),
        )
        yield inputs, found


def _check_places(*files: Path | None) -> None:
    """Refuse places that cannot be written before any work is done for them."""
    from relevance.disk.files import check_writable

    for file in files:
        if file is not None:
            check_writable(file)


def _deliver(matrix: "RelevanceMatrix", out: Path | None) -> int:
    """Write a matrix and pass on its warnings; exit status 1 where jobs failed."""
    from relevance.report.trust import reliability_lines

    if out is None:
        show(matrix.to_json())
    else:
        matrix.save(out)
        note(f"wrote {out}")
    for warning in matrix.provenance.get("warnings", ()):
        note(f"relevance: note: {warning}")
    for line in reliability_lines(matrix):
        note(line)
    _note_distrust(matrix)
    failed = matrix.provenance.get("failed") or {}
    for job, error in failed.items():
        note(f"relevance: failed: {job}: {error}")
    if failed:
        note(f"relevance: {len(failed)} jobs failed; the same command runs them again.")
    return 1 if failed else 0


def _note_unpaired(chosen: Given) -> None:
    """Say where single and joint runs differ in more than company."""
    from hmnet.settings.config import TrainingSettings

    given = {name: value for name, value in chosen.items() if name == "sampler"}
    sampler = TrainingSettings(**given).sampler
    if not sampler.member.paired:
        note(
            f"relevance: note: with --sampler {sampler} a task can train more or fewer batches"
            " beside another than alone, and gains hold that too. --sampler packed trains the same"
            " ones in both."
        )


def _note_distrust(matrix: "RelevanceMatrix") -> None:
    """One line where groups made from a matrix should not be trusted."""
    from relevance.report.trust import distrust

    if line := distrust(matrix):
        note(f"relevance: note: {line}")


def _draw_heatmap(
    matrix: "RelevanceMatrix", path: Path, clusters: "ClusterSpec | None" = None
) -> None:
    from relevance.figures.figure import check_format, save_figure
    from relevance.figures.heatmap import heatmap as draw

    check_format(path)
    save_figure(draw(matrix, clusters=clusters), path)
    note(f"wrote {path}")

"""Commands of `relevance` that fill a matrix, by one measure or another."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import hmnet
import relevance
from cli.app import AGAIN, goes_on
from cli.completion import completes
from cli.flags import COLUMN
from cli.gains import GainOptions, MatrixArgument, load_gains, note_distrust, tell
from cli.generated import Given, SettingsOf
from cli.options import (
    CONFIG,
    ConfigOption,
    FigureOption,
    FileFormatOption,
    OutOption,
    SeedsOption,
    StyleOptions,
    TaskOptions,
    TrainingOptions,
    settings,
)
from cli.output import check_places, deliver, look, note, save, show
from cli.report import page_beside, report_study
from cli.streams import begin_soon
from relevance.errors import RelevanceError, told_of
from relevance.registry import members_of

if TYPE_CHECKING:
    from hmnet.measuring.joint_trainer import JointTrainer
    from relevance.budget.rounds import Budget
    from relevance.interfaces.probe import Probe
    from relevance.jobs.job import Schedule
    from relevance.matrices.matrix import RelevanceMatrix
    from relevance.measures.measure import Inputs
    from relevance.tasks.task import Task
    from relevance.text.token_vectors import TokenVectors

STUDY = "Study"
COLUMNS = "Names of columns"

TokenizerOption = Annotated[
    str, typer.Option(help="minilm, word, a file or folder, or a hub name.", metavar="NAME")
]
GradedOption = Annotated[
    bool, typer.Option("--graded", help="taxonomy: count how closely families are related.")
]

ResourcesOption = Annotated[Given, SettingsOf("relevance.jobs.resources:Resources", panel=STUDY)]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        help="Joint training there may be: a share of one seed's pairs, hours or runs, such as"
        " 30%, 4h or 200runs. Single runs come first, on top of it.  [default: every pair]",
        metavar="AMOUNT",
        show_default=False,
        rich_help_panel=STUDY,
    ),
]
AimOption = Annotated[
    str | None,
    typer.Option(
        "--for",
        help="What the budget is for: gains (the whole matrix), sources (the best ones of each"
        " target) or groups.  [default: gains]",
        metavar="AIM",
        show_default=False,
        rich_help_panel=STUDY,
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Only say which jobs there are and what is cached.")
]


def vocab(
    tasks: TaskOptions,
    style: StyleOptions,
    out: OutOption = None,
    tokenizer: TokenizerOption = "bert-base-uncased",
    heatmap: FigureOption = None,
) -> None:
    """Shared vocabulary: the share of the target's tokens that the source has too (eq. 2).

    Example: relevance vocab --tokenizer minilm --data-dir data/ --out vocab.json
    """
    looks = look(style, heatmap)
    check_places(out, figures=(heatmap,))
    with _study(settings(tasks)) as (inputs, found):
        matrix = relevance.measure("vocabulary", found, inputs, tokenizer=tokenizer)
    deliver_matrix(matrix, out)
    if heatmap is not None:
        save(relevance.heatmap(matrix, style=looks), heatmap)


def taxonomy(tasks: TaskOptions, out: OutOption = None, graded: GradedOption = False) -> None:
    """The manual taxonomy: 1 within a family, 0 across, or graded over a tree of families.

    Example: relevance taxonomy --out taxonomy.json
    """
    with _study(settings(tasks)) as (inputs, found):
        matrix = relevance.measure("taxonomy", found, inputs, graded=graded)
    deliver_matrix(matrix, out)


def estimate(
    measure: Annotated[
        str,
        typer.Argument(
            help=f"One of {', '.join(members_of('relevance.measures'))}.",
            metavar="MEASURE",
            show_default=False,
            autocompletion=completes(lambda: members_of("relevance.measures")),
        ),
    ],
    training: TrainingOptions,
    resources: ResourcesOption,
    out: OutOption = None,
    seeds: SeedsOption = None,
    config: ConfigOption = None,
    tokenizer: TokenizerOption = "bert-base-uncased",
    graded: GradedOption = False,
    share: Annotated[
        float | None,
        typer.Option(
            help="short-runs: share of each task's training rows.  [default: 0.25]",
            metavar="SHARE",
            show_default=False,
        ),
    ] = None,
    memory: Annotated[
        float | None,
        typer.Option(
            help="top-layers: outputs of frozen layers that workers hold in memory together, in"
            " GB; others stay in a file.  [default: 4]",
            metavar="GB",
            show_default=False,
        ),
    ] = None,
    budget: BudgetOption = None,
    aim: AimOption = None,
    *,
    dry_run: DryRunOption = False,
) -> int:
    """Any measure by name, most of them for a small share of what pairwise costs.

    Without an encoder: vocabulary, taxonomy, token-embedding. The encoder as it is: embedding.
    With a head: fisher. Trained on each task alone: logme, h-score, usable-information. On all
    together, once: gradient-cosine, lookahead, linearised. On every pair, as `relevance pairwise`
    trains them: joint-training; on a share of the rows: short-runs; over lower layers that are
    frozen (--freeze, two thirds of them by default) and run once a task: top-layers. Options under
    Study and --dry-run are for these three.

    Example: relevance estimate embedding --backbone minilm --data-dir data/ --out m.json
    """
    from relevance.measures.measure import measures

    kept = measures.find(measure).keeps_jobs  # an unknown measure is told before tasks are
    within = _budget(budget, aim)
    if not kept:
        given = {**resources, "budget": within, "dry_run": dry_run or None}
        _refuse_study(measure, given)
    only = {
        **_only_for(measure, "short-runs", "share", share),
        **_only_for(measure, "top-layers", "memory", memory),
    }
    check_places(out)
    chosen = settings(training, seeds=seeds, config=config)
    with _study(chosen, resources=resources or None) as (inputs, found):
        inputs = replace(inputs, tokenizer=tokenizer, graded=graded, budget=within, **only)
        if kept and _planned(measure, inputs, found, chosen, dry_run=dry_run):
            return 0
        with goes_on(AGAIN if kept else ""):
            matrix = relevance.measure(measure, found, inputs)
    return deliver_matrix(matrix, out)


def _refuse_study(measure: str, given: Given) -> None:
    """Refuse options of studies for a measure that has no jobs of its own."""
    for name, value in given.items():
        if value is not None:
            raise RelevanceError(
                f"--{name.replace('_', '-')} is for measures that train every pair: joint-training,"
                f" short-runs and top-layers; {measure} has no use for it."
            )


def _planned(
    name: str, inputs: "Inputs", tasks: "tuple[Task, ...]", chosen: Given, *, dry_run: bool
) -> bool:
    """Tell what gains of pairs should be known for, and with a dry run what there is to do."""
    from relevance.measures.joint_training import JointTraining
    from relevance.measures.measure import measures

    measure = measures.find(name).build(inputs)
    _note_unpaired(chosen)
    if not dry_run:
        return False
    from cli.plan import show_plan

    assert isinstance(measure, JointTraining)  # noqa: S101  the measures that keep jobs are these
    show_plan(measure.plan(tasks), inputs.schedule())
    return True


def _only_for(measure: str, owner: str, name: str, value: float | None) -> dict[str, Any]:
    """The setting of one measure where it is given, which means nothing to others."""
    if value is None:
        return {}
    if measure != owner:
        raise RelevanceError(f"--{name} is for {owner}; {measure} has no use for it.")
    return {name: value}


def pairwise(
    training: TrainingOptions,
    resources: ResourcesOption,
    study: Annotated[Given, SettingsOf("relevance.gains.protocol:GainSettings", panel=STUDY)],
    tracking: Annotated[Given, SettingsOf(CONFIG, ("tracker",), panel=STUDY)],
    out: OutOption = None,
    paper: Annotated[
        bool,
        typer.Option(
            "--paper",
            help="The paper's protocol: --metric gain, --gain-split dev, a single run per seed."
            " Options that are given win.",
            rich_help_panel=STUDY,
        ),
    ] = False,
    budget: BudgetOption = None,
    aim: AimOption = None,
    *,
    seeds: SeedsOption = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
) -> int:
    """Joint-training gains of every pair of tasks; the same command again resumes (eq. 4).

    With --out a page to read and to mail goes beside the matrix, gains.report.html for gains.json.

    Example: relevance pairwise --tasks RTE,CB,MRPC --data-dir data/ --backbone minilm
    """
    from hmnet.runs.tracker import check_tracker
    from relevance.measures.joint_training import JointTraining

    page = page_beside(out)
    check_places(out, page)
    check_tracker(tracking.get("tracker"))
    within = _budget(budget, aim)
    chosen = settings(training, seeds=seeds, config=config)
    with _study(chosen, study, resources, paper=paper) as (inputs, found):
        inputs = replace(inputs, budget=within)
        if _planned("joint-training", inputs, found, chosen, dry_run=dry_run):
            return 0
        with goes_on(AGAIN), _tracked(tracking, inputs, out) as on_finished:
            inputs = replace(inputs, on_finished=on_finished)
            matrix = JointTraining.build(inputs).measure(found)
    return deliver_matrix(matrix, out, page)


@contextmanager
def _tracked(tracking: Given, inputs: "Inputs", out: Path | None) -> Iterator[Any]:
    """Scores and gains of a study to a tracker, as the main process learns of them."""
    from hmnet.runs.tracker import open_tracker
    from relevance.studies.coming_gains import ComingGains
    from relevance.studies.study import single_run_seeds

    folder = Path("gains") if out is None else out.with_suffix("")
    with open_tracker(tracking.get("tracker"), folder, folder.name, on_cpu=True) as log:
        if log is None:
            yield None
            return
        seeds = single_run_seeds(inputs.seeds, inputs.single_seeds)
        yield ComingGains(inputs.choice, seeds, log)


def merge(
    matrices: Annotated[
        list[str], typer.Argument(help="Matrices of one measure.", metavar="MATRIX MATRIX ...")
    ],
    out: OutOption = None,
) -> int:
    """One matrix of gains that were measured on several machines.

    Example: relevance merge node1.json node2.json --out gains.json
    """
    found = [relevance.load_matrix(name) for name in matrices]
    return deliver_matrix(relevance.merge_matrices(found, matrices), out)


def predict(
    matrix: MatrixArgument,
    gains: GainOptions,
    estimates: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="A cheap estimate of the same cells; its weight is learned. Can be repeated.",
            metavar="MATRIX",
        ),
    ] = None,
    out: OutOption = None,
    seed: Annotated[int, typer.Option(help="Of the draws of parameters.", min=0)] = 0,
) -> int:
    """Every cell of a matrix as the measured ones tell it, and how sure that is.

    A cell is modelled by its target's level, its source's effect, an effect of the pair and the
    target's noise. Cells that nobody measured are predicted, and every command shows them in
    brackets.

    Example: relevance predict gains.json --with vocab.json --out expected.json
    """
    from relevance.comparison.judging import different_names
    from relevance.posterior.predict import summary

    check_places(out)
    loaded, lines = load_gains(matrix, gains)
    found = [relevance.load_matrix(name) for name in estimates or ()]
    names = different_names(found, estimates or [])
    with told_of(matrix):
        predicted = relevance.predict(loaded, found, names, seed=seed)
    status = deliver_matrix(predicted, out)
    for line in lines:
        note(f"relevance: note: {line}")
    for line in summary(predicted):
        note(line)
    return status


def check_groups(
    clusters: Annotated[
        list[Path],
        typer.Argument(help="Groups, as relevance cluster writes them.", metavar="out.json ..."),
    ],
    training: TrainingOptions,
    resources: ResourcesOption,
    study: Annotated[Given, SettingsOf("relevance.gains.protocol:GainSettings", panel=STUDY)],
    form: FileFormatOption = None,
    out: OutOption = None,
    *,
    seeds: SeedsOption = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
) -> int:
    """Train the groups of a spec, and print what their tasks gain beside what was predicted.

    Each task is trained alone and each group together, as pairwise does it and kept with its jobs.
    Metric and normalisation are those of the predicted gains. A CSV file of it is what
    relevance cluster --subsets learns from.

    Example: relevance check-groups out.json --data-dir data/ --seeds 0,1,2 --out groups.csv
    """
    from relevance.comparison.trained_groups import choice_of, groups_to_train, train_groups
    from relevance.measures.joint_training import JointTraining
    from relevance.report.tables import format_of, table
    from relevance.studies.group_runs import GroupRuns

    check_places(out)
    specs = [relevance.ClusterSpec.load(file) for file in clusters]
    chosen = settings(training, seeds=seeds, config=config)
    named = {task: None for spec in specs for task in spec.tasks}
    chosen.setdefault("tasks", list(named))
    given: Given = {name: study[name] for name in ("metric", "normalise") if name in study}
    choice = choice_of(specs, given)
    several = len(specs) > 1
    groups = [
        group
        for file, spec in zip(clusters, specs, strict=True)
        for group in groups_to_train(spec, str(file) if several else None)
    ]
    with _study({**chosen}, {**study, **asdict(choice)}, resources) as (inputs, found):
        of_specs = [task for task in found if task.name in named]
        for spec in specs:
            spec.check_known(task.name for task in found)
        measure = JointTraining.build(inputs)
        all_runs, schedule = measure.study(of_specs), inputs.schedule()
        if dry_run:
            from cli.plan import show_plan

            rounds = GroupRuns(tuple(frozenset(group.tasks) for group in groups))
            show_plan(all_runs.plan(rounds), schedule)
            return 0
        with goes_on(AGAIN):
            result = train_groups(
                all_runs, groups, choice, schedule=schedule, on_event=inputs.on_event
            )
    shown = format_of(form, out)
    deliver(table(result.table_rows(plain=shown == "csv"), shown), out)
    for line in result.lines():
        note(line)
    return _failures(result.failed, out, "the table")


def _column(help_text: str, option: str) -> Any:
    return typer.Option(option, help=help_text, metavar=COLUMN, rich_help_panel=COLUMNS)


def import_runs(
    runs: Annotated[
        Path, typer.Argument(help="csv, tsv or parquet: a row per run.", metavar="RUNS.csv")
    ],
    out: OutOption = None,
    setting: Annotated[
        str | None, typer.Option(help="Which model and way of training.", metavar="NAME")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="Which of a target's metrics.", metavar="NAME")
    ] = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Leave out scores outside what their metric can be.")
    ] = False,
    square: Annotated[
        bool, typer.Option("--square", help="Only tasks that are both a source and a target.")
    ] = False,
    *,
    source: Annotated[
        str, _column("The other task; joint runs: partner. Empty: the target alone.", "--source")
    ] = "source",
    target: Annotated[str, _column("The task scored; joint runs: task.", "--target")] = "target",
    seed: Annotated[str, _column("A whole number.", "--seed-column")] = "seed",
    score: Annotated[str, _column("A fraction; higher is better.", "--score")] = "score",
    baseline: Annotated[
        str, _column("Score of the target alone, if there is one.", "--baseline")
    ] = "baseline",
    metric_column: Annotated[
        str, _column("Name of the metric, if there is one.", "--metric-column")
    ] = "metric",
    setting_column: Annotated[
        str, _column("Name of the setting, if there is one.", "--setting-column")
    ] = "setting",
) -> int:
    """A matrix of runs that were made elsewhere, with their noise and reliability.

    With baselines the gains of eq. 4, without them scores less the mean of their target.

    Example: relevance import runs.csv --setting t5b --out t5b.json
    """
    begin_soon()
    from cli.progress import StatusLine
    from relevance.gains.reliability import between_seeds_by_target
    from relevance.matrices.imported import RunColumns

    check_places(out)
    columns = RunColumns(source, target, seed, score, baseline, metric_column, setting_column)
    with StatusLine():
        matrix = relevance.import_runs(
            runs, columns=columns, setting=setting, metric=metric, drop=drop, square=square
        )
    status = deliver_matrix(matrix, out)
    if matrix.reliability is not None and matrix.per_seed is not None:
        pooled = matrix.reliability["gain"]["within_target"]["between_seeds"]
        mean = between_seeds_by_target(matrix.per_seed)
        said = ["unknown" if r is None else f"{r:.2f}" for r in (pooled, mean)]
        note(
            f"{len(matrix.seeds)} seeds; two of them correlate within targets at {said[0]} over all"
            f" cells, at {said[1]} in the mean over targets"
        )
    return status


@contextmanager
def _study(
    given: Given, study: Given | None = None, resources: Given | None = None, *, paper: bool = False
) -> Iterator[tuple["Inputs", tuple["Task", ...]]]:
    """Everything a measure may ask for, with a live line about the jobs of those that have jobs."""
    from cli.progress import StudyLine
    from relevance.gains.protocol import GainSettings
    from relevance.jobs.asking import dismiss
    from relevance.measures.measure import Inputs
    from relevance.tasks.find import PAPER_TASKS

    chosen = dict(given)
    device = chosen.pop("device", "auto")
    if device != "auto" and resources is not None:
        raise RelevanceError("--device is for one run. A study takes --gpus N or --jobs N.")
    seeds = chosen.pop("seeds", None) or (chosen.pop("seed", 0),)
    gains = GainSettings.of(study or {}, seeds, paper=paper)
    found = relevance.find_tasks(chosen.pop("tasks", PAPER_TASKS))

    def schedule() -> "Schedule":
        from hmnet.devices import schedule_on

        if device != "auto":
            return schedule_on(device)
        return hmnet.resolve_schedule(**(resources or {}))

    def trainer() -> "JointTrainer":
        where = schedule()
        return hmnet.make_trainer(
            found,
            chosen,
            device=where.devices[0],
            gain_split=gains.gain_split,
            drop_overlap=gains.drop_overlap,
            schedule=where,
        )

    def probe() -> "Probe":
        probe_here = hmnet.EncoderProbe  # torch is loaded with it, so that no worker is asked
        where = schedule()
        return probe_here(trainer(), where.devices[0], where.threads)

    def token_vectors() -> "TokenVectors":
        default = hmnet.RunConfig.model_fields["backbone"].default
        return hmnet.read_token_vectors(chosen.get("backbone", default))

    data_dir = chosen.get("data_dir")
    with StudyLine() as line:
        inputs = Inputs(
            data=relevance.DataOptions(
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
        try:
            yield inputs, found
        finally:
            dismiss()  # where nothing is left to train, the worker that was asked about it


def deliver_matrix(matrix: "RelevanceMatrix", out: Path | None, page: Path | None = None) -> int:
    """Write a matrix, and its page where wanted; pass on warnings; exit status 1: jobs failed."""
    if out is None:
        show(matrix.to_json())
    else:
        matrix.save(out)
        note(f"wrote {out}")
        if page is not None:
            report_study(matrix, out, page)
    tell(matrix, matrix.provenance.get("warnings", ()))
    note_distrust(matrix)
    return _failures(matrix.provenance.get("failed"), out, "the matrix")


def _failures(failed: Mapping[str, str] | None, out: Path | None, what: str) -> int:
    """Exit status 1 and a line where jobs failed, else 0."""
    if not failed:
        return 0
    # Each was told when it failed; what is written holds their errors too.
    note(
        f"relevance: {len(failed)} jobs failed, as {out or what} says; the same command"
        " runs them again."
    )
    return 1


def _budget(amount: str | None, aim: str | None) -> "Budget | None":
    """The budget of a study, None where there is none."""
    if amount is None:
        if aim is not None:
            raise RelevanceError(
                "`for` says what a `budget` is spent on, and there is none. Give one, such as"
                " --budget 30%."
            )
        return None
    return relevance.Budget.of(amount, aim or "gains")


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

"""Commands of `hmnet` that train a run, or count what one would have."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import hmnet
from cli.app import RESUME, goes_on, loading
from cli.flags import in_flags
from cli.generated import Given, SettingsOf
from cli.model_options import ClustersOption, FolderOption, ResumeOption, read_spec
from cli.options import CONFIG, DATA, ConfigOption, RunOptions, SeedsOption, settings
from cli.output import note, show
from cli.scoring import note_f1

if TYPE_CHECKING:
    from hmnet.settings.config import RunConfig
    from relevance.clustering.spec import ClusterSpec


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
            help="Only say what it would take, by a few steps of each task: time, memory (on a CPU"
            " with the process, buffers and a checkpoint's copy), disk.",
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
    configs = {folder: config_of(fields, spec) for folder, fields in runs.items()}
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
                note_f1(done.tasks)
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


def config_of(fields: Given, spec: "ClusterSpec | None") -> "RunConfig":
    """Settings of a run, whose tasks are those of the clusters where none are named."""
    from hmnet.api import default_tasks
    from relevance.disk.files import validated

    return validated(hmnet.RunConfig, {"tasks": default_tasks(spec), **fields}, "settings")


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
    config = config_of(settings(given), spec)
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

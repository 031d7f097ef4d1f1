"""The command `relevance check-groups`: gains of groups, as they were predicted and as they are."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import relevance
from cli.app import AGAIN, goes_on
from cli.generated import Given, SettingsOf
from cli.matrix_output import failures
from cli.options import (
    ConfigOption,
    FileFormatOption,
    OutOption,
    SeedsOption,
    TrainingOptions,
    settings,
)
from cli.output import check_places, deliver, note
from cli.study import STUDY, DryRunOption, ResourcesOption, study_inputs


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
    clusters = list(dict.fromkeys(clusters))
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
    with study_inputs({**chosen}, {**study, **asdict(choice)}, resources) as (inputs, found):
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
    return failures(result.failed, out, "the table")

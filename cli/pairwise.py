"""The command `relevance pairwise`: gains of every pair of tasks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import AGAIN, goes_on
from cli.generated import Given, SettingsOf
from cli.matrix_output import deliver_matrix
from cli.options import CONFIG, ConfigOption, OutOption, SeedsOption, TrainingOptions, settings
from cli.output import check_places
from cli.report import page_beside
from cli.study import (
    STUDY,
    AimOption,
    BudgetOption,
    DryRunOption,
    ResourcesOption,
    budget_of,
    study_inputs,
    tell_plan,
)

if TYPE_CHECKING:
    from relevance.measures.measure import Inputs


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
    within = budget_of(budget, aim)
    chosen = settings(training, seeds=seeds, config=config)
    with study_inputs(chosen, study, resources, paper=paper) as (inputs, found):
        inputs = replace(inputs, budget=within)
        if tell_plan("joint-training", inputs, found, chosen, dry_run=dry_run):
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

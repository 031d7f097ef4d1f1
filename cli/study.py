"""What commands that fill a matrix share: options of a study, and what its measures are handed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import hmnet
import relevance
from cli.generated import Given, SettingsOf
from cli.output import note
from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from hmnet.measuring.joint_trainer import JointTrainer
    from relevance.budget.rounds import Budget
    from relevance.interfaces.probe import Probe
    from relevance.jobs.job import Schedule
    from relevance.measures.measure import Inputs
    from relevance.tasks.task import Task
    from relevance.text.token_vectors import TokenVectors


STUDY = "Study"
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


def tell_plan(
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


@contextmanager
def study_inputs(
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


def budget_of(amount: str | None, aim: str | None) -> "Budget | None":
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

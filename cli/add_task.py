"""`hmnet add-task`: new tasks on a trained run."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.app import RESUME, goes_on, loading, note, show, takes_groups
from cli.model_options import RunArgument
from cli.options import WeightOptions, settings, split_names


@takes_groups
def add_task(
    folder: RunArgument,
    tasks: Annotated[
        list[str],
        typer.Option(
            help="New ones: names from the catalogue, or TOML files with your own.",
            metavar="RTE,new.toml",
        ),
    ],
    training: WeightOptions,
    out: Annotated[Path, typer.Option(help="Folder of the new run.", metavar="DIR")],
    init: Annotated[
        str,
        typer.Option(
            help="Start as a copy of a task's own weights, or of the nearest one's; random: as in"
            " training; xavier, average: with another draw or the mean of task embeddings (camtl).",
            metavar="TASK|nearest|random|xavier|average",
        ),
    ] = "nearest",
    train: Annotated[
        Literal["new", "all"],
        typer.Option(
            help="The new tasks' own weights, or all, which changes what the old tasks answer."
        ),
    ] = "new",
    relevance: Annotated[
        Path | None,
        typer.Option(
            help="Says which tasks are near, and which cluster.",
            metavar="MATRIX",
            show_default="overlap of vocabularies",
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="The cluster to join, by number or by a member (hmnet).",
            metavar="N|TASK",
            show_default="the most relevant on average",
        ),
    ] = None,
    fraction: Annotated[
        float,
        typer.Option(
            help="Share of the training rows, one batch at least; 0: no training, with the head of"
            " the task it starts as, or a new one.",
            min=0.0,
            max=1.0,
        ),
    ] = 1.0,
    head: Annotated[
        list[str] | None,
        typer.Option(
            help="Heads of the new tasks.",
            metavar="NAME[,TASK=NAME]",
            show_default="the run's choice",
        ),
    ] = None,
    skills: Annotated[
        Path | None,
        typer.Option(
            help="A table with rows for the new tasks too (skillnet).",
            metavar="skills.toml",
            show_default="the run's",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the new tasks' files, as `hmnet train` takes it.",
            metavar="DIR",
            show_default="the run's",
        ),
    ] = None,
    max_train: Annotated[
        int | None,
        typer.Option(
            help="Training rows of each new task at most, before --fraction is taken of them.",
            metavar="N",
            min=1,
            show_default="the run's",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Column in comparisons.", show_default="the run's, + the new tasks"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was stopped.")] = False,
) -> None:
    """Add tasks to a trained run: the old ones answer as before, to the bit, unless --train all.

    Only the new tasks' own weights are trained: the head, and with hmnet the task layers, with
    camtl the task embedding. Settings are the run's unless given here; batches are packed.

    Example: hmnet add-task run/ --tasks new.toml --fraction 0.01 --out run2/
    """
    with loading():
        from cli.progress import TrainingLine
        from hmnet.api import add_tasks
        from hmnet.comparison.compare import compare
        from hmnet.runs.folder import runs_under
        from relevance.tasks.find import find_tasks

    given: dict[str, Any] = {
        "tasks": split_names(tasks),
        "init": init,
        "train": train,
        "relevance": relevance,
        "cluster": cluster,
        "fraction": fraction,
        "head": ",".join(head) if head else None,
        "skills": skills,
        "data_dir": data_dir,
        "max_train": max_train,
        "name": name,
    }
    chosen = settings(training)
    scores = []
    for found in runs_under(folder):
        target = out if found == folder else out / found.name
        with goes_on(RESUME), TrainingLine(str(target)) as line:
            grown = add_tasks(
                found,
                out=target,
                settings=chosen,
                resume=resume,
                on_event=line.on_event,
                **given,
            )
        note(f"wrote {target}")
        scores += grown.scores
    added = {task.name for task in find_tasks(given["tasks"])}
    new = [score for score in scores if score.task in added]
    show(compare(new, every_metric=True).to_table("markdown"))

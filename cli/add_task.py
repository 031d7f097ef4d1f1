"""`hmnet add-task`: new tasks on a trained run."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import RESUME, goes_on, loading, note, show
from cli.generated import Given, SettingsOf
from cli.model_options import RunArgument
from cli.options import CONFIG, ConfigOption, settings

ADDITION = "hmnet.settings.addition:Addition"


def add_task(
    folder: RunArgument,
    addition: Annotated[Given, SettingsOf(ADDITION)],
    training: Annotated[Given, SettingsOf(CONFIG, "hmnet.settings.addition:CHANGEABLE")],
    out: Annotated[Path, typer.Option(help="Folder of the new run.", metavar="DIR")],
    config: ConfigOption = None,
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

    chosen = settings(training, config=config)
    scores = []
    for found in runs_under(folder):
        target = out if found == folder else out / found.name
        with goes_on(RESUME), TrainingLine(str(target)) as line:
            extended = add_tasks(
                found,
                out=target,
                settings=chosen,
                resume=resume,
                on_event=line.on_event,
                **addition,
            )
        note(f"wrote {target}")
        scores += extended.scores
    added = {task.name for task in find_tasks(addition["tasks"])}
    new = [score for score in scores if score.task in added]
    show(compare(new, every_metric=True).to_table("markdown"))

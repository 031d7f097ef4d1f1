"""`hmnet add-task`: new tasks on a trained run."""

from typing import Annotated

from cli.app import RESUME, goes_on, loading
from cli.generated import Given, SettingsOf
from cli.model_options import FolderOption, ResumeOption, RunArgument
from cli.options import CONFIG, ConfigOption, settings
from cli.output import note, show

ADDITION = "hmnet.settings.addition:Addition"


def add_task(
    folder: RunArgument,
    addition: Annotated[Given, SettingsOf(ADDITION)],
    training: Annotated[Given, SettingsOf(CONFIG, "hmnet.settings.addition:CHANGEABLE")],
    out: FolderOption,
    config: ConfigOption = None,
    resume: ResumeOption = False,
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
        from hmnet.trained_run import TrainedRun

    chosen = settings(training, config=config)
    new = []
    for run in TrainedRun.load_all([folder]):
        target = out if run.folder == folder else out / run.folder.name
        with goes_on(RESUME), TrainingLine(str(target)) as line:
            extended = add_tasks(
                run, out=target, settings=chosen, resume=resume, on_event=line.on_event, **addition
            )
        note(f"wrote {target}")
        old = {task.name for task in run.tasks}
        new += [score for score in extended.scores if score.task not in old]
    show(compare(new, every_metric=True).to_table("markdown"))

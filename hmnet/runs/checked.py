"""Every check of a run that takes no time, before anything is read, trained or written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hmnet.backbones.backbone import load_config
from hmnet.devices import resolve_device
from hmnet.kinds._reading import check_concat, note_on_unreached, read_depth
from hmnet.methods._defaults import defaults_for
from hmnet.methods.method import ModelGroup
from hmnet.models.blueprint import Blueprint
from hmnet.runs.folder import CLUSTERS, CONFIG, PLAN, changed_fields, read_clusters
from hmnet.runs.tracker import check_tracker
from hmnet.settings.check import check
from hmnet.settings.config import RunConfig
from hmnet.sharing.skill_table import SkillTable
from relevance.clustering.spec import ClusterSpec
from relevance.disk.files import cache_dir, check_writable, read_toml
from relevance.errors import RelevanceError
from relevance.names import check_name
from relevance.tasks.find import find_tasks, settled_names
from relevance.tasks.task import Task


@dataclass(frozen=True)
class Checked:
    """What a run will be, after all checks that take no time.

    Attributes:
        config: Settled settings: they mean the same wherever they are read.
        spec: The clusters, None for methods that don't read them.
        tasks: Definitions, in the order of the settings.
        parts: What is trained, one after another.
        notes: Lines for the user, about settings that are the method's own and arguments that are
            not used.
    """

    config: RunConfig
    spec: ClusterSpec | None
    tasks: Sequence[Task]
    parts: Sequence[ModelGroup]
    notes: tuple[str, ...]


def check_run(
    config: RunConfig, spec: ClusterSpec | None, out: Path, *, resume: bool = False
) -> Checked:
    """Make every check that takes no time, so that a later run of several is not what fails.

    Args:
        config: The settings.
        spec: The clusters, for methods that read them; None when resuming takes the folder's.
        out: The run's folder; it must not exist unless resumed.
        resume: Whether the folder may hold a run of the same settings.

    Returns:
        What the run will be.

    Raises:
        RelevanceError: If settings and clusters don't fit, the name cannot be shown, or the folder
            exists, was begun with other settings or cannot be written.
    """
    tasks = find_tasks(config.tasks)
    config = _settled(config.resolved(resolve_device(config.device)), tasks)
    if config.name is not None:
        check_name(config.name, "`name`")
    if spec is None and resume and (out / CLUSTERS).is_file():
        spec = read_clusters(out)
    method = config.method.build(spec, config.layers, config.skills, max_length=config.max_length)
    backbone = load_config(config.backbone)
    check_concat(backbone, tasks, config.concat)
    parts = method.plans(tasks, read_depth(backbone, tasks, config.concat))
    check(config, tasks, parts)
    spec = spec if method.reads_clusters else None
    check_folder(config, spec, out, tasks if resume else None)
    check_writable(out / CONFIG)
    check_tracker(config.tracker)
    unreached = (note_on_unreached(backbone, tasks, config.concat, part.plan) for part in parts)
    notes = tuple(filter(None, (_set_by_method(config), method.note, *unreached)))
    return Checked(config, spec, tasks, parts, notes)


def _set_by_method(config: RunConfig) -> str | None:
    """One line about settings that have another default with the run's method, and have kept it."""
    kept = [
        f"`{name}={value if isinstance(value, int | float) else repr(str(value))}`"
        for name, value in defaults_for(config.method.name, config.tasks).items()
        if getattr(config, name) == value
    ]
    if not kept:
        return None
    own = f"Method '{config.method.name}' has defaults of its own: {', '.join(kept)}."
    return f"{own} Any that is given wins."


def _settled(config: RunConfig, tasks: Sequence[Task]) -> RunConfig:
    """The settings as the run's folder holds them: they mean the same wherever they are read."""
    data_dir = config.data_dir or (cache_dir() / "tasks").absolute()
    names = settled_names(config.tasks, tasks)
    skills = config.skills
    if skills is None and config.method.member.reads_skills:
        skills = SkillTable.load()
    return config.model_copy(update={"data_dir": data_dir, "tasks": names, "skills": skills})


def check_folder(
    config: RunConfig, spec: ClusterSpec | None, out: Path, resumed: Sequence[Task] | None
) -> None:
    """Refuse a folder that is in use, or is a run of other settings.

    Args:
        config: Settled settings.
        spec: The clusters, None for methods that don't read them.
        out: The run's folder.
        resumed: Definitions of the tasks, where it may be there already.

    Raises:
        RelevanceError: If it is there and is not to be resumed, or is not what would be.
    """
    if not out.exists() or (resumed and out.is_dir() and not any(out.iterdir())):
        return
    if resumed is None:
        raise RelevanceError(
            f"{out} exists. Go on with the run in it with `resume=True`, or give another `out`."
        )
    if not (out / CONFIG).is_file():
        raise RelevanceError(f"{out} is no run: it has no {CONFIG}. Give another `out`.")
    if has_old_loss(out, resumed):
        raise old_loss(out)
    config.check_resumes(RunConfig.of_run(out / CONFIG), out)
    check_definitions(out, resumed)
    if (
        spec is not None
        and (out / CLUSTERS).exists()  # older versions might be killed before they wrote it
        and read_clusters(out).clusters != spec.clusters
    ):
        raise RelevanceError(
            f"{out} was started with other clusters ({out / CLUSTERS})."
            " Resume with the same ones, or give another `out`."
        )


def has_old_loss(folder: Path, tasks: Sequence[Task]) -> bool:
    """Whether a run was begun when the squared errors of its regression tasks lay on [0, 1].

    Runs of older versions did not write `regression_loss` down. Their models answer in the same
    units as those of newer ones.

    Args:
        folder: The run's; it has a config.toml.
        tasks: The run's.

    Returns:
        False for runs without a regression task.

    Raises:
        RelevanceError: If the settings cannot be read.
    """
    if all(task.kind != "regression" for task in tasks):
        return False
    return "regression_loss" not in read_toml(folder / CONFIG)


def old_loss(folder: Path) -> RelevanceError:
    """The error for training that would go on from the old loss with the new one.

    Args:
        folder: What was begun under the old one.

    Returns:
        The error.
    """
    return RelevanceError(
        f"{folder} was begun by an older version, whose loss of regression tasks lay on [0, 1]; it"
        " is on a task's own scale now, so this would mix the two. Train anew with another `out`;"
        " evaluate, predict and export still read the run."
    )


def check_definitions(folder: Path, tasks: Sequence[Task]) -> None:
    """Refuse to go on with a run some of whose models were trained by other definitions.

    Args:
        folder: The run's folder, finished or not.
        tasks: The definitions of today.

    Raises:
        RelevanceError: If a task's rows or answers meant something else, or a file is damaged.
    """
    today = {task.name: task for task in tasks}
    for path in sorted((folder / "model").glob(f"**/{PLAN}")):
        for task in Blueprint.load(path).tasks:
            if task.name in today and (fields := changed_fields(task, today[task.name])):
                raise RelevanceError(
                    f"{folder} was started with another definition of task '{task.name}'"
                    f" ({', '.join(fields)}). Resume with the same one, or give another `out`."
                )

"""What a trained run becomes with further tasks: settings, clusters, plan, and their start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hmnet.devices import resolve_device
from hmnet.extension.placement import Placement, PlacementChooser
from hmnet.heads._choice import OTHERS, HeadChoice
from hmnet.methods.method import ModelGroup
from hmnet.methods.single import Single
from hmnet.runs.checked import has_old_loss, old_loss
from hmnet.runs.folder import DEFINITIONS, Run, read_clusters
from hmnet.settings.addition import CHANGEABLE, Addition
from hmnet.settings.check import check
from hmnet.settings.config import RunConfig
from hmnet.sharing.plan import SharingPlan
from relevance.clustering.assign import joined
from relevance.clustering.spec import ClusterSpec
from relevance.disk.files import validated
from relevance.errors import RelevanceError, unknown_name
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks, settled_names
from relevance.tasks.load import with_files
from relevance.tasks.task import Task


@dataclass(frozen=True)
class ExtensionPlan:
    """A run with further tasks, before anything is trained.

    Attributes:
        run: The trained run.
        addition: What is added.
        config: Settings of the new run, as its folder holds them: those that the old tasks were
            trained with.
        training: Settings that the new tasks are trained with.
        tasks: Definitions of the new tasks.
        placements: Where each of them goes, by name.
        spec: Clusters of old and new tasks; None where the method has none.
        plan: Sharing plan of old and new tasks.
    """

    run: Run
    addition: Addition
    config: RunConfig
    training: RunConfig
    tasks: tuple[Task, ...]
    placements: dict[str, Placement]
    spec: ClusterSpec | None
    plan: SharingPlan

    @property
    def data(self) -> DataOptions:
        """Where the new tasks' files are and how many rows of them are used."""
        limit = self.addition.max_train or self.config.max_train
        return replace(self.config.data, max_train=limit)


def plan_extension(
    run: Run, addition: Addition, settings: Mapping[str, Any], out: Path
) -> ExtensionPlan:
    """Choose a place for every new task, and check all that can be checked before training.

    Args:
        run: The trained run.
        addition: What is added.
        settings: Fields of `RunConfig` that the new tasks are trained with; the run's own for all
            others, except that batches are packed, nothing more is frozen and no surgery is done.
        out: Folder of the new run, which will hold definitions of tasks that are given a folder.

    Returns:
        The plan of it.

    Raises:
        RelevanceError: If the run was trained with another loss than there is now, its method has
            nothing to add to, a task is there already, a setting is one that the run has settled,
            or a choice does not fit the run.
    """
    if has_old_loss(run.folder, run.tasks):
        raise old_loss(run.folder)
    member = run.config.method.member
    if issubclass(member, Single):
        raise RelevanceError(
            f"{run.folder} has a model for each task, which share nothing that a new one could be"
            ' added to. Train the new one by itself with `hmnet train` and `method="single"`.'
        )
    if addition.cluster is not None and not member.reads_clusters:
        raise RelevanceError(
            f"`cluster` is for runs of method hmnet; '{run.config.method}' has no clusters. Leave"
            " it out."
        )
    tasks = find_tasks(addition.tasks)
    if addition.data_dir is not None:
        tasks = tuple(with_files(task, addition.data_dir) for task in tasks)
    _check_new(run, tasks)
    config = _config(run, addition, tasks, settings, out)
    training = _training(config, settings)
    (trained,) = run.blueprints.values()
    new = ModelGroup(tuple(task.name for task in tasks), trained.plan)
    check(training, [*run.tasks, *tasks], [new])
    spec = read_clusters(run.folder) if member.reads_clusters else None
    chooser = PlacementChooser(run, addition, config, spec, tasks)
    placements = {task.name: chooser.place(task) for task in tasks}
    if spec is not None:
        clusters = {name: placed.cluster for name, placed in placements.items()}
        spec = joined(spec, {name: n for name, n in clusters.items() if n is not None})
    plan = _plan(run, config, spec, tasks)
    return ExtensionPlan(run, addition, config, training, tasks, placements, spec, plan)


def _check_new(run: Run, tasks: Sequence[Task]) -> None:
    known = {task.slug for task in run.tasks}
    for task in tasks:
        if task.slug in known:
            raise RelevanceError(
                f"{run.folder} has a task '{task.name}' already. Give new ones with `tasks`, in a"
                " TOML file of their own."
            )


def _config(
    run: Run, addition: Addition, tasks: Sequence[Task], settings: Mapping[str, Any], out: Path
) -> RunConfig:
    """Settings of the new run; its seed is that of what is trained last."""
    names = settled_names(addition.tasks, tasks)
    if addition.data_dir is not None:
        names = (str((out / DEFINITIONS).absolute()),)
    fields = {
        "tasks": (*run.config.tasks, *names),
        "name": addition.label(run.config.label, [task.name for task in tasks]),
        "head": _heads(run.config.head, addition.head, tasks),
        "skills": addition.skills or run.config.skills,
        "seed": settings.get("seed", run.config.seed),
    }
    return validated(RunConfig, run.config.values() | fields, "settings")


def _heads(choice: HeadChoice, given: HeadChoice | None, tasks: Sequence[Task]) -> HeadChoice:
    """The run's choice of heads, and what is given for the new tasks."""
    if given is None:
        return choice
    chosen = given.names
    names = {task.name.lower(): task.name for task in tasks}
    for name in chosen:
        if name not in names.keys() | {OTHERS}:
            raise unknown_name("new task", name, names.values())
    new = (f"{names[n]}={chosen.get(n, chosen[OTHERS])}" for n in names)
    return HeadChoice.parse(",".join([choice.text, *new]))


def _training(config: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    for name in settings:
        if name not in CHANGEABLE:
            option = "--" + name.replace("_", "-")
            raise RelevanceError(
                f"{option} is the run's own and cannot be changed when tasks are added. Leave it"
                " out."
            )
    own = {"sampler": "packed", "freeze": "0", "surgery": None}
    before = config.values()
    if settings.get("optimizer", config.optimizer) != config.optimizer:
        del before["weight_decay"]  # its default goes by the optimizer
    trained = validated(RunConfig, before | own | dict(settings), "settings")
    return trained.resolved(resolve_device(trained.device))


def _plan(
    run: Run, config: RunConfig, spec: ClusterSpec | None, tasks: Sequence[Task]
) -> SharingPlan:
    """The method's plan for old and new tasks, in which the old ones must be where they were."""
    (trained,) = run.blueprints.values()
    method = config.method.build(spec, config.layers, config.skills, max_length=config.max_length)
    (part,) = method.plans([*trained.tasks, *tasks], trained.plan.depth)
    for task in trained.plan.tasks:
        if _row(part.plan, task) != _row(trained.plan, task):
            raise RelevanceError(
                f"`skills` gives '{task}' other skills than it was trained with. Keep the skills"
                " and the rows of the run's own tasks, and add rows for the new ones."
            )
    return part.plan


def _row(plan: SharingPlan, task: str) -> tuple[object, ...]:
    """All that a plan says about a task."""
    skills = plan.skills and (plan.skills.names, plan.skills.active[task])
    return plan.outside[task], plan.layers[task], skills

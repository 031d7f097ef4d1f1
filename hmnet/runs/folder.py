"""A trained run on disk, and all that can be asked of it without anything else."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from transformers import PreTrainedTokenizerBase

from hmnet.data.encoded import Encoded
from hmnet.data.tokenizer import read_tokenizer
from hmnet.models.blueprint import Blueprint
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import encode_split
from hmnet.settings.config import RunConfig
from hmnet.training.record import Timing, read_records
from relevance.clustering.spec import ClusterSpec
from relevance.disk.files import read_json, validated
from relevance.disk.manifest import check_file, check_files, note_changed, note_unchecked
from relevance.errors import RelevanceError, unknown_name
from relevance.names import some
from relevance.tasks.data import Split, TaskData
from relevance.tasks.find import diagnostic_sets, find_tasks
from relevance.tasks.load import load_task
from relevance.tasks.task import Task

CONFIG, CLUSTERS, SCORES, LOG = "config.toml", "clusters.json", "scores.csv", "log.jsonl"
RECORDS, CHECKPOINT, START = "training.json", "checkpoint", "start.json"
PLAN, PARTS, PARTS_SCHEMA = "plan.json", "parts.json", "hmnet.parts/1"
ADDED, ADDED_SCHEMA = "added.json", "hmnet.added/1"
DEFINITIONS = "added_tasks.toml"


# of a folder, no path
Name = Annotated[str, Field(pattern=r"^[^/\\\x00-\x1f]*[^/\\.\x00-\x1f][^/\\\x00-\x1f]*$")]


class _Parts(BaseModel):
    """What `parts.json` holds: names of folders below `model/`."""

    parts: tuple[Name, ...] = Field(min_length=1)


class _Addition(BaseModel):
    """What the code reads of an addition; the rest is for people."""

    model_config = ConfigDict(extra="allow")

    run: str
    tasks: dict[str, dict[str, Any]] = Field(min_length=1)
    fraction: float = Field(ge=0, le=1)
    settings: dict[str, Any]

    @field_validator("settings")
    @classmethod
    def _with_epochs(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(settings.get("epochs"), int):
            raise ValueError("`epochs` must be a whole number")
        return settings


class _Additions(BaseModel):
    """What `added.json` holds."""

    additions: tuple[_Addition, ...]


@dataclass(frozen=True)
class Run:
    """A run whose models are trained.

    Attributes:
        folder: Holds config.toml, scores.csv, log.jsonl, training.json, model/ and, for methods
            that read clusters, clusters.json. `model/` is one model, or has a folder for each and a
            parts.json that lists them in the order of training.
        config: The run's settings, paths absolute.
    """

    folder: Path
    config: RunConfig
    _models: dict[Path, MultiTaskModel] = field(default_factory=dict, repr=False, compare=False)
    _data: Mapping[str, TaskData] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r}, {some([self.config.label])})"

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """Definitions of the tasks as they were trained, but for where their data is."""
        return tuple(task for blueprint in self.blueprints.values() for task in blueprint.tasks)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The backbone's, as the run kept it."""
        folder = next(iter(self.blueprints))
        check_files(folder)
        return read_tokenizer(folder)

    def with_sources(self, tasks: Sequence[Task]) -> list[Task]:
        """Definitions of the run with what their files call the columns, where that is still known.

        Args:
            tasks: Definitions that `task` gives.

        Returns:
            The same definitions, with the `source` of those whose TOML file is still there.
        """
        try:
            found = {task.name: task.source for task in find_tasks(self.config.tasks)}
        except RelevanceError:  # a run answers without the files that it was trained on
            found = {}
        found |= {name: task.source for name, task in diagnostic_sets().items()}
        return [task.model_copy(update={"source": found.get(task.name)}) for task in tasks]

    def task(self, name: str) -> Task:
        """A task's definition by its name in any case.

        Args:
            name: Such as `RTE`; or a diagnostic set, such as `AX-b`, that one of the tasks answers.

        Returns:
            The definition; that of a diagnostic set has the labels of the task that answers it.

        Raises:
            RelevanceError: If the run has no such task.
        """
        known = (*self.tasks, *(answered for answered, _ in self.diagnoses.values()))
        for task in known:
            if task.name.lower() == name.lower():
                return task
        raise unknown_name("task", name, [task.name for task in known])

    @cached_property
    def diagnoses(self) -> dict[str, tuple[Task, Task]]:
        """Diagnostic sets of the catalogue by name, each with the run's task that answers it."""
        own = {task.name: task for task in self.tasks}
        found = {}
        for task in diagnostic_sets().values():
            hosts = [own[name] for name in task.diagnoses if name in own]
            hosts = [each for each in hosts if set(each.labels) == set(task.labels)]
            if hosts and task.name not in own:
                labels = {"labels": hosts[0].labels}
                found[task.name] = task.model_copy(update=labels), hosts[0]
        return found

    def with_data(self, data: Mapping[str, TaskData]) -> "Run":
        """The same run, which need not read its tasks' rows again.

        Args:
            data: By task, as the run's settings cut it.

        Returns:
            The run; it keeps the rows in memory.
        """
        return Run(self.folder, self.config, self._models, data)

    def timing(self) -> Timing | None:
        """What training took, all parts together.

        Returns:
            Seconds and rows; None for a run of an older version, which did not write them down.

        Raises:
            RelevanceError: If the file is damaged.
        """
        records = read_records(self.folder / RECORDS)
        if len(records) != len(self.blueprints):
            return None
        return Timing(sum(r.seconds for r in records), sum(r.examples for r in records))

    def model_for(self, task: str) -> MultiTaskModel:
        """The model that has a path for a task; the last one asked for stays in memory.

        Args:
            task: A name.

        Returns:
            The model, in evaluation mode; on the CPU, or where it was moved to since.

        Raises:
            RelevanceError: If the run has no such task, or its model is damaged.
        """
        asked = self.task(task).name
        wanted = self.diagnoses[asked][1].name if asked in self.diagnoses else asked
        for folder, blueprint in self.blueprints.items():
            if wanted in (known.name for known in blueprint.tasks) and folder not in self._models:
                self._models.clear()
                self._models[folder] = MultiTaskModel.from_pretrained(folder)
        (model,) = self._models.values()
        if asked != wanted:
            model.answers_too(asked, wanted)
        return model

    def data(self, task: str, *, also: Sequence[str] = ()) -> TaskData:
        """A task's training rows and what it is scored on, from where the run's settings say.

        Rows are read by the definition that the task was trained by, whatever a TOML file says
        about its labels or columns today.

        Args:
            task: A name.
            also: Further splits, such as `test`, as `relevance.tasks.load.load_task` takes them.

        Returns:
            The data.

        Raises:
            RelevanceError: If the run has no such task, it is defined no longer, the files are no
                longer there, or they don't fit the run's definition.
        """
        own = self.task(task)
        known = None if also else self._data.get(own.name)
        if known is not None and not changed_fields(own, known.task):
            return known
        data = load_task(self.located(own), self.config.data, also=also)
        if fields := changed_fields(own, self._today[own.name]):
            warnings.warn(
                f"task '{own.name}': {', '.join(fields)} changed since {self.folder} was trained;"
                " its rows are read as they were then.",
                stacklevel=2,
            )
        return data

    def encode(self, task: Task, split: Split) -> Encoded:
        """Rows of a task as the run's models read them.

        Args:
            task: A definition, of the run's or of a new task.
            split: The rows.

        Returns:
            The rows, from the cache where they were encoded before.
        """
        return encode_split(task, split, self.tokenizer, self.config.max_length)

    def located(self, task: Task) -> Task:
        """A task as it was trained, with where its data is today.

        Args:
            task: One of the run's.

        Returns:
            The definition.

        Raises:
            RelevanceError: If the task is defined no longer.
        """
        if task.name in self.diagnoses:
            return task
        if task.name not in self._today:
            raise RelevanceError(
                f"{self.folder / CONFIG}: task '{task.name}' is defined no longer in"
                f" {', '.join(self.config.tasks)}, which says where its data is."
            )
        return task.model_copy(update={"source": self._today[task.name].source})

    @cached_property
    def _today(self) -> dict[str, Task]:
        """What the settings' names and files define now."""
        return {task.name: task for task in find_tasks(self.config.tasks)}

    def additions(self) -> list[dict[str, Any]]:
        """What was added to the run it came from, the last addition at the end; none for most runs.

        Returns:
            As `hmnet.extension.add_task` writes them.

        Raises:
            RelevanceError: If the file is damaged.
        """
        if not (self.folder / ADDED).is_file():
            return []
        check_file(self.folder / ADDED)
        content = read_json(self.folder / ADDED, ADDED_SCHEMA)
        found = validated(_Additions, content, str(self.folder / ADDED)).additions
        return [addition.model_dump() for addition in found]

    @cached_property
    def blueprints(self) -> dict[Path, Blueprint]:
        """What each model folder holds, in the order of training."""
        model = self.folder / "model"
        folders = [model]
        check_file(model / PARTS)
        if (model / PARTS).exists():
            where = str(model / PARTS)
            parts = validated(_Parts, read_json(model / PARTS, PARTS_SCHEMA), where).parts
            folders = [model / name for name in parts]
        for folder in folders:
            check_file(folder / PLAN)
        return {folder: Blueprint.load(folder / PLAN) for folder in folders}


def read_clusters(folder: Path) -> ClusterSpec:
    """The clusters of a run.

    Args:
        folder: The run's; it has a clusters.json.

    Returns:
        The spec.

    Raises:
        RelevanceError: If the file is damaged.
    """
    check_file(folder / CLUSTERS)
    return ClusterSpec.load(folder / CLUSTERS)


def changed_fields(task: Task, other: Task) -> list[str]:
    """Where two definitions of a task would read rows or answers differently.

    Args:
        task: A definition.
        other: Another one of the same task.

    Returns:
        Names of fields, none where the definitions mean the same.
    """
    fields = [name for name in Task.model_fields if name not in {"source", "licence", "family"}]
    return [name for name in fields if getattr(task, name) != getattr(other, name)]


def load_run(folder: Path) -> Run:
    """Open a finished run.

    Args:
        folder: A folder that `hmnet train --out` wrote.

    Returns:
        The run; models are loaded when they are asked for.

    Raises:
        RelevanceError: If there is no run, or it is not finished.
    """
    if not (folder / CONFIG).is_file():
        if seeds := [path for path in folder.glob("seed-*") if (path / CONFIG).is_file()]:
            raise RelevanceError(
                f"{folder} holds {len(seeds)} runs, one for each seed. Give one of them, such as"
                f" {min(seeds)}."
            )
        raise RelevanceError(
            f"{folder} is no run: it has no {CONFIG}. Give a folder that `hmnet train` wrote."
        )
    if not (folder / SCORES).is_file():
        raise RelevanceError(
            f"{folder} is not finished. Go on with `hmnet train --config {folder / CONFIG}"
            f" --out {folder} --resume`."
        )
    note_unchecked(folder)
    note_changed(folder / CONFIG)
    return Run(folder, RunConfig.of_run(folder / CONFIG))


def runs_under(folder: Path) -> list[Path]:
    """The runs that a folder stands for.

    Args:
        folder: A run, or a folder with `seed-0/`, `seed-1/` and so on.

    Returns:
        Folders of runs, lowest seed first.

    Raises:
        RelevanceError: If there is none.
    """
    if (folder / CONFIG).is_file():
        return [folder]
    seeds = [run for run in folder.glob("seed-*") if (run / CONFIG).is_file()]
    if not seeds:
        raise RelevanceError(
            f"{folder} holds no run: neither {CONFIG} nor seed-0/. Give a folder that"
            " `hmnet train` wrote."
        )
    return sorted(seeds, key=lambda run: (len(run.name), run.name))

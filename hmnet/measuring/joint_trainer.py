"""The trainer that joint-training gains ask for: hard sharing, paired runs, held-out scores.

Torch is loaded where a trainer does something with a model, and not with this module.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Literal

from hmnet.settings.config import TrainingSettings
from relevance.disk.files import digest
from relevance.interfaces.trainer import Result
from relevance.jobs.asking import ask
from relevance.jobs.job import Schedule
from relevance.names import some
from relevance.tasks.data import DataOptions
from relevance.tasks.task import Task

if TYPE_CHECKING:
    from hmnet.prepared import PreparedTask

GainSplit = Literal["holdout", "dev"]
# raised when the same data and settings, or the default of one, would give other results
VERSION = 2
# the same for runs in which there is a regression task
REGRESSION_VERSION = 2
# the same for runs in which there is a cloze task, whose long passages are read in windows
CLOZE_VERSION = 2
# the same for runs in which there is a task with alternatives, whose large batches run in parts
PARTS_VERSION = 1
# the same for training over frozen layers
TOP_VERSION = 1


@dataclass(frozen=True)
class JointTrainer:
    """Trains tasks on one encoder and scores each; picklable, so that workers can have a copy.

    Runs are paired: with one seed a task has the same head weights, batches and number of steps in
    its single run and in every joint run, so that these differ in the company alone.

    Attributes:
        tasks: Definitions by name, of all tasks that may be asked for.
        data: Folder of the files and limits of rows.
        backbone: `minilm`, a folder, or a name on the hub.
        settings: Settings of training, the precision resolved.
        gain_split: Scored on `holdout`, taken from the training rows first, or on `dev`.
        drop_overlap: Leave out training rows that hold a text of another task's evaluation split.
        schedule: That of the study to come, whose first worker then answers for this process as
            long as torch is not loaded here; None where all is done here.
    """

    tasks: Mapping[str, Task]
    data: DataOptions
    backbone: str
    settings: TrainingSettings
    gain_split: GainSplit = "holdout"
    drop_overlap: bool = False
    schedule: Schedule | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"JointTrainer({some(list(self.tasks))}; {self.backbone}, {self.gain_split})"

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever results could, tasks and their rows and kinds aside."""
        surgery = self.settings.surgery
        return digest(
            {
                "trainer": "joint",
                "version": VERSION,
                # a setting that is added later leaves the results of older runs valid
                "settings": self.settings.model_dump(
                    include=set(TrainingSettings.model_fields) - {"regression_loss"},
                    exclude_defaults=True,
                ),
                "sampler_version": self.settings.sampler.member.version,
                "surgery_version": surgery and surgery.member.version,
                "gain_split": self.gain_split,
                "drop_overlap": self.drop_overlap,
                **_with_torch(self.schedule, "fingerprints", self),
            }
        )

    def fingerprint_of(self, tasks: tuple[str, ...]) -> str:
        """Fingerprint for runs of some tasks.

        Args:
            tasks: Names.

        Returns:
            The fingerprint itself, unless a regression task is among them: then that of its loss
            is in it too; so are the versions of a cloze task's windows and of the parts in which
            large batches of alternatives run.
        """
        kinds, own = {self.tasks[name].kind for name in tasks}, {}
        if "regression" in kinds:
            loss = {"regression": self.settings.regression_loss, "version": REGRESSION_VERSION}
            own["loss"] = loss
        if "cloze" in kinds:
            own["windows"] = {"version": CLOZE_VERSION}
        if kinds & {"cloze", "multiple-choice"}:
            own["parts"] = {"version": PARTS_VERSION}
        return digest({"trainer": self.fingerprint, **own}) if own else self.fingerprint

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        """Train one model on all tasks and score it on each, in fp32.

        Args:
            tasks: Names; one for a single run, two for a joint run.
            seed: Seed of heads, batches and dropout.
            device: Name such as `cpu` or `cuda:1`.

        Returns:
            A result for every task.

        Raises:
            RelevanceError: If data or backbone cannot be loaded, or a loss is not finite.
        """
        from hmnet.measuring.joint_runs import train_and_score

        return train_and_score(self, tasks, seed, device)

    def on_share(self, share: float) -> "JointTrainer":
        """The trainer on a share of each task's training rows.

        Args:
            share: Share in (0, 1] of the rows within `max_train`.

        Returns:
            Another trainer; the rows are in the fingerprints of data, and not in its own.
        """
        return replace(self, data=replace(self.data, share=share))

    def top_layers(self, memory_bytes: int) -> "TopLayersTrainer":
        """The trainer of what stands above frozen lower layers.

        Args:
            memory_bytes: Outputs of these layers that all workers may hold in memory together.

        Returns:
            A trainer with the same settings; where they freeze nothing, two thirds of the layers
            are frozen.

        Raises:
            RelevanceError: If other layers than the lowest are to be frozen, or all of them, or
                embeddings are asked for, as regularizers do, or inner layers, as tasks do of
                backbones with levels.
        """
        settings = _with_torch(self.schedule, "top_settings", self)
        workers = len(self.schedule.slots) if self.schedule else 1
        own = {each.name: getattr(self, each.name) for each in fields(JointTrainer)}
        return TopLayersTrainer(
            **{**own, "settings": settings}, memory_bytes=memory_bytes // workers
        )

    def unlearned(self, tasks: tuple[str, ...]) -> dict[str, str]:
        """Notes on training rows whose answers a model is not shown.

        Args:
            tasks: Names.

        Returns:
            A line for each task that has some.

        Raises:
            RelevanceError: If a task has no others, or data cannot be loaded.
        """
        lines: dict[str, str] = _with_torch(self.schedule, "unlearned", self, tasks)
        return lines

    def check_texts(self, texts: Mapping[str, Sequence[Sequence[str]]]) -> None:
        """Refuse tasks whose texts the backbone's tokenizer does not know.

        Args:
            texts: Columns of some training rows, by task name.

        Raises:
            RelevanceError: If most of a task's tokens are unknown.
        """
        _with_torch(self.schedule, "check_texts", self, texts)

    def peak_gpu_bytes(self, device: str) -> int:
        """Most bytes of a GPU such as `cuda:1` that this process had in use at a time."""
        import torch

        return torch.cuda.max_memory_allocated(device)

    def prepared(self, name: str) -> "PreparedTask":
        """A task with the rows that it is trained on and the split that it is scored on.

        Args:
            name: The task's.

        Returns:
            The task, its files read anew.

        Raises:
            RelevanceError: If its data cannot be loaded.
        """
        from hmnet.measuring.joint_runs import prepared

        return prepared(self, name)


@dataclass(frozen=True)
class TopLayersTrainer(JointTrainer):
    """Trains an encoder's upper layers and heads on what its frozen lower layers give.

    That is computed in fp32 and without dropout, once for each task, and kept in the cache for all
    jobs. Runs are those of a `JointTrainer` that has no dropout in the layers which it freezes.

    Attributes:
        memory_bytes: Outputs of lower layers that a worker holds in memory; others are read from a
            mapped file.
    """

    memory_bytes: int = field(default=0, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever results could; differs from that of full training."""
        return digest({"trainer": "top-layers", "version": TOP_VERSION, "of": super().fingerprint})

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        """Train one model on all tasks and score it on each, see `JointTrainer`.

        Args:
            tasks: Names; one for a single run, two for a joint run.
            seed: Seed of heads, batches and dropout.
            device: Name such as `cpu` or `cuda:1`.

        Returns:
            A result for every task.
        """
        from hmnet.measuring.joint_runs import train_top_layers

        return train_top_layers(self, tasks, seed, device)


def make_trainer(
    tasks: Sequence[Task],
    settings: Mapping[str, Any],
    *,
    device: str = "auto",
    gain_split: GainSplit = "holdout",
    drop_overlap: bool = False,
    schedule: Schedule | None = None,
) -> JointTrainer:
    """The trainer for the settings that a user has chosen.

    Args:
        tasks: Definitions of the tasks of the study.
        settings: Fields of `RunConfig`; what is left out has its default.
        device: Device of the jobs, which decides what `auto` precision means.
        gain_split: Scored on `holdout`, taken from the training rows first, or on `dev`.
        drop_overlap: Leave out training rows that hold a text of another task's evaluation split.
        schedule: That of the study to come, see `JointTrainer`. Whoever gives one calls
            `relevance.jobs.asking.dismiss` in the end, for a study that has nothing to train.

    Returns:
        The trainer.

    Raises:
        RelevanceError: If a setting is unknown, out of range or not for a study, or the backbone
            cannot be loaded, has fewer layers than are to be frozen, or reads no inputs of that
            length.
    """
    data, backbone, training = _with_torch(schedule, "read_settings", tasks, settings, device)
    named = {task.name: task for task in tasks}
    return JointTrainer(named, data, backbone, training, gain_split, drop_overlap, schedule)


def _with_torch(schedule: Schedule | None, name: str, *arguments: Any) -> Any:
    """What a function of `joint_runs` gives: by a worker, unless torch is loaded here anyway."""
    place = f"hmnet.measuring.joint_runs:{name}"
    if schedule is None or schedule.engine != "local" or "torch" in sys.modules:
        return resolve_name(place)(*arguments)
    return ask(schedule, place, *arguments)

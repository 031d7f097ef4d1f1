"""The trainer that joint-training gains ask for: hard sharing, paired runs, held-out scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import combinations
from re import sub
from typing import Any, Literal

import torch
from transformers import PreTrainedTokenizerBase

from hmnet.backbones.backbone import Backbone, depth_of, load_backbone, load_config
from hmnet.backbones.folder import resolve_backbone
from hmnet.data.batching import check_max_length
from hmnet.data.encoder import Encoder
from hmnet.data.tokenizer import read_tokenizer
from hmnet.evaluation.evaluate import evaluate
from hmnet.kinds.kind import OutputKind, kind_of
from hmnet.measuring.drop_overlap import overlapping_rows, without_rows
from hmnet.methods.method import ModelGroup
from hmnet.models.build import build_model
from hmnet.models.freezing import trains_together
from hmnet.models.trial import check_reading
from hmnet.prepared import PreparedTask, check_texts, lengths_of, prepare
from hmnet.regularizers.regularizer import make_regularizer
from hmnet.settings.check import check
from hmnet.settings.config import RunConfig, TrainingSettings
from hmnet.sharing.plan import fully_shared
from hmnet.training.fit import fit, make_schedule
from relevance.disk.files import digest, validated
from relevance.errors import RelevanceError
from relevance.interfaces.trainer import Result
from relevance.names import some
from relevance.tasks.data import DataOptions
from relevance.tasks.load import load_task
from relevance.tasks.task import Task

GainSplit = Literal["holdout", "dev"]
# raised when the same data and settings, or the default of one, would give other results
VERSION = 2
# the same for runs in which there is a regression task
REGRESSION_VERSION = 2
# of transformers, when results were first kept: it is in their keys
KEPT_VERSION = "5.23.0"


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
    """

    tasks: Mapping[str, Task]
    data: DataOptions
    backbone: str
    settings: TrainingSettings
    gain_split: GainSplit = "holdout"
    drop_overlap: bool = False

    def __repr__(self) -> str:
        return f"JointTrainer({some(list(self.tasks))}; {self.backbone}, {self.gain_split})"

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever results could, tasks and their rows and kinds aside."""
        regularizer = make_regularizer(self.settings.regularizer)
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
                "regularizer_version": regularizer and regularizer.version,
                "surgery_version": surgery and surgery.member.version,
                "backbone": weights_digest(_backbone(self.backbone, 0)),
                "tokenizer": Encoder.of(_tokenizer(self.backbone)).fingerprint,
                "gain_split": self.gain_split,
                "drop_overlap": self.drop_overlap,
            }
        )

    def fingerprint_of(self, tasks: tuple[str, ...]) -> str:
        """Fingerprint for runs of some tasks.

        Args:
            tasks: Names.

        Returns:
            The fingerprint itself, unless a regression task is among them: then that of its loss
            is in it too.
        """
        if all(self.tasks[name].kind != "regression" for name in tasks):
            return self.fingerprint
        loss = {"regression": self.settings.regression_loss, "version": REGRESSION_VERSION}
        return digest({"trainer": self.fingerprint, "loss": loss})

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
        prepared = {
            name: _kept(self.tasks[name].model_dump_json(), *self._reading) for name in tasks
        }
        epochs = make_schedule(self.settings, lengths_of(prepared.values()), seed)
        if self.drop_overlap:
            overlapping = {
                name: prepared[name].train.encoded.sequences_of(rows)
                for name, rows in overlapping_rows(prepared).items()
            }
            epochs = without_rows(epochs, overlapping)
        backbone, together = _backbone(self.backbone, seed), list(prepared.values())
        plan = fully_shared(tasks, backbone.depth)
        model = build_model(backbone, together, plan, self.settings, seed=seed, device=device)
        fit(model, together, epochs, self.settings, seed)
        rows = self.settings.batch_size
        return {
            task.name: evaluate(model, task.definition, task.held_out, batch_size=rows)
            for task in together
        }

    def unlearned(self, tasks: tuple[str, ...]) -> dict[str, str]:
        """Notes on training rows whose answers a model is not shown.

        Args:
            tasks: Names.

        Returns:
            A line for each task that has some.

        Raises:
            RelevanceError: If a task has no others, or data cannot be loaded.
        """
        lines = {}
        for name in tasks:
            kind = kind_of(self.tasks[name])
            if type(kind).unlearned is OutputKind.unlearned:
                continue  # each row has one answer, which is shown
            if line := kind.unlearned(self.prepared(name).train.encoded):
                lines[name] = line
        return lines

    def check_texts(self, texts: Mapping[str, Sequence[Sequence[str]]]) -> None:
        """Refuse tasks whose texts the backbone's tokenizer does not know.

        Args:
            texts: Columns of some training rows, by task name.

        Raises:
            RelevanceError: If most of a task's tokens are unknown.
        """
        tokenizer = _tokenizer(self.backbone)
        for name, columns in texts.items():
            check_texts(self.tasks[name], columns, tokenizer, self.settings.max_length)

    def peak_gpu_bytes(self, device: str) -> int:
        """Most bytes of a GPU such as `cuda:1` that this process had in use at a time."""
        return torch.cuda.max_memory_allocated(device)

    def prepared(self, name: str) -> PreparedTask:
        """A task with the rows that it is trained on and the split that it is scored on.

        Args:
            name: The task's.

        Returns:
            The task, its files read anew.

        Raises:
            RelevanceError: If its data cannot be loaded.
        """
        return _prepared(self.tasks[name], *self._reading)

    @property
    def _reading(self) -> tuple[DataOptions, GainSplit, str, int]:
        """Settings that decide, beside a task, which rows are read and how they are encoded."""
        return self.data, self.gain_split, self.backbone, self.settings.max_length


def weights_digest(backbone: Backbone) -> str:
    """Hexadecimal sha256 of an encoder's configuration and weights."""
    # The library writes its own version into every configuration; that one changes no result.
    described = sub(
        r'("transformers_version": )"[^"]*"',
        rf'\1"{KEPT_VERSION}"',
        backbone.config.to_json_string(),
    )
    content = sha256(described.encode())
    for name, weight in sorted(backbone.base.state_dict().items()):
        content.update(name.encode())
        content.update(weight.detach().cpu().numpy().tobytes())
    return content.hexdigest()


def _prepared(
    task: Task, options: DataOptions, gain_split: GainSplit, backbone: str, max_length: int
) -> PreparedTask:
    data = load_task(task, options, gain_split=gain_split)
    return prepare(data, _tokenizer(backbone), max_length)


@lru_cache(maxsize=64)
def _kept(task_json: str, *reading: Any) -> PreparedTask:
    """A task's data, kept for the next job of the same worker."""
    task = _prepared(Task.model_validate_json(task_json), *reading)
    # refuses rows that teach nothing; a note has no reader here
    kind_of(task.definition).unlearned(task.train.encoded)
    return task


@lru_cache(maxsize=1)
def _tokenizer(backbone: str) -> PreTrainedTokenizerBase:
    return read_tokenizer(resolve_backbone(backbone, weights=False))


@lru_cache(maxsize=1)
def _backbone(name: str, seed: int) -> Backbone:
    return load_backbone(name, seed=seed)


def make_trainer(
    tasks: Sequence[Task],
    settings: Mapping[str, Any],
    *,
    device: str = "auto",
    gain_split: GainSplit = "holdout",
    drop_overlap: bool = False,
) -> JointTrainer:
    """The trainer for the settings that a user has chosen.

    Args:
        tasks: Definitions of the tasks of the study.
        settings: Fields of `RunConfig`; what is left out has its default.
        device: Device of the jobs, which decides what `auto` precision means.
        gain_split: Scored on `holdout`, taken from the training rows first, or on `dev`.
        drop_overlap: Leave out training rows that hold a text of another task's evaluation split.

    Returns:
        The trainer.

    Raises:
        RelevanceError: If a setting is unknown, out of range or not for a study, or the backbone
            cannot be loaded, has fewer layers than are to be frozen, or reads no inputs of that
            length.
    """
    names = tuple(task.name for task in tasks)
    config = validated(RunConfig, {**settings, "tasks": names}, "settings")
    depth = depth_of(load_config(config.backbone))
    _check_study(config, depth)
    own = TrainingSettings.model_fields
    training = TrainingSettings(**{n: value for n, value in config.values().items() if n in own})
    runs = [*((name,) for name in names), *combinations(names, 2)]
    parts = [ModelGroup(run, fully_shared(run, depth)) for run in runs]
    check(training, tasks, parts)
    backbone = _backbone(config.backbone, 0)
    check_max_length(backbone.base, config.max_length)
    check_reading(backbone, _tokenizer(config.backbone), tasks, training)
    return JointTrainer(
        {task.name: task for task in tasks},
        config.data,
        config.backbone,
        training.resolved(device),
        gain_split,
        drop_overlap,
    )


def _check_study(config: RunConfig, depth: int) -> None:
    """Refuse what would choose by the very scores that gains are made of, or change nothing."""
    if config.goes_by_dev:
        raise RelevanceError(
            '`checkpoint="best"` and `patience` go by scores on the rows that gains are made of, so'
            " a study takes neither. Leave them out of the settings."
        )
    pair = fully_shared(("one", "other"), depth)
    if not trains_together(pair, config.freeze.layers(depth)):
        raise RelevanceError(
            f"`freeze='{config.freeze}'` trains heads alone, and tasks share none, so that no task"
            ' could gain from another. Freeze some layers, such as `freeze="50%"`.'
        )

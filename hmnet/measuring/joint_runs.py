"""What a joint trainer does with a model: the checks before a study, and each run of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

from transformers import PreTrainedTokenizerBase

from hmnet.backbones.backbone import Backbone, load_backbone, load_config
from hmnet.backbones.digests import tensors_digest, weights_digest
from hmnet.backbones.folder import resolve_backbone
from hmnet.data.batching import check_max_length
from hmnet.data.encoder import Encoder
from hmnet.data.tokenizer import read_tokenizer
from hmnet.evaluation.evaluate import evaluate
from hmnet.kinds._reading import check_concat, read_depth
from hmnet.kinds.kind import OutputKind, kind_of
from hmnet.measuring.drop_overlap import overlapping_rows, without_rows
from hmnet.measuring.lower_states import lower_states
from hmnet.measuring.upper_layers import answered_from
from hmnet.methods.method import ModelGroup
from hmnet.models.build import build_model
from hmnet.models.freezing import trains_together
from hmnet.models.multitask import MultiTaskModel
from hmnet.models.trial import check_reading
from hmnet.prepared import PreparedTask, lengths_of, prepare
from hmnet.prepared import check_texts as check_columns
from hmnet.regularizers.regularizer import make_regularizer
from hmnet.settings.check import check
from hmnet.settings.config import RunConfig, TrainingSettings
from hmnet.sharing.freeze import EMBEDDINGS_DEPTH, Freeze
from hmnet.sharing.plan import fully_shared
from hmnet.training.fit import fit, make_schedule
from relevance.disk.files import validated
from relevance.errors import RelevanceError
from relevance.interfaces.trainer import Result
from relevance.tasks.data import DataOptions
from relevance.tasks.load import load_task
from relevance.tasks.task import Task

if TYPE_CHECKING:
    from hmnet.measuring.joint_trainer import GainSplit, JointTrainer, TopLayersTrainer

# raised when tasks read other layers of backbones that were pre-trained with levels
LEVELS_VERSION = 1
# of an encoder's layers, where nobody says how many are frozen: four of six, eight of twelve
FROZEN_SHARE = 2 / 3


def read_settings(
    tasks: Sequence[Task], settings: Mapping[str, Any], device: str
) -> tuple[DataOptions, str, TrainingSettings]:
    """Check the settings that a user has chosen for a study.

    Args:
        tasks: Definitions of the tasks of the study.
        settings: Fields of `RunConfig`; what is left out has its default.
        device: Device of the jobs, which decides what `auto` precision means.

    Returns:
        Data, backbone and settings of a `JointTrainer`.

    Raises:
        RelevanceError: See `make_trainer`.
    """
    names = tuple(task.name for task in tasks)
    config = validated(RunConfig, {**settings, "tasks": names}, "settings")
    known, encoder = {task.name: task for task in tasks}, load_config(config.backbone)
    check_concat(encoder, tasks, config.concat)

    def depth(run: Sequence[str]) -> int:
        return read_depth(encoder, [known[name] for name in run], config.concat)

    _check_study(config, min(depth((name,)) for name in names))
    own = TrainingSettings.model_fields
    training = TrainingSettings(**{n: value for n, value in config.values().items() if n in own})
    runs = [*((name,) for name in names), *combinations(names, 2)]
    parts = [ModelGroup(run, fully_shared(run, depth(run))) for run in runs]
    check(training, tasks, parts)
    backbone = _backbone(config.backbone, 0)
    check_max_length(backbone.base, config.max_length)
    check_reading(backbone, _tokenizer(config.backbone), tasks, training)
    return config.data, config.backbone, training.resolved(device)


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


def fingerprints(trainer: "JointTrainer") -> dict[str, Any]:
    """What of a trainer only a model's own libraries can tell, for its fingerprint."""
    regularizer = make_regularizer(trainer.settings.regularizer)
    backbone = _backbone(trainer.backbone, 0)
    levels: dict[str, Any] = {"levels": LEVELS_VERSION} if backbone.levels else {}
    if trainer.settings.concat == "nsp" and backbone.next_sentence is not None:
        levels["next_sentence"] = tensors_digest(backbone.next_sentence)
    return levels | {
        "regularizer_version": regularizer and regularizer.version,
        "backbone": weights_digest(backbone),
        "tokenizer": Encoder.of(_tokenizer(trainer.backbone)).fingerprint,
    }


Around = Callable[[MultiTaskModel, Sequence[PreparedTask]], AbstractContextManager[None]]


def _as_it_is(model: MultiTaskModel, tasks: Sequence[PreparedTask]) -> AbstractContextManager[None]:  # noqa: ARG001
    """A context in which nothing about a model is other than usual."""
    return nullcontext()


def train_and_score(
    trainer: "JointTrainer",
    tasks: tuple[str, ...],
    seed: int,
    device: str,
    around: Around = _as_it_is,
) -> dict[str, Result]:
    """Train one model on all tasks and score it on each; see `JointTrainer`.

    Args:
        trainer: Has tasks, data and settings.
        tasks: Names.
        seed: Seed of heads, batches and dropout.
        device: Name such as `cpu` or `cuda:1`.
        around: Makes the context in which the model is trained and scored.

    Returns:
        A result for every task.
    """
    prepared = {
        name: _kept(trainer.tasks[name].model_dump_json(), *_reading(trainer)) for name in tasks
    }
    epochs = make_schedule(trainer.settings, lengths_of(prepared.values()), seed)
    if trainer.drop_overlap:
        overlapping = {
            name: prepared[name].train.encoded.sequences_of(rows)
            for name, rows in overlapping_rows(prepared).items()
        }
        epochs = without_rows(epochs, overlapping)
    backbone = read_backbone(trainer, _backbone(trainer.backbone, seed), tasks)
    together = list(prepared.values())
    plan = fully_shared(tasks, backbone.depth)
    model = build_model(backbone, together, plan, trainer.settings, seed=seed, device=device)
    rows = trainer.settings.batch_size
    with around(model, together):
        fit(model, together, epochs, trainer.settings, seed)
        return {
            task.name: evaluate(model, task.definition, task.held_out, batch_size=rows)
            for task in together
        }


def train_top_layers(
    trainer: "TopLayersTrainer", tasks: tuple[str, ...], seed: int, device: str
) -> dict[str, Result]:
    """Train and score as ever, on outputs of frozen layers; see `TopLayersTrainer`."""
    identity = _backbone_digest(trainer.backbone, seed if _goes_by_seed(trainer.backbone) else 0)

    @contextmanager
    def around(model: MultiTaskModel, together: Sequence[PreparedTask]) -> Iterator[None]:
        frozen = trainer.settings.freeze.layers(model.plan.depth).stop
        states = [
            each
            for task in together
            for each in lower_states(model, task, frozen, identity, trainer.memory_bytes)
        ]
        with answered_from(model, states, frozen):
            yield

    return train_and_score(trainer, tasks, seed, device, around)


def top_settings(trainer: "JointTrainer") -> TrainingSettings:
    """Settings of a trainer whose lower layers are frozen, see `JointTrainer.top_layers`."""
    settings, backbone = trainer.settings, _backbone(trainer.backbone, 0)
    if backbone.levels is not None:
        raise RelevanceError(
            "Measure 'top-layers' trains what stands above frozen layers, and tasks read inner"
            " layers of this backbone. Take short-runs, or another backbone."
        )
    if settings.regularizer is not None:
        raise RelevanceError(
            f"`regularizer={settings.regularizer}` changes embeddings, which measure 'top-layers'"
            " does not run. Leave it out, or take short-runs."
        )
    freeze = settings.freeze
    if not len(freeze.layers(backbone.depth)):
        freeze = Freeze(last=round(backbone.depth * FROZEN_SHARE))
    layers = freeze.layers(backbone.depth)
    if layers.start != EMBEDDINGS_DEPTH or not 0 < layers.stop < backbone.depth:
        raise RelevanceError(
            f"Measure 'top-layers' freezes the lowest of the backbone's {backbone.depth} layers and"
            f" trains at least one above them, got `freeze={freeze}`. Give a number of layers from"
            f" 1 to {backbone.depth - 1}."
        )
    return settings.model_copy(update={"freeze": freeze})


def read_backbone(trainer: "JointTrainer", backbone: Backbone, tasks: Sequence[str]) -> Backbone:
    """A backbone as a model of some tasks has it.

    Args:
        trainer: Has the tasks.
        backbone: The pretrained weights.
        tasks: Names.

    Returns:
        The backbone up to the highest layer that one of the tasks reads.
    """
    read = [trainer.tasks[name] for name in tasks]
    return backbone.up_to(read_depth(backbone.config, read, trainer.settings.concat))


def unlearned(trainer: "JointTrainer", tasks: tuple[str, ...]) -> dict[str, str]:
    """Notes on training rows whose answers a model is not shown; see `JointTrainer`."""
    lines = {}
    for name in tasks:
        kind = kind_of(trainer.tasks[name])
        if type(kind).unlearned is OutputKind.unlearned:
            continue  # each row has one answer, which is shown
        if line := kind.unlearned(prepared(trainer, name).train.encoded):
            lines[name] = line
    return lines


def check_texts(trainer: "JointTrainer", texts: Mapping[str, Sequence[Sequence[str]]]) -> None:
    """Refuse tasks whose texts the tokenizer does not know; see `JointTrainer`."""
    tokenizer = _tokenizer(trainer.backbone)
    for name, columns in texts.items():
        check_columns(trainer.tasks[name], columns, tokenizer, trainer.settings.max_length)


def prepared(trainer: "JointTrainer", name: str) -> PreparedTask:
    """A task with its rows, its files read anew; see `JointTrainer`."""
    return _prepared(trainer.tasks[name], *_reading(trainer))


def _reading(trainer: "JointTrainer") -> tuple[DataOptions, "GainSplit", str, int]:
    """Settings that decide, beside a task, which rows are read and how they are encoded."""
    return trainer.data, trainer.gain_split, trainer.backbone, trainer.settings.max_length


def _prepared(
    task: Task, options: DataOptions, gain_split: "GainSplit", backbone: str, max_length: int
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


def _backbone(name: str, seed: int) -> Backbone:
    """The backbone as a seed has it: read once for all seeds where no weight is drawn."""
    return _read_backbone(name, seed if _goes_by_seed(name) else 0)


@lru_cache(maxsize=4)
def _backbone_digest(name: str, seed: int) -> str:
    return weights_digest(_read_backbone(name, seed))


@lru_cache(maxsize=16)
def _goes_by_seed(name: str) -> bool:
    return _read_backbone(name, 0).by_seed


@lru_cache(maxsize=1)
def _read_backbone(name: str, seed: int) -> Backbone:
    return load_backbone(name, seed=seed)

"""From settings and data to a trained model: where the parts of training are put together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int

from hmnet.answer_scale import AnswerScale, standardised
from hmnet.backbones.backbone import Backbone
from hmnet.data.batching import check_max_length
from hmnet.data.encoded import Encoded
from hmnet.heads.head import head_of
from hmnet.models.freezing import freeze, frozen_layers
from hmnet.models.multitask import MultiTaskModel
from hmnet.regularizers.regularizer import make_regularizer
from hmnet.samplers._packing import pack
from hmnet.samplers.sampler import Step, find_sampler, schedule
from hmnet.settings.config import TrainingSettings
from hmnet.settings.loss_weights import read_loss_weights
from hmnet.sharing.plan import SharingPlan
from hmnet.surgery.surgery import find_surgery
from hmnet.training.checkpoint import (
    Kept,
    Position,
    find_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from hmnet.training.hooks.selection import Selection
from hmnet.training.hooks.uncertainty_log import Unsure
from hmnet.training.loop import Progress, Saving, train
from hmnet.training.optimizer import make_optimizer
from hmnet.training.ranks import ALONE, OneDecision, Ranks
from hmnet.training.record import NOTHING, Record
from hmnet.training.step import Recipe
from hmnet.training.task_gradients import TaskGradients
from hmnet.training.versions import other_version, versions_of
from relevance.disk.files import digest
from relevance.errors import RelevanceError
from relevance.tasks.data import Labels
from relevance.tasks.task import Task


@dataclass(frozen=True)
class Checkpoints:
    """Where a part of a run keeps its checkpoints, and how often.

    Attributes:
        folder: Holds the newest.
        part: Number of the part; checkpoints of other parts are left alone.
        every_s: Seconds between two.
    """

    folder: Path
    part: int
    every_s: float


def make_schedule(
    settings: TrainingSettings, lengths: Mapping[str, Int[np.ndarray, " _"]], seed: int
) -> list[list[Step]]:
    """All steps of a run.

    Args:
        settings: Sampler, batch size, what is packed together, epochs, steps per task at most.
        lengths: Tokens of every training row, by task.
        seed: Of the order.

    Returns:
        Steps by epoch.
    """
    batches = {
        task: pack(
            task,
            of_rows,
            batch_size=settings.batch_size,
            seed=seed,
            length_grouped=settings.length_grouped,
        )
        for task, of_rows in lengths.items()
    }
    sampler = find_sampler(settings.sampler).build(batches, epochs=settings.epochs, seed=seed)
    return schedule(sampler, settings.max_steps_per_task)


def fit(
    backbone: Backbone,
    tasks: Sequence[Task],
    plan: SharingPlan,
    data: Mapping[str, Encoded],
    epochs: Sequence[Sequence[Step]],
    settings: TrainingSettings,
    *,
    seed: int,
    device: str,
    on_step: Callable[[Progress], None] | None = None,
    checkpoints: Checkpoints | None = None,
    watch: Callable[[MultiTaskModel, int], None] | None = None,
    selection: Selection | None = None,
    on_end: Callable[[Record], None] | None = None,
    ranks: Ranks = ALONE,
    log_uncertainty: bool = False,
) -> MultiTaskModel:
    """Train one model from the pretrained weights, or go on where a checkpoint stands.

    Args:
        backbone: The pretrained weights.
        tasks: What is trained.
        plan: Which layers they share.
        data: Training rows by task.
        epochs: Steps by epoch, as `make_schedule` gives them.
        settings: How it is trained; the precision is not `auto`.
        seed: Of the heads' weights and of dropout.
        device: A name that torch takes.
        on_step: Told about every step.
        checkpoints: Where to keep what is needed to resume; None keeps nothing.
        watch: Shown the model and the number of steps done after every step, where there are no
            checkpoints; must leave the model as it was.
        selection: Scores the model after every epoch, and may end training or choose the weights
            that stay; None for the last step's.
        on_end: Told what training took.
        ranks: The processes that train together. All call this with the same arguments; the main
            one alone reports, watches and writes.
        log_uncertainty: Whether `on_step` is now and then told how unsure the model is of each
            task, whatever the sampler; changes no weight.

    Returns:
        The model on the device, in evaluation mode; the same in all processes.

    Raises:
        RelevanceError: If a loss is not finite, inputs are longer than the backbone takes, or a
            checkpoint is damaged, from other data or from another version of the sampler.
        ValueError: If the precision is not resolved.
    """
    model = MultiTaskModel(
        backbone,
        tasks,
        plan,
        pooling=settings.pooling,
        head=settings.head,
        seed=seed,
        scales=answer_scales(settings, tasks, {name: one.labels for name, one in data.items()}),
    ).to(device)
    check_max_length(model, settings.max_length)
    freeze(model, frozen_layers(settings.freeze, backbone.depth), backbone.layer_list)
    record = fit_model(
        model,
        tasks,
        data,
        epochs,
        settings,
        seed=seed,
        on_step=on_step,
        checkpoints=checkpoints,
        watch=watch,
        selection=selection,
        ranks=ranks,
        log_uncertainty=log_uncertainty,
    )
    if on_end:
        on_end(record)
    return model


def answer_scales(
    settings: TrainingSettings, tasks: Sequence[Task], labels: Mapping[str, Labels]
) -> dict[str, AnswerScale]:
    """How outputs stand for values where labels are standardised.

    Args:
        settings: Loss of regression tasks, and heads.
        tasks: What is trained.
        labels: Of the training rows, by task.

    Returns:
        By regression task; empty where the loss is on the tasks' own scales.

    Raises:
        RelevanceError: If all labels of a task are the same.
    """
    if settings.regression_loss == "scale":
        return {}
    return {
        task.name: standardised(
            task,
            np.asarray(labels[task.name], dtype=np.float64),
            bounded=head_of(settings.head, settings.pooling, task.name).bounded,
        )
        for task in tasks
        if task.kind == "regression"
    }


def fit_model(
    model: MultiTaskModel,
    tasks: Sequence[Task],
    data: Mapping[str, Encoded],
    epochs: Sequence[Sequence[Step]],
    settings: TrainingSettings,
    *,
    seed: int,
    on_step: Callable[[Progress], None] | None = None,
    checkpoints: Checkpoints | None = None,
    watch: Callable[[MultiTaskModel, int], None] | None = None,
    selection: Selection | None = None,
    ranks: Ranks = ALONE,
    log_uncertainty: bool = False,
) -> Record:
    """Train what is not frozen of a model, or go on where a checkpoint stands.

    Args:
        model: On the device that it trains on, as it is before the first step; in evaluation mode
            afterwards.
        tasks: Those of its tasks that are trained.
        data: As for `fit`, and so are all further arguments.
        epochs: Steps by epoch.
        settings: How it is trained, but for what is frozen.
        seed: Of dropout.
        on_step: Told about every step.
        checkpoints: Where to keep what is needed to resume.
        watch: Shown the model after every step.
        selection: May end training or choose the weights that stay.
        ranks: The processes that train together.
        log_uncertainty: Whether `on_step` is told how unsure the model is.

    Returns:
        What training took.

    Raises:
        RelevanceError: If a loss is not finite, or a checkpoint is damaged, from other data or from
            another version of the sampler.
        ValueError: If the precision is not resolved.
    """
    optimizer = make_optimizer(
        model,
        settings.lr,
        settings.weight_decay,
        settings.head_lr,
        name=settings.optimizer,
        amsgrad=settings.amsgrad,
    )
    recipe = _recipe(model, settings, ranks)
    kept = {"regularizer": recipe.regularizer.state} if recipe.regularizer else {}
    if selection:
        kept["best"] = selection.best
    with _seeded(seed, next(model.parameters()).device):
        start, record, saving = 0, NOTHING, None
        if watch:
            saving = Saving(lambda step, _: watch(model, step), every_s=0.0)
        if checkpoints:
            resumed = _resumed(checkpoints, model, optimizer, kept, data, settings, ranks)
            start, record, saving = resumed
        if not ranks.is_main:
            saving = None
        sampler = find_sampler(settings.sampler)
        record = train(
            model,
            tasks,
            data,
            epochs,
            optimizer=optimizer,
            lr=settings.lr,
            recipe=recipe,
            warmup=settings.warmup,
            schedule=settings.schedule,
            start=start,
            record=record,
            on_step=on_step,
            saving=saving,
            average=settings.average,
            selection=selection,
            chooser=sampler.member.chooser(tasks, data, **sampler.parameters),
            unsure=Unsure(tasks, data, settings.batch_size) if log_uncertainty else None,
        )
    sequences = {task.name: len(data[task.name]) for task in tasks}
    return record.model_copy(update={"sequences": sequences, "versions": versions_of(settings)})


def _recipe(model: MultiTaskModel, settings: TrainingSettings, ranks: Ranks) -> Recipe:
    """The parts of a step that settings name."""
    if settings.precision == "auto":
        raise ValueError("Resolve the precision first: settings.resolved(device).")
    surgery = find_surgery(settings.surgery).build() if settings.surgery else None
    if surgery and ranks.count > 1:
        surgery = OneDecision(surgery, ranks)
    return Recipe(
        precision=settings.precision,
        label_smoothing=settings.label_smoothing,
        loss_weights=read_loss_weights(settings.loss_weights) if settings.loss_weights else {},
        accumulate=settings.accumulate,
        task_gradients=TaskGradients(model, surgery) if surgery else None,
        regularizer=make_regularizer(settings.regularizer),
        clip_norm=settings.clip_norm,
        ranks=ranks,
    )


def _resumed(
    checkpoints: Checkpoints,
    model: MultiTaskModel,
    optimizer: torch.optim.Optimizer,
    kept: Kept,
    data: Mapping[str, Encoded],
    settings: TrainingSettings,
    ranks: Ranks,
) -> tuple[int, Record, Saving]:
    """Steps done before, what they took, and how to keep further ones."""
    fingerprint = digest({task: encoded.fingerprint for task, encoded in data.items()})
    found = ranks.agree(lambda: find_checkpoint(checkpoints.folder))
    start, record = 0, NOTHING
    if found is not None and found[1].part == checkpoints.part:
        folder, position = found
        if position.data != fingerprint:
            raise RelevanceError(
                f"{folder} was written with other training data than there is now."
                " Put the data back, or train anew with another --out."
            )
        if other := other_version(position.record.versions, settings):
            raise RelevanceError(
                f"{checkpoints.folder.parent} was begun by {other}. Train anew with another --out."
            )
        load_checkpoint(folder, model, optimizer, kept)
        start, record = position.step, position.record
    # After the last step the main process takes the checkpoint away, which others may still read.
    ranks.wait()

    versions = versions_of(settings)

    def save(step: int, record: Record) -> None:
        record = record.model_copy(update={"versions": versions})
        position = Position(checkpoints.part, step, fingerprint, record)
        save_checkpoint(checkpoints.folder, model, optimizer, position, kept)

    return start, record, Saving(save, checkpoints.every_s)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's generators start from a seed, and are put back afterwards."""
    gpus = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield

"""Fitting a model on prepared tasks by settings: where the parts of training meet."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from jaxtyping import Int
from torch import nn

from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedTask
from hmnet.regularizers.regularizer import make_regularizer
from hmnet.samplers._packing import pack
from hmnet.samplers.sampler import Step, schedule
from hmnet.settings.config import TrainingSettings
from hmnet.surgery.surgery import Surgery
from hmnet.training.hooks.averaging import Averaging
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.hook import Hook
from hmnet.training.hooks.interrupts import Interrupts
from hmnet.training.hooks.progress import Report
from hmnet.training.hooks.selecting import Selecting
from hmnet.training.hooks.selection import Selection
from hmnet.training.loop import train
from hmnet.training.optimizer import Rate, make_optimizer
from hmnet.training.ranks import ALONE, OneDecision, Ranks
from hmnet.training.record import Record
from hmnet.training.row_updates import gradients_by_row
from hmnet.training.source import Source
from hmnet.training.state import Begun
from hmnet.training.step import StepConfig
from hmnet.training.task_gradients import TaskGradients
from hmnet.training.task_source import TaskSource
from hmnet.training.versions import versions_of


def make_schedule(
    settings: TrainingSettings, lengths: Mapping[str, Int[np.ndarray, " _"]], seed: int
) -> list[list[Step]]:
    """All steps of a run.

    Args:
        settings: Sampler, batch size, what is packed together, epochs, steps per task at most.
        lengths: Tokens of every training row, by task.
        seed: Seed of the order of batches.

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
    sampler = settings.sampler.build(batches, epochs=settings.epochs, seed=seed)
    return schedule(sampler, settings.max_steps_per_task)


def fit(
    model: MultiTaskModel,
    tasks: Sequence[PreparedTask],
    epochs: Sequence[Sequence[Step]],
    settings: TrainingSettings,
    seed: int,
    hooks: Sequence[Hook] = (),
    ranks: Ranks = ALONE,
) -> Record:
    """Train what is not frozen of a model, or go on where a checkpoint stands.

    Args:
        model: Model on the device that it trains on, as it is before the first step; in evaluation
            mode afterwards, the same in all processes.
        tasks: Tasks of the model that are trained.
        epochs: Steps by epoch, as `make_schedule` gives them.
        settings: Settings of training, but for what is frozen; the precision is not `auto`.
        seed: Seed of dropout.
        hooks: Hooks around the steps, besides what settings say; losses are checked and
            signals held back in any case. With `Checkpoints` among them training is resumed.
        ranks: The processes that train together. All call this with the same arguments.

    Returns:
        Record of the training.

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
    recipe = _step_config(model, settings, ranks)
    hooks = _in_order(hooks, tasks, settings)
    source = TaskSource(model, tasks, recipe, versions_of(settings))
    # clipping, surgery and sums over processes look at whole gradients
    plain = recipe.clip_norm is None and recipe.task_gradients is None and ranks.count == 1
    with gradients_by_row(model, optimizer) if plain else nullcontext():
        record = train_on(model, source, epochs, optimizer, recipe, hooks, seed)
    sequences = {task.name: len(task.train.encoded) for task in tasks}
    return record.model_copy(update={"sequences": sequences, "versions": source.versions})


def _in_order(
    hooks: Sequence[Hook], tasks: Sequence[PreparedTask], settings: TrainingSettings
) -> list[Hook]:
    """Hooks of the settings, those given, and last what must see all that these did.

    Weights are averaged before anybody looks at them, an epoch is scored before it is kept, and a
    signal that came meanwhile makes a checkpoint.
    """
    data = {task.name: task.train.encoded for task in tasks}
    sampler = settings.sampler.build({}, epochs=settings.epochs, seed=0)
    chooser = sampler.chooser([task.definition for task in tasks], data)
    first = [*([Selecting(chooser)] if chooser else []), Averaging(settings.average)]
    return in_order(hooks, first)


def in_order(hooks: Sequence[Hook], first: Sequence[Hook] = ()) -> list[Hook]:
    """Hooks in the order in which the loop asks them, with those that every training has.

    Args:
        hooks: Hooks around the steps, in their order.
        first: Those that change what is trained, or the weights, before others look at them.

    Returns:
        `first`, what checks losses, the hooks, what holds signals back, and last checkpoints.
    """
    last = [hook for hook in hooks if isinstance(hook, Checkpoints)]
    return [
        *first,
        *([] if any(isinstance(hook, Report) for hook in hooks) else [Report()]),
        *(hook for hook in hooks if hook not in last),
        Interrupts(),
        *last,
    ]


def train_on(
    model: nn.Module,
    source: Source,
    epochs: Sequence[Sequence[Step]],
    optimizer: torch.optim.Optimizer,
    recipe: StepConfig,
    hooks: Sequence[Hook],
    seed: int,
) -> Record:
    """Train a model on any source, or go on where a checkpoint stands.

    Args:
        model: Model on its device, as it is before the first step.
        source: Makes the rows of steps into batches.
        epochs: Steps by epoch.
        optimizer: Optimizer of its weights.
        recipe: Recipe of an update.
        hooks: As `in_order` gives them. With `Checkpoints` among them training is resumed.
        seed: Seed of dropout.

    Returns:
        Record of the training.

    Raises:
        RelevanceError: If a loss is not finite, or a checkpoint is damaged, from other data or from
            another version of what decides the steps.
    """
    kept = {"regularizer": recipe.regularizer.state} if recipe.regularizer else {}
    for hook in hooks:
        if isinstance(hook, Selection):
            kept["best"] = hook.best
    device = next(model.parameters()).device
    gpus = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):  # the generators are put back afterwards
        torch.manual_seed(seed)
        begun = Begun()
        for hook in hooks:
            if isinstance(hook, Checkpoints):
                begun = hook.resume(model, optimizer, source, kept, recipe.ranks)
        return train(model, source, epochs, optimizer, recipe, hooks, begun)


def most_tokens(settings: TrainingSettings) -> int:
    """Tokens of a batch from which on it runs in parts, which only alternatives can come to.

    Args:
        settings: The settings.

    Returns:
        As many as two batches of the longest rows have.
    """
    return 2 * settings.batch_size * settings.max_length


def _step_config(model: MultiTaskModel, settings: TrainingSettings, ranks: Ranks) -> StepConfig:
    """The parts of a step that settings name."""
    if settings.precision == "auto":
        raise ValueError("Resolve the precision first: settings.resolved(device).")
    surgery: Surgery | None = settings.surgery.build() if settings.surgery else None
    if surgery and ranks.count > 1:
        surgery = OneDecision(surgery, ranks)
    return StepConfig(
        precision=settings.precision,
        rate=Rate(settings.lr, settings.warmup, settings.schedule),
        label_smoothing=settings.label_smoothing,
        loss_weights=settings.loss_weights.by_task if settings.loss_weights else {},
        accumulate=settings.accumulate,
        most_tokens=most_tokens(settings),
        task_gradients=TaskGradients(model, surgery) if surgery else None,
        regularizer=make_regularizer(settings.regularizer),
        clip_norm=settings.clip_norm,
        ranks=ranks,
    )

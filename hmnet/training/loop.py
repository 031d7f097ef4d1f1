"""The training loop: every step of the schedule in turn, and the hooks around it."""

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import torch

from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedTask
from hmnet.samplers.sampler import SelectedStep, Step
from hmnet.training.candidate_scorer import ModelScorer
from hmnet.training.hooks.hook import Hook
from hmnet.training.memory import kept_memory
from hmnet.training.record import Record
from hmnet.training.state import Begun, TrainingState, Update
from hmnet.training.step import Batch, StepConfig, make_batch, train_step


def train(
    model: MultiTaskModel,
    tasks: Sequence[PreparedTask],
    epochs: Sequence[Sequence[Step]],
    optimizer: torch.optim.Optimizer,
    recipe: StepConfig,
    hooks: Sequence[Hook] = (),
    begun: Begun = Begun(),  # noqa: B008  frozen
) -> Record:
    """Train a model on the steps of a schedule.

    Args:
        model: Model on the device that it trains on; in evaluation mode afterwards.
        tasks: Tasks of the schedule.
        epochs: Steps by epoch, as `hmnet.samplers.sampler.schedule` gives them.
        optimizer: Optimizer of the model's weights.
        recipe: Recipe by which the batches of a step become an update.
        hooks: Hooks, asked in this order at each moment.
        begun: Steps done before, when training is resumed.

    Returns:
        Record of all steps.

    Raises:
        RelevanceError: If a hook refuses to go on, as the report does at a loss that is not finite.
        KeyboardInterrupt: If a hook has interrupted training.
    """
    state = TrainingState(model, optimizer, epochs, recipe.ranks, begun)
    batches = _Batches(model, tasks, recipe)
    ask = ModelScorer(model, {task.name: task.train.encoded for task in tasks}, recipe.precision)
    model.train()
    with ExitStack() as around:
        around.enter_context(kept_memory(state.device))
        for hook in hooks:
            around.enter_context(hook.around(state))
        for step in state.upcoming:
            if state.over or state.interrupted:
                break
            rate = recipe.rate.at(state.step, state.total)
            recipe.ranks.reseed(state.step + 1)
            selected = SelectedStep.whole(step)
            for hook in hooks:
                selected = hook.select(state, selected, ask)
            losses = train_step(model, optimizer, batches.of(selected), rate, recipe)
            state.count(selected.step)
            for hook in hooks:
                hook.step(state, Update(selected, rate, losses))
            if state.ended_epoch:
                for hook in hooks:
                    hook.epoch(state)
        state.flush()
    if state.interrupted:
        raise KeyboardInterrupt
    record = state.read()
    for hook in hooks:
        hook.end(state)
    model.eval()
    return record


class _Batches:
    """Maker of tensors of a step's rows, in as many parts as gradients are accumulated over.

    Of each part this process has its share.
    """

    def __init__(
        self, model: MultiTaskModel, tasks: Sequence[PreparedTask], recipe: StepConfig
    ) -> None:
        self.data = {task.name: task.train.encoded for task in tasks}
        self.accumulate, self.ranks = recipe.accumulate, recipe.ranks
        self.weights = {t.name: recipe.loss_weights.get(t.name.lower(), 1.0) for t in tasks}
        self.kinds = model.kinds
        self.forms = {task.name: model.input_form(task.name) for task in tasks}
        self.device = model.device

    def of(self, chosen: SelectedStep) -> list[Batch]:
        """The batches of a step on the model's device, each part padded to its own longest row."""
        batches = []
        for (task, rows), weight in zip(chosen.step, chosen.weights, strict=True):
            for part in np.array_split(rows, min(self.accumulate, len(rows))):
                own = self.ranks.share(part)
                counts = self.weights[task] * weight * own.part * len(part) / len(rows)
                kind, form = self.kinds[task], self.forms[task]
                batches.append(
                    make_batch(kind, self.data[task], own.rows, form, self.device, counts)
                )
        return batches

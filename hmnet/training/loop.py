"""The training loop: every step of the schedule in turn, and the hooks around it."""

from collections.abc import Sequence
from contextlib import ExitStack

import torch
from torch import nn

from hmnet.samplers.sampler import SelectedStep, Step
from hmnet.training.hooks.hook import Hook
from hmnet.training.memory import kept_memory
from hmnet.training.record import Record
from hmnet.training.source import Source
from hmnet.training.state import Begun, TrainingState, Update
from hmnet.training.step import StepConfig, train_step


def train(
    model: nn.Module,
    source: Source,
    epochs: Sequence[Sequence[Step]],
    optimizer: torch.optim.Optimizer,
    recipe: StepConfig,
    hooks: Sequence[Hook] = (),
    begun: Begun = Begun(),  # noqa: B008  frozen
) -> Record:
    """Train a model on the steps of a schedule.

    Args:
        model: Model on the device that it trains on; in evaluation mode afterwards.
        source: Makes the rows of steps into batches.
        epochs: Steps by epoch, such as `hmnet.samplers.sampler.schedule` gives.
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
            if source.scorer is not None:
                for hook in hooks:
                    selected = hook.select(state, selected, source.scorer)
            batches = source.batches(selected, state.step)
            losses = train_step(model, optimizer, batches, rate, recipe)
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

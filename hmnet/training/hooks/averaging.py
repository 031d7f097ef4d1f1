"""The mean of the weights over the last steps of a run, which is steadier than the last ones are.

The means stand among the optimizer's state, so a checkpoint holds them and a resumed run goes on
with them.
"""

import torch

from hmnet.training.hooks.hook import Hook
from hmnet.training.state import TrainingState, Update

MEAN, STEPS = "mean", "mean_steps"


def is_averaged(step: int, total: int, share: float) -> bool:
    """Whether the weights after a step count.

    Args:
        step: Number of the step, from 1 to `total`.
        total: Steps of the run.
        share: Share of the run's steps, the last ones, that are averaged, from 0 for none to 1 for
            all.

    Returns:
        True for the last `share` of the steps.

    >>> [is_averaged(step, 4, 0.5) for step in (1, 2, 3, 4)]
    [False, False, True, True]
    """
    return step > total * (1 - share)


class Averaging(Hook):
    """Takes the mean of the weights over the last steps.

    Args:
        share: Share of a run's steps, the last ones, whose weights count; in [0, 1].
    """

    def __init__(self, share: float) -> None:
        self._share = share

    def step(self, state: TrainingState, update: Update) -> None:
        """Count the weights as they are now."""
        if is_averaged(state.step, state.total, self._share):
            add_to_mean(state.optimizer)

    def end(self, state: TrainingState) -> None:
        """Put the means in the place of the weights."""
        take_mean(state.optimizer)


@torch.no_grad()
def add_to_mean(optimizer: torch.optim.Optimizer) -> None:
    """Count the weights as they are now.

    Args:
        optimizer: Optimizer of the weights. One that it has not updated yet has not moved, and is
            counted from its first update on.
    """
    for weight, state in optimizer.state.items():
        if STEPS not in state:
            state[MEAN] = weight.detach().clone()
            state[STEPS] = torch.ones((), device=weight.device)
        else:
            state[STEPS] += 1
            state[MEAN].lerp_(weight, 1 / state[STEPS])


@torch.no_grad()
def take_mean(optimizer: torch.optim.Optimizer) -> None:
    """Put the means in the place of the weights.

    Args:
        optimizer: Optimizer of the weights; those that never counted stay as they are.
    """
    for weight, state in optimizer.state.items():
        if STEPS in state:
            weight.copy_(state[MEAN])

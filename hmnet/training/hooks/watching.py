"""Watching: something looks at the model after every step, and leaves it as it was."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from hmnet.models.multitask import MultiTaskModel
from hmnet.training.hooks.hook import Hook
from hmnet.training.state import TrainingState, Update


@dataclass(frozen=True)
class Watching(Hook):
    """Shows the model to a function.

    Attributes:
        look: Given the model and the number of steps done; leaves both as they are.
    """

    look: Callable[[MultiTaskModel, int], None]

    def step(self, state: TrainingState, update: Update) -> None:
        """Show it, in the main process."""
        if state.ranks.is_main:
            with state.paused():
                self.look(cast("MultiTaskModel", state.model), state.step)

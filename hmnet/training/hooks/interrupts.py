"""Ctrl-C and SIGTERM wait for the end of a step, so that weights are never half updated."""

from collections.abc import Iterator
from contextlib import contextmanager

from hmnet.training.hooks.hook import Hook
from hmnet.training.state import TrainingState, Update
from relevance.jobs.interrupts import Held, held_interrupts


class Interrupts(Hook):
    """Stops training after the step in which Ctrl-C or SIGTERM came.

    It stands before what keeps checkpoints, so that there is one of that step. Where several
    processes train together it does nothing: one that stopped after its step would leave the others
    waiting in the next.
    """

    def __init__(self) -> None:
        self._held = Held()

    @contextmanager
    def around(self, state: TrainingState) -> Iterator[None]:
        """Hold signals back."""
        if state.ranks.count > 1:
            yield
            return
        with held_interrupts() as self._held:
            yield

    def step(self, state: TrainingState, update: Update) -> None:
        """Stop if a signal came."""
        state.interrupted = bool(self._held)

    def epoch(self, state: TrainingState) -> None:
        """Stop if a signal came meanwhile, as scoring an epoch takes long."""
        state.interrupted = bool(self._held)

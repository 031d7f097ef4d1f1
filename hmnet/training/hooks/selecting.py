"""Selecting: a sampler that goes by the model picks what a step trains of its candidates."""

from dataclasses import dataclass
from functools import partial

from hmnet.samplers.sampler import CandidateScorer, Chooser, SelectedStep
from hmnet.training.hooks.hook import Hook
from hmnet.training.state import TrainingState


@dataclass(frozen=True)
class Selecting(Hook):
    """Asks a sampler's chooser; the main process's choice is everybody's.

    Attributes:
        chooser: Picks rows of a step, as the model is then.
    """

    chooser: Chooser

    def select(
        self, state: TrainingState, selected: SelectedStep, ask: CandidateScorer
    ) -> SelectedStep:
        """Pick the rows."""
        return state.ranks.agree(partial(self.chooser, selected.step, ask))

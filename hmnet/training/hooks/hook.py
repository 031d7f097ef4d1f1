"""The base of hooks, which take part before or after steps, after epochs, and in the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from hmnet.samplers.sampler import CandidateScorer, SelectedStep
from hmnet.training.state import TrainingState, Update


class Hook:
    """Takes part in a training at the moments it overrides.

    Hooks are asked in the order in which they are given to the loop. Where several processes train
    together each has the same hooks; `state.ranks` says which is the main one.
    """

    @contextmanager
    def around(self, state: TrainingState) -> Iterator[None]:
        """Enclose all steps.

        Args:
            state: Before the first step.

        Yields:
            Nothing; the block trains.
        """
        yield

    def select(
        self, state: TrainingState, selected: SelectedStep, ask: CandidateScorer
    ) -> SelectedStep:
        """Change what a step trains, before it is done.

        Args:
            state: Before the step.
            selected: Rows that the step would train.
            ask: Asks the model as it is now.

        Returns:
            Rows that the step trains.
        """
        return selected

    def step(self, state: TrainingState, update: Update) -> None:
        """Take note of a step.

        Args:
            state: After the step.
            update: Update that was made.
        """

    def epoch(self, state: TrainingState) -> None:
        """Take note of the end of an epoch, after its last step.

        Args:
            state: `ended_epoch` is its number.
        """

    def end(self, state: TrainingState) -> None:
        """Leave the weights that stay, when all steps are done or training is over.

        Args:
            state: After the last step; not called where training was interrupted.
        """

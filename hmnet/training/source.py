"""What a training learns from: the one thing that the loop asks for batches, whatever they are."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from hmnet.samplers.sampler import CandidateScorer, SelectedStep
from hmnet.training.step import StepPart


@runtime_checkable
class Source(Protocol):
    """Makes the rows of steps into what has a loss.

    It answers the same for the same arguments, so that a resumed training sees what one that was
    never stopped does.
    """

    @property
    def fingerprint(self) -> str:
        """What changes whenever rows do, which checkpoints hold."""

    @property
    def versions(self) -> Mapping[str, int]:
        """Versions of what decides the steps, by kind and name, which checkpoints hold."""

    @property
    def scorer(self) -> CandidateScorer | None:
        """Asks the model about candidates of a step; None where steps are never chosen."""

    def batches(self, selected: SelectedStep, step: int) -> Sequence[StepPart]:
        """The batches of a step on the model's device.

        Args:
            selected: The rows.
            step: Number of steps done before, which random draws go by.

        Returns:
            One at least; the losses of all are summed by their weights.
        """

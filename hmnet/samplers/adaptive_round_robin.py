"""Some epochs of the largest task, then round robin."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from hmnet.samplers.round_robin import RoundRobin


@dataclass(kw_only=True)
class AdaptiveRoundRobin(RoundRobin):
    """The task with most rows alone, so that it is not left behind, then one batch of every task.

    An epoch is, in the first r of r + `epochs`, one pass over the task with most rows (of several
    the one named first), one batch a step; then it is what an epoch of `round-robin` is.

    Attributes:
        epochs: Number of epochs of round robin when it is made; then those of the largest task too.
        r: Epochs of the largest task.

    Source:
        Li (2024), CS224N report.
    """

    r: Annotated[int, Field(ge=0)] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.epochs += self.r

    def turns(self) -> list[dict[str, int]]:
        """The largest task's batches at first, then as many for every task.

        Returns:
            Steps by task, for each epoch.
        """
        largest = max(self.sizes, key=lambda task: self.sizes[task])
        alone = dict.fromkeys(self.batches, 0) | {largest: len(self.batches[largest])}
        return [alone] * self.r + super().turns()[self.r :]

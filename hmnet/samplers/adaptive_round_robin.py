"""Some epochs of the largest task, then round robin."""

from typing import Annotated

from pydantic import Field

from hmnet.samplers.round_robin import RoundRobin, StoppingStrategy
from hmnet.samplers.sampler import Batches


class AdaptiveRoundRobin(RoundRobin):
    """The task with most rows alone, so that it is not left behind, then one batch of every task.

    An epoch is, in the first r of r + `epochs`, one pass over the task with most rows (of several
    the one named first), one batch a step; then it is what an epoch of `round-robin` is.

    Args:
        batches: Row numbers by batch for every task.
        epochs: Number of epochs of round robin.
        seed: Seed of every random choice.
        stopping_strategy: When an epoch of round robin ends.
        r: Epochs of the largest task.

    Source:
        Li (2024), CS224N report.
    """

    def __init__(
        self,
        batches: Batches,
        *,
        epochs: int,
        seed: int,
        stopping_strategy: StoppingStrategy = "all_exhausted",
        r: Annotated[int, Field(ge=0)] = 1,
    ) -> None:
        super().__init__(batches, epochs=r + epochs, seed=seed, stopping_strategy=stopping_strategy)
        self.r = r

    def turns(self) -> list[dict[str, int]]:
        """The largest task's batches at first, then as many for every task.

        Returns:
            Steps by task, for each epoch.
        """
        largest = max(self.sizes, key=lambda task: self.sizes[task])
        alone = dict.fromkeys(self.batches, 0) | {largest: len(self.batches[largest])}
        return [alone] * self.r + super().turns()[self.r :]

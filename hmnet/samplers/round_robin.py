"""One batch of every task in every step."""

from dataclasses import dataclass
from typing import Literal

from hmnet.samplers.sampler import Sampler

StoppingStrategy = Literal["first_exhausted", "all_exhausted"]


@dataclass(kw_only=True)
class RoundRobin(Sampler):
    """One update for the sum of the losses of one batch of every task.

    An epoch is as many steps as the task with most batches has, so that every row is trained and
    smaller tasks start over; with `first_exhausted` as many as the task with fewest has, where
    larger tasks take several epochs for one pass.

    Attributes:
        stopping_strategy: When an epoch ends; the names are those of `datasets`.
    """

    joint = True

    stopping_strategy: StoppingStrategy = "all_exhausted"

    def turns(self) -> list[dict[str, int]]:
        """As many for every task.

        Returns:
            The number of steps for each task, in every epoch.
        """
        end = max if self.stopping_strategy == "all_exhausted" else min
        steps = end(map(len, self.batches.values()))
        return [dict.fromkeys(self.batches, steps)] * self.epochs

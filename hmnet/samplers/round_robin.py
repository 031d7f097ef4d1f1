"""One batch of every task in every step."""

from typing import Literal

from hmnet.samplers.sampler import Batches, Sampler

StoppingStrategy = Literal["first_exhausted", "all_exhausted"]


class RoundRobin(Sampler):
    """One update for the sum of the losses of one batch of every task.

    An epoch is as many steps as the task with most batches has, so that every row is trained and
    smaller tasks start over; with `first_exhausted` as many as the task with fewest has, where
    larger tasks take several epochs for one pass.

    Args:
        batches: Row numbers by batch for every task.
        epochs: Number of epochs of the run.
        seed: Seed of every random choice.
        stopping_strategy: When an epoch ends; the names are those of `datasets`.
    """

    joint = True

    def __init__(
        self,
        batches: Batches,
        *,
        epochs: int,
        seed: int,
        stopping_strategy: StoppingStrategy = "all_exhausted",
    ) -> None:
        super().__init__(batches, epochs=epochs, seed=seed)
        self.stopping_strategy = stopping_strategy

    def turns(self) -> list[dict[str, int]]:
        """As many for every task.

        Returns:
            The number of steps for each task, in every epoch.
        """
        end = max if self.stopping_strategy == "all_exhausted" else min
        steps = end(map(len, self.batches.values()))
        return [dict.fromkeys(self.batches, steps)] * self.epochs

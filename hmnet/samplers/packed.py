"""Algorithm 1: batches are packed once; every epoch merges and shuffles those of all tasks."""

from collections.abc import Mapping

import numpy as np

from hmnet.samplers.sampler import Sampler, Step, TaskBatch, generator


class Packed(Sampler):
    """One task and one update per batch, tasks as often as they have batches.

    An epoch is one pass over every row of every task: `ceil(N / batch_size)` steps for a task of N
    rows. A task's batches and their order among themselves depend on the seed, its name and size
    only, so that a single run and a joint run train the same batches of it.

    Source:
        Fei et al. (2022), Algorithm 1.
    """

    def __init__(
        self, sizes: Mapping[str, int], *, batch_size: int, epochs: int, seed: int
    ) -> None:
        super().__init__(sizes, batch_size=batch_size, epochs=epochs, seed=seed)
        self._batches = {
            task: [
                TaskBatch(task, rows)
                for rows in np.split(
                    generator(seed, "pack", task).permutation(size),
                    range(batch_size, size, batch_size),
                )
            ]
            for task, size in self.sizes.items()
        }

    def epoch(self, number: int) -> list[Step]:
        """The steps of one epoch: each task's batches shuffled, then all tasks' merged at random.

        Args:
            number: 0 for the first epoch; epochs can be asked for in any order.

        Returns:
            Steps of one batch each.
        """
        upcoming = [iter(self._shuffled(task, number)) for task in self.sizes]
        turns = np.repeat(np.arange(len(upcoming)), [len(b) for b in self._batches.values()])
        generator(self.seed, "merge", number).shuffle(turns)
        return [[next(upcoming[turn])] for turn in turns]

    def _shuffled(self, task: str, number: int) -> list[TaskBatch]:
        batches = self._batches[task]
        order = generator(self.seed, "shuffle", task, number).permutation(len(batches))
        return [batches[index] for index in order]

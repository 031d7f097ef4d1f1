"""Algorithm 1: batches are packed once; every epoch merges and shuffles those of all tasks."""

from hmnet.samplers.sampler import Sampler


class Packed(Sampler):
    """One task and one update per batch, tasks as often as they have batches.

    An epoch is one pass over every row of every task: `ceil(N / batch_size)` steps for a task of N
    rows. So a task trains the same batches, and as many of them, in a single run and in a joint
    run.

    Source:
        Fei et al. (2022), Algorithm 1.
    """

    paired = True

    def turns(self) -> list[dict[str, int]]:
        """Every batch once.

        Returns:
            The number of each task's batches, in every epoch.
        """
        return [{task: len(batches) for task, batches in self.batches.items()}] * self.epochs

"""Uniform sampling: every task as often as every other."""

from hmnet.samplers.sampler import Sampler, apportion


class Uniform(Sampler):
    """One task and one update per batch, all tasks alike: p = 1 / T for T tasks.

    An epoch is as many steps as all tasks together have batches, split evenly; what is left over
    goes to the tasks named first. Small tasks start over within an epoch, large ones take several
    epochs for one pass.
    """

    def turns(self) -> list[dict[str, int]]:
        """The steps of every epoch split evenly.

        Returns:
            Steps by task, no two more than one apart, the same in every epoch.
        """
        return [apportion(self.total, dict.fromkeys(self.batches, 1.0))] * self.epochs

"""Proportional sampling: tasks in proportion to their rows."""

from hmnet.samplers.sampler import Sampler, apportion


class Proportional(Sampler):
    """One task and one update per batch, tasks by rows: p ∝ n.

    An epoch is as many steps as all tasks together have batches, split by p and at least one for
    each task. `packed` splits them by batches instead, where one that is not full counts whole.
    """

    def turns(self) -> list[dict[str, int]]:
        """The steps of every epoch split by rows.

        Returns:
            Steps by task, the same in every epoch.
        """
        return [apportion(self.total, self.sizes)] * self.epochs

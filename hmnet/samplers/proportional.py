"""Tasks in proportion to their rows."""

from hmnet.samplers.sampler import Sampler, apportion


class Proportional(Sampler):
    """One task and one update per batch, tasks by rows: p ∝ n.

    An epoch is as many steps as all tasks together have batches, split by p and at least one for
    each task. `packed` splits them by batches instead, where one that is not full counts whole.
    """

    def turns(self, number: int) -> dict[str, int]:
        """The epoch's steps split by rows.

        Args:
            number: Makes no difference.

        Returns:
            Steps by task.
        """
        return apportion(self.total, self.sizes)

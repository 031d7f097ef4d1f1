"""Annealed sampling: nearly proportional in the first epoch, nearly uniform in the last."""

from hmnet.samplers.sampler import Sampler, apportion


class Annealed(Sampler):
    """One task and one update per batch, tasks by p ∝ n^α, where α falls from epoch to epoch.

    An epoch is as many steps as all tasks together have batches, split by p and at least one for
    each task. In epoch e of E, counted from 1, α = 1 - 0.8 (e - 1) / (E - 1), from 1 to 0.2 in
    equal parts; α = 1 where there is one epoch only.

    Source:
        Stickland and Murray (2019), section 4.1.
    """

    def turns(self) -> list[dict[str, int]]:
        """The steps of each epoch split by rows that are flattened more and more.

        Returns:
            Steps by task, for each epoch.
        """
        alphas = (1 - 0.8 * e / max(self.epochs - 1, 1) for e in range(self.epochs))
        weights = ({task: n**alpha for task, n in self.sizes.items()} for alpha in alphas)
        return [apportion(self.total, of_epoch) for of_epoch in weights]

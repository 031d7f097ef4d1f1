"""Lookahead affinity (TAG): how much one step on the source lowers the target's loss."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from relevance.interfaces.probe import LookaheadLosses, Probe
from relevance.measures._estimator import Cells, Estimator
from relevance.tasks.task import Task

# For T tasks a moment takes about T + T(T - 1) / 3 steps; with 8 tasks of 40 steps each, five make
# the whole cost half as much again as the training that they look at.
MOMENTS = 5
# Plain descent needs a rate of its own. At AdamW's 1e-4 it moves weights 10,000 times less than
# AdamW does, and losses by no more than fp32 tells apart. At 1e-3 a step on the task itself takes
# 0.05 % (RTE) to 7 % (STS-B) off its loss, judged by the lengths of MiniLM's gradients.
LR = 1e-3


class Lookahead(Estimator):
    """Share of the target's loss that one step on the source takes away, over joint training.

    Steps are plain gradient descent on the shared weights alone; the target's loss is that of one
    mini-batch before and after. Dropout is off in both.
    """

    name = "lookahead"
    settings: ClassVar = {"moments": MOMENTS, "lr": LR}

    def estimate(self, probe: Probe, tasks: Sequence[Task], seed: int) -> Cells:
        """Shares of the losses, 0 on the diagonal, as for joint training.

        One model is trained on all tasks.
        """
        names = [task.name for task in tasks]
        return affinities(probe.lookahead(names, moments=MOMENTS, lr=LR, seed=seed))


def affinities(losses: LookaheadLosses) -> Cells:
    """Relative reduction of the targets' losses, averaged over moments.

    Args:
        losses: Losses before and after a step on each source.

    Returns:
        `1 - after / before`, not divided by the learning rate; 0 on the diagonal, since joint
        training with itself changes nothing, and 0 for a loss that is 0 already.

    Source:
        Fifty et al. (2021), Efficiently identifying task groupings, equation 1.
    """
    before = losses.before[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(before > 0, 1 - losses.after / before, 0.0)
    values = shares.mean(axis=0)
    np.fill_diagonal(values, 0.0)
    return np.asarray(values)

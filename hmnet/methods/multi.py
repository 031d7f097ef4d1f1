"""Multi-task learning with hard sharing, as MT-DNN: one encoder, one head per task."""

from collections.abc import Sequence

from hmnet.methods.method import Method, ModelGroup
from hmnet.sharing.plan import fully_shared
from relevance.tasks.task import Task


class Multi(Method):
    """One model whose layers all tasks share.

    Source:
        Liu et al. (2019), "Multi-Task Deep Neural Networks for Natural Language Understanding".
    """

    def plans(self, tasks: Sequence[Task], depth: int) -> tuple[ModelGroup, ...]:
        """One group with all tasks."""
        names = tuple(task.name for task in tasks)
        return (ModelGroup(names, fully_shared(names, depth)),)

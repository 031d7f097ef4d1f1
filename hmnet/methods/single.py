"""Single-task fine-tuning: each task has a model of its own."""

from collections.abc import Sequence

from hmnet.methods.method import Method, Part
from hmnet.sharing.plan import separate
from relevance.tasks.task import Task


class Single(Method):
    """One model per task, trained one after another, so that any number needs the memory of one."""

    def plans(self, tasks: Sequence[Task], depth: int) -> tuple[Part, ...]:
        """One part per task.

        Args:
            tasks: Definitions of all tasks of the run.
            depth: Layers of the backbone.

        Returns:
            The parts, in the order of the tasks.
        """
        names = [task.name for task in tasks]
        return tuple(Part((name,), separate((name,), depth)) for name in names)

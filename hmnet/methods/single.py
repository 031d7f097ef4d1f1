"""Single-task fine-tuning: each task has a model of its own."""

from collections.abc import Sequence

from hmnet.methods.method import Method, Part
from hmnet.models.plan import separate


class Single(Method):
    """One model per task, trained one after another, so that any number needs the memory of one."""

    def plans(self, tasks: Sequence[str], depth: int) -> tuple[Part, ...]:
        """One part per task.

        Args:
            tasks: Names of all tasks of the run.
            depth: Layers of the backbone.

        Returns:
            The parts, in the order of the tasks.
        """
        return tuple(Part((task,), separate((task,), depth)) for task in tasks)

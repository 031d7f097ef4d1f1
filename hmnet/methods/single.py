"""Single-task fine-tuning: each task has a model of its own."""

from collections.abc import Sequence

from hmnet.methods.method import Method, ModelGroup
from hmnet.sharing.plan import separate
from relevance.tasks.task import Task


class Single(Method):
    """One model per task, trained one after another, so that any number needs the memory of one."""

    def plans(self, tasks: Sequence[Task], depth: int) -> tuple[ModelGroup, ...]:
        """One group per task, in their order."""
        names = [task.name for task in tasks]
        return tuple(ModelGroup((name,), separate((name,), depth)) for name in names)

"""HMNet: layers shared by all tasks below, by the tasks of a cluster above, and by none on top."""

from collections.abc import Sequence

from hmnet.methods.method import Method, ModelGroup
from hmnet.sharing.plan import check_layers, default_layers, hierarchical
from relevance.errors import RelevanceError
from relevance.tasks.task import Task


class HMNet(Method):
    """One model whose middle layers follow the clusters.

    Source:
        Fei et al. (2022), section 3.3.
    """

    reads_clusters = True

    def plans(self, tasks: Sequence[Task], depth: int) -> tuple[ModelGroup, ...]:
        """One group with all tasks; clusters are needed, and must fit the tasks."""
        if self.spec is None:
            raise RelevanceError(
                "Method 'hmnet' needs `clusters`, a file that `relevance cluster` writes."
                ' Give one, or take `method="multi"`.'
            )
        names = tuple(task.name for task in tasks)
        self.spec.check(names)
        layers = self.layers or default_layers(depth)
        check_layers(layers, depth)
        return (ModelGroup(names, hierarchical(self.spec, *layers)),)

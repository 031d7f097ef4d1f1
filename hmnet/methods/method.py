"""What a method is: it says which layers its tasks share, and which tasks train together."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import hmnet.methods
from hmnet.models.plan import SharingPlan
from relevance.clustering.spec import ClusterSpec
from relevance.registry import Registry


class Part(NamedTuple):
    """Tasks that one model is trained for; parts are trained one after another.

    Attributes:
        tasks: Names, in the order of the run.
        plan: Which layer module each of them uses at each depth.
    """

    tasks: tuple[str, ...]
    plan: SharingPlan


class Method(ABC):
    """A way to share layers among tasks.

    Args:
        spec: Which tasks share the middle layers; only methods that read clusters look at it.
        layers: How many shared, cluster and task layers; None for the default of the depth.
    """

    reads_clusters: bool = False

    def __init__(
        self, spec: ClusterSpec | None = None, layers: tuple[int, int, int] | None = None
    ) -> None:
        self.spec = spec
        self.layers = layers

    @abstractmethod
    def plans(self, tasks: Sequence[str], depth: int) -> tuple[Part, ...]:
        """The models to train.

        Args:
            tasks: Names of all tasks of the run.
            depth: Layers of the backbone.

        Returns:
            Parts that hold every task once; each starts from the pretrained weights and has an
            optimizer and a schedule of its own.

        Raises:
            RelevanceError: If the clusters or the layers don't fit the tasks or the depth.
        """

    @property
    def note(self) -> str | None:
        """One line for the user about arguments that this method does not use."""
        if self.reads_clusters:
            return None
        given = {"--clusters": self.spec, "--layers": self.layers}
        unused = [option for option, value in given.items() if value is not None]
        name = type(self).__module__.rpartition(".")[2]
        return f"Method '{name}' ignores {' and '.join(unused)}." if unused else None


@cache
def methods() -> Registry[Method]:
    """All methods, by name."""
    return Registry("method", hmnet.methods, Method)

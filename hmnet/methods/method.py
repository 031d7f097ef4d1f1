"""What a method is: it says which layers its tasks share, and which tasks train together."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import hmnet.methods
from hmnet.models.plan import SharingPlan
from hmnet.models.skill_table import SkillTable
from relevance.clustering.spec import ClusterSpec
from relevance.registry import Registry
from relevance.tasks.task import Task


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
        skills: Which skills a task activates; only methods that read skills look at it, and take
            the built-in table for None.
    """

    reads_clusters: bool = False
    reads_skills: bool = False

    def __init__(
        self,
        spec: ClusterSpec | None = None,
        layers: tuple[int, int, int] | None = None,
        skills: SkillTable | None = None,
    ) -> None:
        self.spec = spec
        self.layers = layers
        self.skills = skills

    @abstractmethod
    def plans(self, tasks: Sequence[Task], depth: int) -> tuple[Part, ...]:
        """The models to train.

        Args:
            tasks: Definitions of all tasks of the run.
            depth: Layers of the backbone.

        Returns:
            Parts that hold every task once; each starts from the pretrained weights and has an
            optimizer and a schedule of its own.

        Raises:
            RelevanceError: If clusters, layers or skills don't fit the tasks or the depth.
        """

    @property
    def note(self) -> str | None:
        """One line for the user about arguments that this method does not use."""
        clusters = {} if self.reads_clusters else {"--clusters": self.spec, "--layers": self.layers}
        skills = {} if self.reads_skills else {"--skills": self.skills}
        unused = [option for option, value in (clusters | skills).items() if value is not None]
        name = type(self).__module__.rpartition(".")[2]
        return f"Method '{name}' ignores {' and '.join(unused)}." if unused else None


@cache
def methods() -> Registry[Method]:
    """All methods, by name."""
    return Registry("method", hmnet.methods, Method)

"""Sharing plans: for every task, which layer module it uses at each depth.

Single-task fine-tuning, hard sharing and the hierarchical model are three such tables over one pool
of layers. A module is named after who uses it and where: `shared.0`, `cluster1.8`, `RTE.11`; what a
backbone keeps outside its layer list (embeddings, final norm, relative positions) is one more row,
`shared.outside` or `RTE.outside`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, model_validator

from hmnet.sharing.skill_table import Skills
from relevance.choice import Choice, Choosing, FromText
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.names import some

if TYPE_CHECKING:
    from hmnet.inserts.insert import AdapterModule
else:
    AdapterModule = Any  # it needs torch, which plans do without

ADAPTER_MODULES = Choosing("hmnet.inserts.insert:adapter_modules")


class Inserted(BaseModel):
    """The modules that are put into the layers, beside the weights that a plan names.

    Attributes:
        modules: An adapter module and its parameters.
        max_length: Most tokens of one input, for modules with a value per position.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    modules: Annotated[Choice[AdapterModule], FromText(Choice, ADAPTER_MODULES)]
    max_length: int


class SharingPlan(BaseModel):
    """A table of tasks and depths; tasks that name the same module share its weights.

    Attributes:
        outside: For every task, the name of what it uses outside the layer list.
        layers: For every task, the name of its layer at each depth, the lowest first.
        skills: For every task, which of a layer's feed-forward blocks it uses; None where a layer
            has the one that it came with.
        inserted: Modules that a method puts into the layers; None for layers as they came.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    outside: dict[str, str]
    layers: dict[str, tuple[str, ...]]
    skills: Skills | None = None
    inserted: Inserted | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "SharingPlan":
        if set(self.outside) != set(self.layers) or not self.layers:
            raise ValueError("'outside' and 'layers' need the same tasks, one at least")
        if self.skills is not None and set(self.skills.active) != set(self.layers):
            raise ValueError("'skills' and 'layers' need the same tasks")
        if len({len(names) for names in self.layers.values()}) != 1:
            raise ValueError("every task needs the same number of layers")
        used = {(name, depth) for row in self.layers.values() for depth, name in enumerate(row)}
        outside = set(self.outside.values())
        if len({name for name, _ in used} | outside) != len(used) + len(outside):
            raise ValueError("a module belongs to one depth: it starts as the pretrained one there")
        return self

    def __repr__(self) -> str:
        return f"SharingPlan({some(self.tasks)}; {len(self.depths)} layers, {self.depth} a task)"

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names."""
        return tuple(self.layers)

    @property
    def depth(self) -> int:
        """Number of layers that one task runs through."""
        return len(next(iter(self.layers.values())))

    @property
    def depths(self) -> dict[str, int]:
        """The depth that each layer module stands at, lowest first."""
        rows = zip(*self.layers.values(), strict=True)
        return {name: depth for depth, row in enumerate(rows) for name in row}


def fully_shared(tasks: Sequence[str], depth: int) -> SharingPlan:
    """Hard sharing, as in MT-DNN: one encoder for all tasks.

    Args:
        tasks: Names.
        depth: Number of the backbone's layers.

    Returns:
        The plan.

    >>> fully_shared(["RTE", "CB"], 2).layers
    {'RTE': ('shared.0', 'shared.1'), 'CB': ('shared.0', 'shared.1')}
    """
    names = tuple(f"shared.{level}" for level in range(depth))
    return SharingPlan(
        outside=dict.fromkeys(tasks, "shared.outside"), layers=dict.fromkeys(tasks, names)
    )


def separate(tasks: Sequence[str], depth: int) -> SharingPlan:
    """Single-task fine-tuning: every task has all layers, embeddings included, to itself.

    Args:
        tasks: Names.
        depth: Number of the backbone's layers.

    Returns:
        The plan.
    """
    return SharingPlan(
        outside={task: f"{task}.outside" for task in tasks},
        layers={task: tuple(f"{task}.{level}" for level in range(depth)) for task in tasks},
    )


def hierarchical(spec: ClusterSpec, x: int, y: int, z: int) -> SharingPlan:
    """The hierarchical model: `{x, y, z}` layers shared by all, by a cluster, and by nobody.

    Args:
        spec: Cluster spec, which says which tasks share the middle layers.
        x: Number of shared layers, the lowest ones.
        y: Number of cluster layers.
        z: Number of task layers, the highest ones.

    Returns:
        The plan; embeddings and the like are shared by all.

    Source:
        Fei et al. (2022), section 3.3.
    """
    layers = {
        task: (
            *(f"shared.{level}" for level in range(x)),
            *(f"cluster{cluster}.{level}" for level in range(x, x + y)),
            *(f"{task}.{level}" for level in range(x + y, x + y + z)),
        )
        for cluster, members in enumerate(spec.clusters)
        for task in members
    }
    return SharingPlan(outside=dict.fromkeys(layers, "shared.outside"), layers=layers)


def default_layers(depth: int) -> tuple[int, int, int]:
    """Default numbers of layers that are shared, per cluster and per task.

    Args:
        depth: Number of the backbone's layers.

    Returns:
        `(x, y, z)` with y = z = max(1, round(depth / 6)): 12 layers give the paper's 8, 2, 2.

    Raises:
        RelevanceError: If the backbone is too shallow to have all three levels.

    >>> default_layers(12), default_layers(6)
    ((8, 2, 2), (4, 1, 1))
    """
    if depth < 3:
        raise RelevanceError(
            f"The backbone has {depth} layers, too few for the three levels."
            " Say how many are shared, per cluster and per task, such as `layers=(1, 0, 1)`."
        )
    upper = max(1, round(depth / 6))
    return depth - 2 * upper, upper, upper


def check_layers(layers: tuple[int, int, int], depth: int) -> None:
    """Refuse layer counts that do not make up the backbone.

    Args:
        layers: `(x, y, z)`.
        depth: Number of the backbone's layers.

    Raises:
        RelevanceError: If a count is negative or their sum is not the depth.
    """
    if min(layers) < 0:
        raise RelevanceError(f"`layers={layers}` has a negative number; 0 leaves a level out.")
    if sum(layers) != depth:
        example = ""
        if depth >= 3:
            example = f" Its default is `layers={default_layers(depth)}`."
        raise RelevanceError(
            f"`layers={layers}` adds up to {sum(layers)}, but the backbone has {depth} layers."
            f"{example}"
        )

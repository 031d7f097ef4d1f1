"""The base of methods of clustering: ways to put the tasks of a matrix into groups."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any

from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from relevance.registry import Registry


@dataclass(frozen=True)
class ClusteringMethod(ABC):
    """A way to group tasks; the fields of a member are its options.

    A member says in `provenance["notes"]` of its specs what a reader should know of the groups.
    """

    @abstractmethod
    def cluster(self, matrix: RelevanceMatrix, k: int, *, seed: int = 0) -> ClusterSpec:
        """Group the tasks.

        Args:
            matrix: A matrix without unknown values.
            k: Number of groups, 1 to the number of tasks.
            seed: Seed of whatever is random; equal arguments give equal groups.

        Returns:
            Clusters in the order of their first tasks, tasks in the order of the matrix.

        Raises:
            RelevanceError: If a value is unknown, k is out of range, or the matrix does not tell
                enough tasks apart for k groups.
        """

    def quick(self) -> "ClusteringMethod":
        """A copy for clustering a hundred times, which takes less effort where that will do."""
        return self


methods = Registry("method", ClusteringMethod)
"""Every way to group tasks, by its name on the command line."""


def make_method(name: str, **options: Any) -> ClusteringMethod:
    """Make a method with the options that were chosen for it.

    Args:
        name: Name of a method in `methods`.
        **options: Values of the method's fields; None where not chosen.

    Returns:
        The method.

    Raises:
        RelevanceError: If there is no such method, or it does not take an option.
    """
    kind = methods.find(name)
    chosen = {option: value for option, value in options.items() if value is not None}
    for option in chosen:
        if option not in _options(kind):
            takers = [n for n in methods.names() if option in _options(methods.find(n))]
            raise RelevanceError(
                f"Method '{name}' takes no `{option}`; it goes with `method` {', '.join(takers)}."
            )
    return kind(**chosen)


def _options(kind: type[ClusteringMethod]) -> set[str]:
    return {field.name for field in fields(kind)}

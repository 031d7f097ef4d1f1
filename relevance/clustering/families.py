"""Groups that need no k: the families that a taxonomy matrix carries."""

from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix


def has_families(matrix: RelevanceMatrix) -> bool:
    """Whether the matrix says which family every task belongs to."""
    return bool(matrix.provenance.get("families"))


def family_clusters(matrix: RelevanceMatrix) -> ClusterSpec:
    """One cluster per family, called after it.

    Args:
        matrix: A matrix with `provenance["families"]`, {family: [task]}, as the taxonomy measure
            writes it. Families may name further tasks, as after `select`.

    Returns:
        Clusters in the order of their first tasks, tasks in the order of the matrix.

    Raises:
        RelevanceError: If the matrix has no families, or leaves one of its tasks without any.

    Source:
        Fei et al. (2022), section 3.2, manual taxonomy.
    """
    if not has_families(matrix):
        raise RelevanceError(
            f"This matrix of measure '{matrix.measure}' names no families."
            " Say how many clusters with `k`."
        )
    family_of = {
        task: family for family, tasks in matrix.provenance["families"].items() for task in tasks
    }
    members: dict[str, list[str]] = {}
    for task in matrix.tasks:
        if task not in family_of:
            raise RelevanceError(f"The matrix names no family of '{task}'. Measure it again.")
        members.setdefault(family_of[task], []).append(task)
    return ClusterSpec(
        clusters=tuple(map(tuple, members.values())), names=tuple(members), method="taxonomy"
    )

"""The order of tasks in a figure, and the groups that stand together in it."""

from collections.abc import Sequence
from itertools import groupby

from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError, unknown_name
from relevance.figures.style import ORDERS
from relevance.matrices.matrix import RelevanceMatrix


def ordered(
    matrix: RelevanceMatrix, clusters: ClusterSpec | None, order: Sequence[str] | None
) -> tuple[RelevanceMatrix, tuple[int, ...]]:
    """Put the tasks of a matrix in the order of a figure.

    Args:
        matrix: Any matrix.
        clusters: Groups of all its tasks, or None.
        order: As `relevance.figures.style.FigureStyle` has it; None for that of the groups.

    Returns:
        The matrix of the tasks that are shown, and the sizes of their groups from first to last;
        no sizes where there are no groups or one of them is torn apart by the order.

    Raises:
        RelevanceError: If the groups are not those of the matrix's tasks, the order is that of
            groups and there are none, it names a task that the matrix lacks, or it is that of a
            dendrogram and a value is unknown.
    """
    if clusters is not None:
        clusters.check(matrix.tasks, owner="matrix")
    tasks = order_of(matrix, clusters, order)
    if tasks != matrix.tasks:
        matrix = matrix.select(tasks)
    return matrix, _together(tasks, clusters)


def order_of(
    matrix: RelevanceMatrix, clusters: ClusterSpec | None, order: Sequence[str] | None
) -> tuple[str, ...]:
    """The tasks that are shown, in their order; arguments and errors are those of `ordered`."""
    named = tuple(order or ())
    if not named:
        return matrix.tasks if clusters is None else clusters.tasks
    if named == ("given",):
        return matrix.tasks
    if named == ("clusters",):
        if clusters is None:
            raise RelevanceError(
                "`order=clusters` takes groups, and there are none. Choose given, dendrogram or a"
                " list of tasks, or give `clusters` to a heat map."
            )
        return clusters.tasks
    if named == ("dendrogram",):
        return _by_likeness(matrix)
    for name in named:
        if name not in matrix.tasks:
            kind, known = ("order or task", ORDERS) if len(named) == 1 else ("task", ())
            raise unknown_name(kind, name, (*known, *matrix.tasks))
    return named


def _by_likeness(matrix: RelevanceMatrix) -> tuple[str, ...]:
    """Tasks as the leaves of a dendrogram (Ward's linkage), so that like rows are neighbours."""
    if len(matrix.tasks) < 2:
        return matrix.tasks
    from scipy.cluster.hierarchy import leaves_list

    from relevance.clustering.features import features
    from relevance.clustering.methods.agglomerative import merges

    leaves = leaves_list(merges(features(matrix), "ward", ordered=True))
    return tuple(matrix.tasks[leaf] for leaf in leaves.tolist())


def _together(tasks: Sequence[str], clusters: ClusterSpec | None) -> tuple[int, ...]:
    """Sizes of the groups where the tasks of each stand together, else none."""
    if clusters is None:
        return ()
    runs = [(group, len(list(run))) for group, run in groupby(map(clusters.cluster_of, tasks))]
    if len({group for group, _ in runs}) < len(runs):
        return ()
    return tuple(size for _, size in runs)

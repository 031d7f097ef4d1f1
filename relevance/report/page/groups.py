"""Groups of tasks in words: who is in them, how stable they are, what decides them."""

from collections.abc import Iterator, Sequence

import numpy as np

from relevance.clustering.column_influence import deciding_columns
from relevance.clustering.resting import resting_on
from relevance.clustering.spec import ClusterSpec, Stability
from relevance.clustering.worth import MeanGains, Worth, group_worth
from relevance.errors import RelevanceError
from relevance.marks import is_gains
from relevance.matrices.matrix import RelevanceMatrix
from relevance.report.page.content import Group, Groups, PageTable


def groups_of(clusters: ClusterSpec, matrices: Sequence[RelevanceMatrix]) -> Groups:
    """Say what there is to say of groups.

    Args:
        clusters: The groups.
        matrices: The matrices that are shown; the first one that has just these tasks, gains
            before likenesses, says what the groups are worth and which columns decide them.

    Returns:
        The groups in words.
    """
    fitting = [matrix for matrix in matrices if set(matrix.tasks) == set(clusters.tasks)]
    matrix = next(iter(sorted(fitting, key=lambda one: not is_gains(one))), None)
    worth = None if matrix is None else group_worth(matrix, clusters)
    names = clusters.names or [f"Group {number}" for number in range(len(clusters.clusters))]
    return Groups(
        groups=tuple(
            Group(name, tasks, tuple(_lines_of(number, tasks, clusters.stability, worth)))
            for number, (name, tasks) in enumerate(zip(names, clusters.clusters, strict=True))
        ),
        lines=tuple(_sentence(line) for line in _lines(clusters, matrix)),
        worth=None
        if worth is None
        else PageTable(tuple(worth.rows()), remarks=tuple(map(_sentence, worth.lines()))),
    )


def _sentence(line: str) -> str:
    return f"{line[0].upper()}{line[1:].rstrip('.')}."


def _lines(clusters: ClusterSpec, matrix: RelevanceMatrix | None) -> Iterator[str]:
    """Method, fit, stability, and the columns that decide."""
    count, tasks = len(clusters.clusters), len(clusters.tasks)
    yield f"{tasks} tasks in {count} group{'s' * (count != 1)}, found by {clusters.method}"
    if clusters.silhouette is not None:
        yield (
            f"silhouette {clusters.silhouette:.2f}: 1 for groups far apart, 0 for groups that touch"
        )
    if clusters.stability is not None:
        yield str(clusters.stability)
    columns: set[str] = set()
    if matrix is not None and clusters.inertia is not None:
        try:
            deciding = deciding_columns(matrix, clusters)
        except RelevanceError:  # an unknown value, which the groups were made without
            deciding = None
        if deciding is not None:
            columns = {*deciding.carrying, *deciding.changing}
            yield str(deciding)
    if matrix is not None and (resting := resting_on(matrix, sorted(columns))):
        yield resting
    yield from clusters.provenance.get("notes", ())


def _lines_of(
    number: int, tasks: tuple[str, ...], stability: Stability | None, worth: Worth | None
) -> Iterator[str]:
    """How firmly a group holds together, and what its tasks gain."""
    yield from _holding(tasks, stability)
    if worth is not None:
        part = worth.groups[number]
        said = [
            f"{100 * gain:+.2f} {worth.unit} from {whom}"
            for gain, whom in _sides(part)
            if gain is not None
        ]
        if said:
            yield f"Mean gain of its tasks: {', '.join(said)}."


def _sides(part: MeanGains) -> tuple[tuple[float | None, str], ...]:
    return (part.within, "each other"), (part.across, "tasks of other groups")


def _holding(tasks: tuple[str, ...], stability: Stability | None) -> Iterator[str]:
    """How often members stayed together in what the consensus is of, where that is known."""
    if len(tasks) < 2 or stability is None or not set(tasks) <= set(stability.tasks):
        return
    places = [stability.tasks.index(task) for task in tasks]
    shares = np.array(stability.consensus)[np.ix_(places, places)]
    apart = ~np.eye(len(tasks), dtype=bool)
    of_task = shares.sum(axis=1, where=apart) / (len(tasks) - 1)
    loosest = int(of_task.argmin())
    unknown = stability.adjusted_rand is None
    over = "of the groupings without one task" if unknown else "of the resamples"
    line = f"Two of its tasks are together in {100 * shares[apart].mean():.0f} % {over}"
    if len(tasks) > 2:
        line += f"; {tasks[loosest]} holds least, with {100 * of_task[loosest]:.0f} %"
    yield f"{line}; that is sensitivity, not stability." if unknown else f"{line}."

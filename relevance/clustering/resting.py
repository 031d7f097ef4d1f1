"""The marked cells that groups rest on: those that may be noise or the trace of a failed run."""

from collections.abc import Sequence

from relevance.clustering.column_influence import listed
from relevance.marks import marks
from relevance.matrices.matrix import RelevanceMatrix


def resting_on(matrix: RelevanceMatrix, columns: Sequence[str] = ()) -> str | None:
    """A line on the share of marked cells, in all and in deciding columns; None without marks."""
    marked = marks(matrix)
    if not marked.any.any():
        return None
    kinds = ", ".join(f"{number} {kind}" for kind, number in marked.counts().items())
    line = (
        f"resting on marked cells: {int(marked.any.sum())} of {int(marked.known.sum())} ({kinds})"
    )
    per_column, known = marked.any.sum(axis=0).tolist(), marked.known.sum(axis=0).tolist()
    shares = [
        f"{task} {per_column[place]} of {known[place]}"
        for place, task in enumerate(matrix.tasks)
        if task in columns
    ]
    return line + (f"; of deciding columns {listed(shares, ' and ')}" if shares else "")


def tells_anything(matrix: RelevanceMatrix) -> bool:
    """Whether at least one cell off the diagonal is known and carries no mark."""
    found = marks(matrix)
    return bool((found.known & ~found.any).any())

"""What groups rest on: how many cells of their matrix may be noise or the trace of a failed run."""

from collections.abc import Sequence

from relevance.clustering.column_influence import listed
from relevance.marks import marks
from relevance.matrices.matrix import RelevanceMatrix


def resting_on(matrix: RelevanceMatrix, columns: Sequence[str] = ()) -> str | None:
    """What share of a matrix groups are made of carries a mark, and so may be noise.

    Args:
        matrix: What was grouped.
        columns: Targets whose columns decide the groups.

    Returns:
        One line; None where no cell is marked.
    """
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
    """Whether at least one cell of a matrix is known and nothing is against it.

    Args:
        matrix: Any matrix.

    Returns:
        False where all known cells off the diagonal are marked, or none is known.
    """
    found = marks(matrix)
    return bool((found.known & ~found.any).any())

"""Files of recorded runs, as scripts of this folder take them: read, and refused in one line."""

from pathlib import Path
from typing import Any

import relevance
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from relevance.tasks.read import column_names, read_columns

FEWEST_TASKS = 3  # of two tasks a target has one source, and nothing is to be ranked


def settings_of(path: Path) -> list[str | None]:
    """The settings of a file of runs; None alone where it has no such column."""
    if "setting" not in column_names(path):
        return [None]
    (settings,) = read_columns(path, ["setting"]).values()
    return sorted(set(settings))


def recorded(path: Path, **choices: Any) -> RelevanceMatrix:
    """The matrix of a file's runs, of which a part of the seeds is to be compared with the others.

    Args:
        path: The file.
        **choices: What `relevance.import_runs` takes beside it.

    Returns:
        The matrix, with the values of every seed.

    Raises:
        RelevanceError: If it cannot be read, or has fewer than two seeds or three tasks.
    """
    matrix = relevance.import_runs(path, **choices)
    if len(matrix.seeds) < 2:
        raise RelevanceError(f"{path} has {len(matrix.seeds)} seed. Expected two at least.")
    if len(matrix.tasks) < FEWEST_TASKS:
        both = " that are source and target" if choices.get("square") else ""
        raise RelevanceError(
            f"{path} has {len(matrix.tasks)} tasks{both}. Expected {FEWEST_TASKS} at least."
        )
    return matrix

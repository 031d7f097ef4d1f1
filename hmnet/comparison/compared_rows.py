"""Whether runs that stand side by side were scored on the same rows."""

from collections.abc import Mapping, Sequence

from hmnet.runs.scores import MAJORITY, Score, as_rows, row_name

DIFFERENT = " †"
"""Marks rows of a table whose scores are of other rows of data, or other labels, in some runs."""

Place = tuple[str, str]  # task and split


def different_rows(scores: Sequence[Score]) -> set[Place]:
    """Find out which rows differ between runs.

    Args:
        scores: Scores of all runs.

    Returns:
        Tasks and splits whose rows, or what their labels mean, differ between two runs: by the
        digests of those that have one, or by what the majority class scores.
    """
    digests: dict[Place, set[str]] = {}
    constants: dict[tuple[str, str, str], set[float]] = {}
    for score in as_rows(scores):
        if score.method == MAJORITY:
            constants.setdefault((score.task, score.split, score.metric), set()).add(score.value)
        if score.rows is not None:
            digests.setdefault((score.task, score.split), set()).add(score.rows)
    different = {place for place, found in digests.items() if len(found) > 1}
    return different | {(task, split) for (task, split, _), v in constants.items() if len(v) > 1}


def note_on(different: set[Place], splits: Mapping[str, Sequence[str]], *, allowed: bool) -> str:
    """Notes on rows that differ between runs.

    Args:
        different: Tasks and splits, one at least.
        splits: All splits that were scored, by task.
        allowed: Whether they were compared all the same.

    Returns:
        A sentence or two.
    """
    names = ", ".join(row_name(task, split, splits[task]) for task, split in sorted(different))
    what = (
        f"{DIFFERENT.strip()}: the runs were scored on other rows, other data or other"
        f" definitions of labels: {names}."
    )
    if allowed:
        return f"{what} Tests, averages and bold count them all the same (`allow_different=True`)."
    return f"{what} No test, no bold and no part in the average; `allow_different=True` has them."

"""What the loss of each task counts for in a step, as a user writes it."""

import math
from collections.abc import Iterable

from relevance.errors import RelevanceError, unknown_name


def read_loss_weights(text: str) -> dict[str, float]:
    """Weights by task.

    Args:
        text: `TASK=NUMBER` with commas between; names in any case.

    Returns:
        Numbers above 0 by the task's name in lower case.

    Raises:
        RelevanceError: If a part is of another form, or a task is named twice.

    >>> read_loss_weights("QQP=0.5, STS-B=2")
    {'qqp': 0.5, 'sts-b': 2.0}
    """
    weights: dict[str, float] = {}
    for part in text.split(","):
        task, _, number = (piece.strip() for piece in part.partition("="))
        weight = _number(number)
        if not task or not 0 < weight < math.inf:
            raise RelevanceError(
                f"--loss-weights takes TASK=NUMBER with numbers above 0, got '{part.strip()}'."
            )
        if task.lower() in weights:
            raise RelevanceError(f"--loss-weights names task '{task}' twice. Name it once.")
        weights[task.lower()] = weight
    return weights


def check_loss_weights(text: str | None, tasks: Iterable[str]) -> None:
    """Refuse weights of tasks that are not trained.

    Args:
        text: As `read_loss_weights` reads it; None for no weights.
        tasks: Names of those that are.

    Raises:
        RelevanceError: If a task is not among them.
    """
    known = {task.lower(): task for task in tasks}
    for name in read_loss_weights(text) if text else ():
        if name not in known:
            raise unknown_name("task in --loss-weights", name, known.values())


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

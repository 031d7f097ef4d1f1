"""What a kind of task is: what its rows are labelled with, and how that is read and scored."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float

import relevance.tasks.kinds
from relevance.errors import RelevanceError
from relevance.registry import Registry
from relevance.tasks.data import Labels, Split
from relevance.tasks.task import Task


class LabelColumn(NamedTuple):
    """Labels as they stand in a file.

    Attributes:
        values: A cell for each row.
        texts: What they are the labels of: the text columns.
    """

    values: Sequence[Any]
    texts: Sequence[Sequence[str]]


class Constant(NamedTuple):
    """What answering without reading gives.

    Attributes:
        predictions: One per row.
        losses: Losses of the best constant, per row.
    """

    predictions: Labels
    losses: Float[np.ndarray, " row"]


class LabelKind(ABC):
    """What tasks of one kind have in common.

    Args:
        task: One of them.

    Attributes:
        metrics: The metrics that such a task may name.
        per_row: Whether each row has one label or value, and not several.
        outputs: Outputs of a head, where a task has no labels.
        options: Fields of a definition that are for this kind alone.
    """

    metrics: ClassVar[frozenset[str]]
    per_row: ClassVar[bool] = True
    outputs: ClassVar[int] = 1
    options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, task: Task) -> None:
        self.task = task

    @abstractmethod
    def check(self) -> None:
        """Refuse a definition that leaves something open.

        Raises:
            ValueError: With what is missing, in one line.
        """

    def text(self, value: Any) -> str:
        """A cell of a text column as text.

        Args:
            value: As it stands in a file.

        Returns:
            The text.

        Raises:
            RelevanceError: If it is none, in words that follow the name of the column.
        """
        if not isinstance(value, str):
            got = "null" if value is None else f"{value!r:.50}, which is no text"
            raise RelevanceError(f"is {got}. An empty string is valid text.")
        return value

    @abstractmethod
    def labels(self, column: LabelColumn, where: str) -> Labels:
        """A label column as training and scoring have it.

        Args:
            column: As it stands in a file.
            where: How to name the place in messages.

        Returns:
            One label per row.

        Raises:
            RelevanceError: If one is none of the task's.
        """

    @abstractmethod
    def constant(self, train: Split, evaluation: Split) -> Constant:
        """What answering without reading gives.

        Args:
            train: Where frequencies come from.
            evaluation: The rows to be answered.

        Returns:
            The same prediction for every row, or the like.
        """


@cache
def kinds() -> Registry[LabelKind]:
    """All kinds, by name."""
    return Registry("kind", relevance.tasks.kinds, LabelKind)


def kind_of(task: Task) -> LabelKind:
    """The kind of a task."""
    return kinds().find(task.kind)(task)


def check_per_row(tasks: Iterable[Task], what: str, hint: str) -> None:
    """Refuse tasks whose rows have more than one label.

    Args:
        tasks: The tasks.
        what: What cannot do with them, such as `Measure 'logme'`.
        hint: What to do about it, as a sentence.

    Raises:
        RelevanceError: At the first of them.
    """
    for task in tasks:
        if not kind_of(task).per_row:
            raise RelevanceError(
                f"{what} needs one label or value for each row, but task '{task.name}' is of kind"
                f" {task.kind}. {hint}"
            )

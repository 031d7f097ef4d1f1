"""The base of kinds of tasks: how labels are read, scored and answered by a constant."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError
from relevance.registry import Registry
from relevance.tasks.data import Labels, Split
from relevance.tasks.task import Task


class LabelColumn(NamedTuple):
    """Labels as they stand in a file.

    Attributes:
        values: A cell for each row.
        texts: Text columns of the labelled rows.
    """

    values: Sequence[Any]
    texts: Sequence[Sequence[str]]


class Constant(NamedTuple):
    """The answers of a model that reads nothing, and their losses.

    Attributes:
        predictions: One prediction per row.
        losses: Losses of the best constant, per row.
    """

    predictions: Labels
    losses: Float[np.ndarray, " row"]


class LabelKind(ABC):
    """The reading and scoring of labels that tasks of one kind share.

    Args:
        task: A task of the kind.

    Attributes:
        metrics: The metrics that such a task may name.
        per_row: Whether each row has one label or value, and not several or its own alternatives.
        options: Fields of a definition that are for this kind alone.
    """

    metrics: ClassVar[frozenset[str]]
    per_row: ClassVar[bool] = True
    options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def outputs(self) -> int:
        """Number of outputs of a head: one per label or tag, one where there are none."""
        return len(self.task.labels) or 1

    @property
    def parts(self) -> int:
        """Number of texts of a row."""
        return len(self.task.text)

    @property
    def further(self) -> tuple[str, ...]:
        """Columns that a row is read from beside those of `text`."""
        return ()

    @abstractmethod
    def check(self) -> None:
        """Refuse a definition that leaves something open.

        Raises:
            ValueError: If something is missing, told in one line.
        """

    def text(self, value: Any) -> str:
        """A cell of a text column as text.

        Args:
            value: Value as it stands in a file.

        Returns:
            The text.

        Raises:
            RelevanceError: If it is no text, in words that follow the name of the column.
        """
        if not isinstance(value, str):
            got = "null" if value is None else f"{value!r:.50}, which is no text"
            raise RelevanceError(f"is {got}. An empty string is valid text.")
        return value

    def completed(
        self,
        texts: tuple[str, ...],
        cells: Mapping[str, Any],  # noqa: ARG002
    ) -> tuple[str, ...]:
        """What a row is read from: its texts, with what the further columns say.

        Args:
            texts: Cells of the columns of `text`.
            cells: Cells of the further columns as they stand in a file.

        Returns:
            As many texts for every row of the task; how they hold it is the kind's own affair.

        Raises:
            RelevanceError: If a cell does not say what it should.
        """
        return texts

    def plain(self, text: str) -> str:
        """What a reader sees of one of these texts."""
        return text

    @abstractmethod
    def labels(self, column: LabelColumn, where: str) -> Labels:
        """A label column as training and scoring have it.

        Args:
            column: Column as it stands in a file.
            where: Name of the place in messages.

        Returns:
            One label per row.

        Raises:
            RelevanceError: If a label is none of the task's.
        """

    def label_counts(self, labels: Labels) -> dict[str, int]:
        """How often each answer occurs, for people who look at their data.

        Args:
            labels: Labels of a split.

        Returns:
            Counts by label, in the order of codes and 0 where a label does not occur; by what else
            a kind tells apart.
        """
        counts = np.bincount(labels, minlength=len(self.task.labels)).tolist()
        names = self.task.labels or [str(place) for place in range(len(counts))]
        return dict(zip(names, counts, strict=True))

    def inputs(self, text: str) -> list[str]:
        """What a model reads of a text, an input each where it reads several in turn."""
        return [self.plain(text)]

    @abstractmethod
    def constant(self, train: Split, evaluation: Split) -> Constant:
        """Answer rows without reading them, by the frequencies of labels in the training split."""


kinds = Registry("kind", LabelKind)
"""All kinds, by name."""


def kind_of(task: Task) -> LabelKind:
    """The kind of a task."""
    return kinds.find(task.kind)(task)


def check_per_row(tasks: Iterable[Task], what: str, hint: str) -> None:
    """Refuse tasks whose rows have more than one label.

    Args:
        tasks: The tasks.
        what: Thing that cannot do with them, such as `Measure 'logme'`.
        hint: Advice, as a sentence.

    Raises:
        RelevanceError: If there is such a task.
    """
    for task in tasks:
        if not kind_of(task).per_row:
            raise RelevanceError(
                f"{what} needs one label or value for each row, but task '{task.name}' is of kind"
                f" {task.kind}. {hint}"
            )

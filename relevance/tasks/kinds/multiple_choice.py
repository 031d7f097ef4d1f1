"""Multiple choice: which of a row's own alternatives is right."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int

from relevance.errors import RelevanceError, shown
from relevance.tasks.cells import json_list, whole_number
from relevance.tasks.data import Split
from relevance.tasks.kinds.kind import Constant, LabelColumn, LabelKind

BETWEEN = "\u2029"
"""Stands between two alternatives: Unicode's own sign that a paragraph ends."""


class MultipleChoice(LabelKind):
    """Labels are places of alternatives, from 0; rows may have different numbers of them.

    The last text of a row is its alternatives, with a paragraph separator between two. Such a
    separator inside an alternative becomes a line break.
    """

    metrics: ClassVar = frozenset({"accuracy"})
    per_row: ClassVar = False
    options: ClassVar = frozenset({"choices"})

    @property
    def parts(self) -> int:
        """The texts, and an alternative."""
        return len(self.task.text) + 1

    @property
    def further(self) -> tuple[str, ...]:
        """The columns of the alternatives."""
        return self.task.choices

    def check(self) -> None:
        """Columns of alternatives, and no labels."""
        task = self.task
        if not task.choices:
            raise ValueError(
                "a multiple-choice task needs `choices`: a column for each alternative, such as"
                ' ["choice1", "choice2"], or one column of lists'
            )
        if both := set(task.choices) & {*task.text, *task.group}:
            raise ValueError(f"`choices` names '{min(both)}', which is a text or group column too")
        if task.labels:
            raise ValueError("a multiple-choice task has `choices` and no `labels`")

    def completed(self, texts: tuple[str, ...], cells: Mapping[str, Any]) -> tuple[str, ...]:
        """The texts, and the alternatives as one text more."""
        found = self._listed(cells)
        while found and found[-1] is None and len(cells) > 1:
            found.pop()  # rows have as many as there are cells with something in them
        names = self.task.choices
        for place, each in enumerate(found):
            name = f"column '{names[place if len(names) > 1 else 0]}'"
            if not isinstance(each, str):
                raise RelevanceError(f"{name} has {shown(each)} as alternative {place}, no text.")
        if not found:
            raise RelevanceError(f"column '{names[0]}' has no alternative. A row needs one.")
        return (*texts, BETWEEN.join(each.replace(BETWEEN, "\n") for each in found))

    def plain(self, text: str) -> str:
        """The text, an alternative on each line."""
        return text.replace(BETWEEN, "\n")

    def inputs(self, text: str) -> list[str]:
        """The alternatives."""
        return alternatives(text)

    def labels(self, column: LabelColumn, where: str) -> Int[np.ndarray, " row"]:
        """Places of the right alternatives."""
        found = np.empty(len(column.values), dtype=np.int64)
        for row, (value, text) in enumerate(zip(column.values, column.texts[-1], strict=True)):
            place, count = whole_number(value), len(alternatives(text))
            if place is None or not 0 <= place < count:
                raise RelevanceError(
                    f"{where}, row {row + 1}: label {shown(value)} is none of the row's {count}"
                    f" alternatives. Expected a whole number from 0 to {count - 1}."
                )
            found[row] = place
        return found

    def constant(self, train: Split, evaluation: Split) -> Constant:
        """The commonest place among those that a row has; cross-entropy in nats.

        One is added to every count, so that the loss stays finite.
        """
        counts = [len(alternatives(text)) for text in evaluation.texts[-1]]
        known = np.bincount(train.labels, minlength=max(counts)) + 1
        chosen = [int(known[:count].argmax()) for count in counts]
        losses = [
            float(np.log(known[:count].sum() / known[label]))
            for count, label in zip(counts, evaluation.labels.tolist(), strict=True)
        ]
        return Constant(np.array(chosen, dtype=np.int64), np.array(losses))

    def _listed(self, cells: Mapping[str, Any]) -> list[Any]:
        """The cells of all columns, or those of the one list."""
        if len(self.task.choices) > 1:
            return [cells[name] for name in self.task.choices]
        (name,) = self.task.choices
        listed = json_list(cells[name])
        if listed is None:
            raise RelevanceError(
                f"column '{name}' is {shown(cells[name])}, expected a list of alternatives; in csv"
                ' and tsv as JSON, such as ["a", "b"].'
            )
        return list(listed)


def alternatives(text: str) -> list[str]:
    """The alternatives of a row, from the text that holds them.

    >>> alternatives("It rains." + BETWEEN + "It is dry.")
    ['It rains.', 'It is dry.']
    """
    return text.split(BETWEEN)

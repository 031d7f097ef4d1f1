"""Multiple choice: which of a row's own alternatives is right."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int

from relevance.errors import RelevanceError, shown
from relevance.numerals import whole_number
from relevance.tasks.cells import json_list
from relevance.tasks.data import Labels, Split
from relevance.tasks.kinds.kind import Constant, LabelColumn, LabelKind

BETWEEN = "\u2029"
"""Stands between two alternatives: Unicode's own sign that a paragraph ends."""
LETTER = re.compile(r"\s*([A-Z])\s*")
EXPECTED_FIRST = 7
"""Rows expected at the first place from which on it is no chance, below 0.1 %, that none is."""


class MultipleChoice(LabelKind):
    """Labels are places of alternatives, from 0; rows may have different numbers of them.

    In files a label is a number, counted from the task's `first`, or a capital letter: the column
    of `choices` with that name, else A for the first place.

    The last text of a row is its alternatives, with a paragraph separator between two. Such a
    separator inside an alternative becomes a line break.

    Attributes:
        noun: What an alternative is called in messages.
    """

    noun: ClassVar = "alternative"

    metrics: ClassVar = frozenset({"accuracy"})
    per_row: ClassVar = False
    options: ClassVar = frozenset({"choices", "first"})

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
                f"a {task.kind} task needs `choices`: a column for each {self.noun}, such as"
                ' ["choice1", "choice2"], or one column of lists'
            )
        if both := set(task.choices) & {*task.text, *task.group}:
            raise ValueError(f"`choices` names '{min(both)}', which is a text or group column too")
        if task.labels:
            raise ValueError(f"a {task.kind} task has `choices` and no `labels`")

    def completed(self, texts: tuple[str, ...], cells: Mapping[str, Any]) -> tuple[str, ...]:
        """The texts, and the alternatives as one text more."""
        return (*texts, BETWEEN.join(self.listed(cells)))

    def listed(self, cells: Mapping[str, Any]) -> list[str]:
        """The alternatives of a row.

        Args:
            cells: Cells of the columns of `choices`.

        Returns:
            At least one, without the separator inside.

        Raises:
            RelevanceError: If there is none, or something is no text.
        """
        found = self._cells(cells)
        while found and found[-1] is None and len(cells) > 1:
            found.pop()  # rows have as many as there are cells with something in them
        names = self.task.choices
        for place, each in enumerate(found):
            name = f"column '{names[place if len(names) > 1 else 0]}'"
            if not isinstance(each, str):
                raise RelevanceError(f"{name} has {shown(each)} as {self.noun} {place}, no text.")
        if not found:
            raise RelevanceError(f"column '{names[0]}' has no {self.noun}. A row needs one.")
        return [each.replace(BETWEEN, "\n") for each in found]

    def plain(self, text: str) -> str:
        """The text, an alternative on each line."""
        return text.replace(BETWEEN, "\n")

    def inputs(self, text: str) -> list[str]:
        """The alternatives."""
        return alternatives(text)

    def labels(self, column: LabelColumn, where: str) -> Int[np.ndarray, " row"]:
        """Places of the right alternatives."""
        counts = [len(alternatives(text)) for text in column.texts[-1]]
        found = np.empty(len(counts), dtype=np.int64)
        first = self.task.first or 0
        for row, (value, count) in enumerate(zip(column.values, counts, strict=True)):
            place = self._place(value)
            if place is None or not 0 <= place < count:
                hint = " If they count from 1, say `first = 1` in the task's definition."
                raise RelevanceError(
                    f"{where}, row {row + 1}: label {shown(value)} is none of the row's {count}"
                    f" alternatives. Expected a whole number from {first} to {first + count - 1},"
                    f" or a letter from A to {chr(ord('A') + min(count, 26) - 1)}."
                    f"{hint if place == count and self.task.first is None else ''}"
                )
            found[row] = place
        if self.task.first is None and found.all() and sum(1 / n for n in counts) > EXPECTED_FIRST:
            raise RelevanceError(
                f"{where}: no label of {len(counts):,} rows is 0, the first of their alternatives,"
                " so they seem to count from 1. Say `first = 1` in the task's definition, or"
                " `first = 0` where they are right."
            )
        return found

    def label_counts(self, labels: Labels) -> dict[str, int]:
        """Rows by the number of the right alternative, as files count."""
        counts = np.bincount(labels).tolist()
        return {str(place): count for place, count in enumerate(counts, start=self.task.first or 0)}

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

    def _place(self, value: Any) -> int | None:
        """The place, from 0, that a label means."""
        if isinstance(value, str) and (letter := LETTER.fullmatch(value)):
            named = letter[1] in self.task.choices
            return self.task.choices.index(letter[1]) if named else ord(letter[1]) - ord("A")
        number = whole_number(value)
        return None if number is None else number - (self.task.first or 0)

    def _cells(self, cells: Mapping[str, Any]) -> list[Any]:
        """The cells of all columns, or those of the one list."""
        if len(self.task.choices) > 1:
            return [cells[name] for name in self.task.choices]
        (name,) = self.task.choices
        listed = json_list(cells[name])
        if listed is None:
            raise RelevanceError(
                f"column '{name}' is {shown(cells[name])}, expected a list of {self.noun}s; in csv"
                ' and tsv as JSON, such as ["a", "b"].'
            )
        return list(listed)


def alternatives(text: str) -> list[str]:
    """The alternatives of a row, from the text that holds them.

    >>> alternatives("It rains." + BETWEEN + "It is dry.")
    ['It rains.', 'It is dry.']
    """
    return text.split(BETWEEN)

"""Token classification: a tag for every word of a text, entities in BIO form."""

import re
from collections import Counter
from typing import Any, ClassVar

import numpy as np

from relevance.errors import RelevanceError
from relevance.tasks.cells import json_list
from relevance.tasks.data import Labels, Split, as_rows
from relevance.tasks.entities import OUTSIDE
from relevance.tasks.kinds.kind import Constant, LabelColumn, LabelKind
from relevance.tasks.labels import LabelNames
from relevance.tasks.task import Task


class Tokens(LabelKind):
    """Labels are tuples of tags, one for each word.

    A text is its words with single spaces between them, so whatever reads texts reads these.
    """

    metrics: ClassVar = frozenset({"entity_f1"})
    per_row: ClassVar = False

    def check(self) -> None:
        """One column of words, and labels in BIO form."""
        if len(self.task.text) != 1:
            raise ValueError(
                f"a token task reads one column of words, but 'text' names {len(self.task.text)}"
            )
        other = [label for label in self.task.labels if not re.fullmatch(r"O|[BI]-.+", label)]
        if OUTSIDE not in self.task.labels or len(self.task.labels) < 2 or other:
            got = ", ".join(self.task.labels) or "none"
            raise ValueError(
                f"a token task needs `labels` in BIO form, such as O, B-person, I-person; got {got}"
            )

    def text(self, value: Any) -> str:
        """The words of a list, joined."""
        listed = json_list(value)
        if listed is None:
            got = "null" if value is None else f"{value!r:.50}"
            raise RelevanceError(
                f'is {got}, expected a list of words; in csv and tsv as JSON, such as ["a", "b"].'
            )
        for place, word in enumerate(listed, start=1):
            if not isinstance(word, str) or not word or " " in word:
                raise RelevanceError(
                    f"has {word!r:.50} as word {place}. Words must be texts, neither empty nor"
                    " with a space inside."
                )
        return " ".join(listed)

    def labels(self, column: LabelColumn, where: str) -> Labels:
        """Tags by name, from names or codes."""
        known = LabelNames(self.task.labels)
        cells = column.values, column.texts[0]
        return as_rows(
            [
                _tags(self.task, known, value, len(words(text)), f"{where}, row {row}")
                for row, (value, text) in enumerate(zip(*cells, strict=True), start=1)
            ]
        )

    def label_counts(self, labels: Labels) -> dict[str, int]:
        """Words with each tag."""
        counts = Counter(tag for tags in labels for tag in tags)
        return {label: counts[label] for label in self.task.labels}

    def constant(self, train: Split, evaluation: Split) -> Constant:
        """The commonest tag for every word; a row's loss is the mean cross-entropy of its words.

        One is added to every count, so that the loss stays finite.
        """
        counted = Counter(tag for tags in train.labels for tag in tags)
        counts = np.array([counted[label] for label in self.task.labels])
        losses = dict(
            zip(self.task.labels, -np.log((counts + 1) / (counts + 1).sum()), strict=True)
        )
        commonest = self.task.labels[int(counts.argmax())]
        return Constant(
            as_rows([(commonest,) * len(tags) for tags in evaluation.labels]),
            np.array(
                [np.mean([losses[tag] for tag in tags] or [0.0]) for tags in evaluation.labels]
            ),
        )


def words(text: str) -> list[str]:
    """The words of a token task's text.

    >>> words("Empire State Building"), words("")
    (['Empire', 'State', 'Building'], [])
    """
    return text.split(" ") if text else []


def _tags(task: Task, known: LabelNames, value: Any, count: int, where: str) -> tuple[str, ...]:
    """The tags of one row."""
    listed = json_list(value)
    if listed is None:
        raise RelevanceError(
            f"{where}: column '{task.label}' is {value!r:.50}, expected a list of tags; in csv and"
            ' tsv as JSON, such as ["O", "B-person"].'
        )
    if len(listed) != count:
        raise RelevanceError(
            f"{where}: {len(listed)} tags in '{task.label}' for {count} words in"
            f" '{task.text[0]}'. Give each word one."
        )
    codes = known.codes(listed)
    if None in codes:
        raise RelevanceError(f"{where}: tag {known.refusal(listed[codes.index(None)])}")
    return tuple(task.labels[code] for code in codes if code is not None)

"""Span extraction: an answer that stands somewhere in a text, in the form of SQuAD."""

from collections import Counter
from typing import Any, ClassVar

import numpy as np

from relevance.errors import RelevanceError
from relevance.tasks.cells import nested
from relevance.tasks.data import Labels, Split, as_rows
from relevance.tasks.kinds.kind import Constant, LabelColumn, LabelKind

NOWHERE = -1
"""Place of an answer that counts as right and does not stand in the context; others come first."""
FORMS = '{"text": [...], "answer_start": [...]} or [{"text": ..., "answer_start": ...}]'


class Span(LabelKind):
    """Labels are tuples of answers, each a text and the character at which it begins.

    The first one is learned. Behind it there may be some at -1, which stand nowhere in the context
    and are right all the same, as MRQA has them.

    Predictions are texts. A question without answer has the empty tuple and is rightly answered by
    the empty text.
    """

    metrics: ClassVar = frozenset({"span_em", "span_f1"})
    per_row: ClassVar = False
    options: ClassVar = frozenset({"unanswerable"})

    @property
    def outputs(self) -> int:
        """How well a token begins the answer, and ends it."""
        return 2

    def check(self) -> None:
        """A question and a context, and nothing that says how to cut it."""
        task = self.task
        if len(task.text) != 2:
            raise ValueError(
                "a span task reads a question and the context that answers it, but 'text' names"
                f" {len(task.text)}"
            )
        if task.labels:
            raise ValueError("a span task has answers and no `labels`")
        if task.truncate:
            raise ValueError("a span task reads a long context in parts; leave out `truncate`")

    def labels(self, column: LabelColumn, where: str) -> Labels:
        """Answers, each checked to stand where it is said to."""
        cells = zip(column.values, column.texts[1], strict=True)
        return as_rows(
            [
                self._answers(value, context, f"{where}, row {row}")
                for row, (value, context) in enumerate(cells, start=1)
            ]
        )

    def label_counts(self, labels: Labels) -> dict[str, int]:
        """Questions with an answer, and those without."""
        answered = sum(1 for golds in labels if golds)
        return {"answered": answered, "without answer": len(labels) - answered}

    def constant(self, train: Split, evaluation: Split) -> Constant:
        """The commonest answer, none among them; the loss is that of any word being as likely.

        Both ends are looked for among the words of the context between white space.
        """
        counts = Counter(golds[0][0] if golds else "" for golds in train.labels)
        ((commonest, _),) = counts.most_common(1)
        lengths = [max(len(context.split()), 1) for context in evaluation.texts[1]]
        return Constant(as_rows([commonest] * len(evaluation)), np.log(lengths))

    def _answers(self, value: Any, context: str, where: str) -> tuple[tuple[str, int], ...]:
        """The answers of one row."""
        name = self.task.label
        listed = _pairs(nested(value))
        if listed is None:
            got = "null" if value is None else f"{value!r:.50}"
            raise RelevanceError(f"{where}: column '{name}' is {got}, expected {FORMS}.")
        for text, start in listed:
            if start == NOWHERE and text.strip() and listed[0][1] != NOWHERE:
                continue
            found = context[start : start + len(text)]
            if not text.strip() or start < 0 or found != text:
                raise RelevanceError(
                    f"{where}: answer {text!r:.50} does not stand at character {start} of"
                    f" '{self.task.text[1]}': {found!r:.50} does."
                )
        if not listed and not self.task.unanswerable:
            raise RelevanceError(
                f"{where}: column '{name}' has no answer. If some questions have none, say so with"
                " `unanswerable = true` in the task's definition; else leave the row out."
            )
        return tuple(listed)


def _pairs(value: Any) -> list[tuple[str, int]] | None:
    """Texts and places of answers in either form, None for anything else."""
    if isinstance(value, dict):
        texts, starts = value.get("text"), value.get("answer_start")
        if not isinstance(texts, list) or not isinstance(starts, list):
            return None
        if len(texts) != len(starts):
            return None
        pairs: list[tuple[Any, Any]] = list(zip(texts, starts, strict=True))
    elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
        pairs = [(each.get("text"), each.get("answer_start")) for each in value]
    else:
        return None
    whole = all(isinstance(text, str) and isinstance(start, int) for text, start in pairs)
    return pairs if whole else None

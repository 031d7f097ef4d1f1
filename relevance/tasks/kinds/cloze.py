"""Cloze: which of a row's own candidates fills the gap of its query."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from relevance.errors import RelevanceError, shown
from relevance.tasks.answers import Gold, exact, normalised
from relevance.tasks.cells import nested
from relevance.tasks.data import Labels, Split, as_rows
from relevance.tasks.kinds.kind import Constant, LabelColumn
from relevance.tasks.kinds.marked_words import BEHIND
from relevance.tasks.kinds.multiple_choice import BETWEEN, MultipleChoice, alternatives

PLACEHOLDER = "@placeholder"
NOWHERE = -1
"""Place of an answer that is none of the candidates."""


class Cloze(MultipleChoice):
    """Labels are tuples of right answers, each a text and its place among the row's candidates.

    A candidate is right if it is an answer by SQuAD's rules, letter by letter or not; an answer
    that no candidate is has place -1. Predictions are texts. The last text of a row is its query,
    and behind it stand the candidates, each once however often the file repeats it.
    """

    metrics: ClassVar = frozenset({"span_em", "span_f1"})
    options: ClassVar = frozenset({"choices", "placeholder"})
    noun: ClassVar = "candidate"

    @property
    def parts(self) -> int:
        """The texts, of which the last one is the query with a candidate in its gap."""
        return len(self.task.text)

    @property
    def placeholder(self) -> str:
        """What stands for the gap."""
        return self.task.placeholder or PLACEHOLDER

    def check(self) -> None:
        """Columns of candidates, no labels, and a query that stays whole."""
        super().check()
        if self.task.truncate == self.task.text[-1]:
            raise ValueError(
                f"`truncate` names '{self.task.truncate}', the query, which is read whole: name"
                " another text column, or leave it out"
            )

    def completed(self, texts: tuple[str, ...], cells: Mapping[str, Any]) -> tuple[str, ...]:
        """The texts, the candidates behind the query."""
        *context, query = texts
        if self.placeholder not in query:
            raise RelevanceError(
                f"column '{self.task.text[-1]}' has no {shown(self.placeholder)} in"
                f" {shown(query)}. The last column of 'text' is the query, and 'placeholder' says"
                " what stands for its gap."
            )
        found = dict.fromkeys(each.replace(BEHIND, "") for each in self.listed(cells))
        if blank := [place for place, each in enumerate(found) if not each.strip()]:
            raise RelevanceError(f"candidate {blank[0]} of {shown(query)} is blank. Take it out.")
        return (*context, f"{query}{BEHIND}{BETWEEN.join(found)}")

    def plain(self, text: str) -> str:
        """The query with all candidates in its gap, once each."""
        query, found = asked(text)
        return query.replace(self.placeholder, "\n".join(found)) if found else query

    def inputs(self, text: str) -> list[str]:
        """The query with each of the candidates in its gap; a text without candidates as it is."""
        query, found = asked(text)
        return [query.replace(self.placeholder, each) for each in found] or [query]

    def labels(self, column: LabelColumn, where: str) -> Labels:
        """The right answers of each row."""
        return as_rows(
            [
                self._golds(value, asked(text)[1], f"{where}, row {row}")
                for row, (value, text) in enumerate(
                    zip(column.values, column.texts[-1], strict=True), start=1
                )
            ]
        )

    def label_counts(self, labels: Labels) -> dict[str, int]:
        """Rows by how many of their candidates are right."""
        counts = [len(right_places(golds)) for golds in labels]
        several = sum(count > 1 for count in counts)
        return {"one right": counts.count(1), "several": several, "none": counts.count(0)}

    def constant(self, train: Split, evaluation: Split) -> Constant:
        """The place that is right most often, among those that a row has.

        The loss is minus the logarithm of the share of the right places among the row's own, in
        nats, and 0 for a row without any; one is added to every count, so that it stays finite.
        """
        rows = [asked(text)[1] for text in evaluation.texts[-1]]
        counted = Counter(place for golds in train.labels for place in right_places(golds))
        known = np.array([counted[place] + 1 for place in range(max(map(len, rows)))])
        losses = [
            float(np.log(known[: len(found)].sum() / known[right].sum())) if right else 0.0
            for found, right in zip(rows, map(right_places, evaluation.labels), strict=True)
        ]
        chosen = [found[int(known[: len(found)].argmax())] for found in rows]
        return Constant(as_rows(chosen), np.array(losses))

    def _golds(self, value: Any, found: list[str], where: str) -> tuple[tuple[str, int], ...]:
        """The right answers of one row: all candidates that are right, and answers that none is."""
        answers = _answers(value)
        if answers is None:
            raise RelevanceError(
                f"{where}: column '{self.task.label}' is {shown(value)}, expected the right answer"
                ' as text, or a list of all that are right, such as ["Ann", "Ann Lee"].'
            )
        if not answers:
            raise RelevanceError(
                f"{where}: column '{self.task.label}' has no answer. Give the row one, or leave it"
                " out."
            )
        golds: dict[tuple[str, int], None] = {}
        for answer in answers:
            right = [(each, place) for place, each in enumerate(found) if _same(each, answer)]
            golds |= dict.fromkeys(right or [(answer, NOWHERE)])
        return tuple(golds)


def asked(text: str) -> tuple[str, list[str]]:
    """A query and its candidates, from the text that holds them.

    >>> asked("@placeholder won." + BEHIND + "Ann" + BETWEEN + "Bob"), asked("Who won?")
    (('@placeholder won.', ['Ann', 'Bob']), ('Who won?', []))
    """
    query, behind, listed = text.rpartition(BEHIND)
    return (query, alternatives(listed)) if behind else (text, [])


def right_places(golds: Gold) -> list[int]:
    """Places of the candidates that are right.

    >>> right_places((("Ann", 3), ("Bob Lee", -1)))
    [3]
    """
    return [place for _, place in golds if place != NOWHERE]


def _same(candidate: str, answer: str) -> bool:
    """Whether a candidate is an answer: one that normalises to nothing only letter by letter."""
    return candidate == answer or (bool(normalised(answer)) and exact(candidate, answer) == 1)


def _answers(value: Any) -> list[str] | None:
    """Texts of a cell that holds one or a list, blank ones left out; None for anything else."""
    found = nested(value)
    if not isinstance(found, list):
        found = [value]
    texts = [each.get("text") if isinstance(each, dict) else each for each in found]
    strings = [each for each in texts if isinstance(each, str)]
    return [each for each in strings if each.strip()] if len(strings) == len(texts) else None

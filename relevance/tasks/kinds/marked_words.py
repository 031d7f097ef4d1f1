"""Marked words: one of several labels for each row, which asks about words of its texts."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from relevance.tasks.kinds.classification import Classification
from relevance.tasks.mark import WORD, Mark

BEHIND = "\ufff9"
"""Stands between a text and its marks: Unicode's own sign that an annotation begins."""
PLACES = re.compile(rf"{BEHIND}([0-9]+-[0-9]+(?: [0-9]+-[0-9]+)*)\Z")


class MarkedWords(Classification):
    """Labels are codes, as of a classification.

    Behind a text of a row stand the places of its marked words, first and last character, in the
    order of the task's marks.
    """

    options: ClassVar = frozenset({"marks", "positive"})

    @property
    def outputs(self) -> int:
        """One per label for the text as a whole, and as many for the words of each mark."""
        return len(self.task.labels) * (1 + len(self.task.marks))

    @property
    def further(self) -> tuple[str, ...]:
        """The columns that say where the words are."""
        return tuple(dict.fromkeys(name for mark in self.task.marks for name in mark.columns))

    def check(self) -> None:
        """What a classification needs, and marks in its texts."""
        super().check()
        if not self.task.marks:
            raise ValueError(
                'a marked-words task needs `marks`, such as [{ text = "sentence", start = "start",'
                ' end = "end" }] or [{ word = "index", words = "span" }], which name columns'
            )
        for mark in self.task.marks:
            if mark.text is not None and mark.text not in self.task.text:
                raise ValueError(f"`marks` names '{mark.text}', which is no text column")
        if both := {*self.further} & {*self.task.text, *self.task.group}:
            raise ValueError(f"`marks` takes '{min(both)}', which is a text or group column too")

    def completed(self, texts: tuple[str, ...], cells: Mapping[str, Any]) -> tuple[str, ...]:
        """The texts, marks behind those that have some."""
        places: dict[int, list[str]] = {}
        for mark in self.task.marks:
            column = self.column(mark)
            start, end = mark.place(texts[column], cells)
            places.setdefault(column, []).append(f"{start}-{end}")
        return tuple(
            f"{text}{BEHIND}{' '.join(places[column])}" if column in places else text
            for column, text in enumerate(texts)
        )

    def column(self, mark: Mark) -> int:
        """Number of the text column that a mark is in."""
        return 0 if mark.text is None else self.task.text.index(mark.text)

    def plain(self, text: str) -> str:
        """The text without what stands behind it."""
        return marked(text)[0]


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text and the places of its marked words.

    Args:
        text: Text with its marks behind it.

    Returns:
        The text alone, and for each mark the first character and the one behind the last. Of a text
        without marks the first word is marked.

    >>> marked("a river bank" + BEHIND + "8-12"), marked("bank run")
    (('a river bank', [(8, 12)]), ('bank run', [(0, 4)]))
    """
    behind = PLACES.search(text)
    if behind is None:
        word = WORD.search(text)
        return text, [(0, 0) if word is None else word.span()]
    pairs = (place.split("-") for place in behind[1].split(" "))
    return text[: behind.start()], [(int(start), int(end)) for start, end in pairs]

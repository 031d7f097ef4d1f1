"""Marks: which columns say where the words stand that a row asks about."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from relevance.errors import RelevanceError, shown
from relevance.names import Name
from relevance.numerals import whole_number

WORD = re.compile(r"\S+")


class Mark(BaseModel):
    """Words of a text that a row asks about, by characters or by the number of the first word.

    Attributes:
        text: The text column; the first one unless given.
        start: Column with the character at which they begin, counted from 0.
        end: Column with the character behind them.
        word: Column with the number of the first word, from 0; words stand between white space.
        words: Column with the words themselves, of which there is one unless given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Name | None = None
    start: Name | None = None
    end: Name | None = None
    word: Name | None = None
    words: Name | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Mark":
        by_character = self.start is not None and self.end is not None
        partly = by_character or self.start is not None or self.end is not None
        if (self.word is None) != by_character or (partly and self.columns[2:]):
            raise ValueError(
                "a mark has either `start` and `end`, columns of characters, or `word`, a column of"
                " numbers of words, and with it `words` where there may be several"
            )
        if self.words is not None and self.word is None:
            raise ValueError("`words` says what stands at `word`, which is not given")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that say where the words are."""
        named = (self.start, self.end, self.word, self.words)
        return tuple(name for name in named if name is not None)

    def place(self, text: str, cells: Mapping[str, Any]) -> tuple[int, int]:
        """The characters of the marked words in a row.

        Args:
            text: The row's text.
            cells: Cells of `columns` as they stand in a file.

        Returns:
            The first character, and the one behind the last.

        Raises:
            RelevanceError: If there are no such characters or words.
        """
        if self.word is not None:
            return self._of_words(text, cells)
        start, end = (_number(name, cells) for name in self.columns)
        if not start < end <= len(text):
            raise RelevanceError(
                f"columns '{self.start}' and '{self.end}' mark characters {start} to {end} of a"
                f" text of {len(text)}. They count from 0, and the end is the one behind the last."
            )
        if not text[start:end].strip():
            raise RelevanceError(f"characters {start} to {end} of {shown(text)} are no word.")
        return start, end

    def _of_words(self, text: str, cells: Mapping[str, Any]) -> tuple[int, int]:
        """By the number of the first word; where other words stand there, the nearest right ones.

        Some published rows are off by a word.
        """
        at = _number(str(self.word), cells)
        found = list(WORD.finditer(text))
        named = None if self.words is None else cells[self.words]
        if named is not None and not isinstance(named, str):
            raise RelevanceError(f"column '{self.words}' is {shown(named)}, which is no text.")
        if named is None:
            if at >= len(found):
                raise RelevanceError(
                    f"column '{self.word}' marks word {at} of a text of {len(found)} words: they"
                    " count from 0."
                )
            return found[at].span()
        wanted = [_plain(word) for word in named.split()]
        plain = [_plain(word.group()) for word in found]
        size = len(wanted)
        first = at if size and _begin_with(plain[at : at + size], wanted) else None
        if first is None:
            right = [each for each in range(len(found)) if plain[each : each + size] == wanted]
            if not right or not size:
                raise RelevanceError(
                    f"the words {shown(named)} of column '{self.words}' are not in {shown(text)}."
                )
            first = min(right, key=lambda each: abs(each - at))
        return found[first].start(), found[first + size - 1].end()


def _begin_with(words: Sequence[str], beginnings: Sequence[str]) -> bool:
    """Whether these are as many words, each with its beginning: `Emma's` is said to be `Emma`."""
    pairs = zip(words, beginnings, strict=False)
    return len(words) == len(beginnings) and all(word.startswith(part) for word, part in pairs)


def _number(column: str, cells: Mapping[str, Any]) -> int:
    number = whole_number(cells[column])
    if number is None or number < 0:
        raise RelevanceError(
            f"column '{column}' is {shown(cells[column])}, expected a whole number from 0."
        )
    return number


def _plain(word: str) -> str:
    """A word without case and punctuation, but for one that has nothing else."""
    return re.sub(r"[^\w]", "", word).casefold() or word.casefold()

"""Dependency trees from CoNLL-U files."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from relevance.disk.files import not_utf8, unreadable
from relevance.errors import RelevanceError, shown, told_of
from relevance.numerals import ordinal
from relevance.tasks.read import open_lines

COLUMNS = 10
Id: TypeAlias = tuple[int, str, int]
"""First number, `-` of a range or `.` of an empty node or nothing, and last number."""


@dataclass(frozen=True)
class Word:
    """A syntactic word of a sentence.

    Attributes:
        form: How it is written.
        upos: Universal part of speech.
        features: Morphological features, such as `{"Number": "Sing"}`.
        head: Number of the word that it depends on, from 1; 0 for the root.
        relation: Relation to its head without its subtype: `nsubj` for `nsubj:pass`.
    """

    form: str
    upos: str
    features: Mapping[str, str]
    head: int
    relation: str


@dataclass(frozen=True)
class Tree:
    """A sentence with its dependency tree.

    Attributes:
        text: The sentence, with single spaces.
        words: Its words, word 1 first.
    """

    text: str
    words: tuple[Word, ...]

    @property
    def root(self) -> int:
        """Number of the word that depends on none."""
        return next(number for number, word in enumerate(self.words, 1) if not word.head)

    def dependents(self, number: int) -> list[Word]:
        """The words that depend on a word, in their order.

        Args:
            number: The word's, from 1.

        Returns:
            The words.
        """
        return [word for word in self.words if word.head == number]

    def depths(self) -> list[int]:
        """Number of arcs from the root down to each word; 0 for the root.

        Returns:
            The numbers, word 1 first.
        """
        found = []
        for word in self.words:
            depth, head = 0, word.head
            while head:
                depth, head = depth + 1, self.words[head - 1].head
            found.append(depth)
        return found


def read_trees(path: Path) -> Iterator[Tree]:
    """Read the sentences of a CoNLL-U file one after another.

    Tokens of several words and empty nodes are left out of the tree; the text is that of the
    comment `# text = `, or else put together from what is written.

    Args:
        path: The file, .gz too.

    Yields:
        The trees.

    Raises:
        RelevanceError: If it cannot be read, or a sentence is no tree of lines of ten columns.
    """
    lines: list[str] = []
    begins = 0
    try:
        with open_lines(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    begins = begins if lines else number
                    lines.append(line.rstrip("\r\n"))
                elif lines:
                    yield from _trees(lines, path, begins)
                    lines = []
        if lines:
            yield from _trees(lines, path, begins)
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from None
    except EOFError as error:
        raise RelevanceError(f"{path} cannot be read: {error}.") from None
    except OSError as error:
        raise unreadable(path, error) from None


def _trees(lines: list[str], path: Path, begins: int) -> Iterator[Tree]:
    """The tree of a block of lines; none of a block of comments."""
    with told_of(f"{path}, sentence at line {begins}"):
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        for row in rows:
            if len(row) != COLUMNS:
                raise RelevanceError(
                    f"a line has {len(row)} columns, CoNLL-U has {COLUMNS}: {shown(row[0])}."
                )
        ids = [_id(row[0]) for row in rows]
        words = tuple(_word(row) for row, (_, kind, _) in zip(rows, ids, strict=True) if not kind)
        if [first for first, kind, _ in ids if not kind] != [*range(1, len(words) + 1)]:
            raise RelevanceError("its words are not numbered 1, 2, 3 and so on.")
        if words:
            _check_tree(words)
            _check_ranges(ids, len(words))
            yield Tree(_text(lines, rows, ids), words)


def _id(text: str) -> Id:
    """The number of a word, the range of one that is written together, or an empty node's."""
    found = re.fullmatch(r"([0-9]{1,9})(?:([-.])([0-9]{1,9}))?", text)
    if found is None:
        raise RelevanceError(
            f"the id {shown(text)} is neither a word's number, nor a range such as 1-2, nor an"
            " empty node's such as 1.1."
        )
    return int(found[1]), found[2] or "", int(found[3] or found[1])


def _check_ranges(ids: list[Id], words: int) -> None:
    """Refuse ranges of words that are not there, as they would take others out of the text."""
    behind = 0
    for first, kind, last in ids:
        if kind == "-":
            if not behind < first <= last <= words:
                raise RelevanceError(
                    f"the range {first}-{last} is none of its {words} words, or overlaps another."
                )
            behind = last


def _word(row: list[str]) -> Word:
    if (head := ordinal(row[6])) is None:
        raise RelevanceError(f"the head of word {row[0]} is {shown(row[6])}, expected a number.")
    pairs = [pair.partition("=") for pair in row[5].split("|")]
    features = {name: value for name, _, value in pairs if value}
    return Word(row[1], row[3], features, head, row[7].partition(":")[0])


def _check_tree(words: tuple[Word, ...]) -> None:
    """Refuse heads that are not there, several roots and circles."""
    heads = [word.head for word in words]
    if max(heads) > len(words):
        raise RelevanceError(f"word {max(heads)} is a head, and there are {len(words)} words.")
    if heads.count(0) != 1:
        raise RelevanceError(f"{heads.count(0)} words are roots, expected one.")
    hanging = {0}
    level = [0]
    while level:
        level = [number for number, head in enumerate(heads, 1) if head in level]
        hanging |= set(level)
    if len(hanging) <= len(words):
        raise RelevanceError("its heads lead in a circle.")


def _text(lines: list[str], rows: list[list[str]], ids: list[Id]) -> str:
    for line in lines:
        name, sign, text = line.removeprefix("#").partition("=")
        if line.startswith("#") and sign and name.strip() == "text" and text.strip():
            return " ".join(text.split())
    written, inside = [], 0
    for row, (first, kind, last) in zip(rows, ids, strict=True):
        if kind == "-":  # a token that the next words are parts of
            inside = last
        elif kind or first <= inside:
            continue
        written.append(row[1] + ("" if "SpaceAfter=No" in row[9].split("|") else " "))
    return " ".join("".join(written).split())

"""Word vectors in the text form of fastText and word2vec: `N D`, then words with D numbers each."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from relevance.disk.files import not_utf8, replacing, unreadable
from relevance.errors import RelevanceError

WIDEST = 100_000
LONGEST_HEADER = 4096  # bytes
MARK = "\ufeff".encode()
EXPECTED = "Expected a first line `N D`, and then N rows of a word and D numbers, one space between"


class WordVectors(NamedTuple):
    """Vectors of words.

    Attributes:
        words: Words as texts are brought to them, each once, in the order of the file.
        vectors: Row `i` is the vector of word `i`.
    """

    words: list[str]
    vectors: Float32[np.ndarray, "word width"]


def read_word_vectors(path: Path, as_read: Callable[[str], str | None]) -> WordVectors:
    """Read a file row by row, and keep the rows whose words texts can have.

    Of rows that are the same word the first counts, but one that stands in the file as texts have
    it goes before those that only become it, as `Us` becomes `us`.

    Args:
        path: The file, UTF-8. Files are sorted by how often words are used, most of them.
        as_read: Word as texts have it, in lower case; None where no text can have it as one word.

    Returns:
        Words and vectors.

    Raises:
        RelevanceError: If the file cannot be read, is not of this form, holds a number that is not
            finite, or no word that texts can have.
    """
    places: dict[str, int] = {}
    literal: set[str] = set()
    numbers = bytearray()
    width = 0
    try:
        with path.open("rb") as file:
            count, width = _header(path, file.readline(LONGEST_HEADER))
            for number, word, values in _rows(path, file, count, width):
                read = as_read(word)
                if read is None or read in literal or (read in places and read != word):
                    continue
                row = _finite(path, number, word, values, width).tobytes()
                if read == word:
                    literal.add(word)
                if read in places:
                    begin = places[read] * len(row)
                    numbers[begin : begin + len(row)] = row
                else:
                    places[read] = len(places)
                    numbers += row
    except OSError as error:
        raise unreadable(path, error) from error
    if not places:
        raise RelevanceError(
            f"{path} has no word that a text can have: words of texts are in lower case and have"
            " neither spaces nor punctuation in them. Give vectors of words."
        )
    vectors = np.frombuffer(bytes(numbers), dtype=np.float32).reshape(len(places), width)
    return WordVectors(list(places), vectors)


def write_word_vectors(
    path: Path, words: Iterable[str], vectors: Float32[np.ndarray, "word width"]
) -> None:
    """Write a file that gives the very vectors when it is read.

    Args:
        path: The file; one that is there is replaced.
        words: One for each vector, without spaces.
        vectors: The vectors.

    Raises:
        RelevanceError: If it cannot be written.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{len(vectors)} {vectors.shape[1]}\n")
        for word, vector in zip(words, vectors, strict=True):
            file.write(" ".join([word, *map(str, vector)]) + "\n")


def _header(path: Path, line: bytes) -> tuple[int, int]:
    """Number of rows and of numbers in each, as the first line says."""
    if not line.strip():
        raise RelevanceError(f"{path} is empty, or begins with an empty line. {EXPECTED}.")
    parts = line.removeprefix(MARK).split()
    if len(parts) == 2 and all(part.isdigit() and len(part) < 12 for part in parts):
        count, width = map(int, parts)
        if count > 0 and 0 < width <= WIDEST:
            return count, width
    _text(path, 1, line)
    said = line[:40].decode(errors="replace").strip()
    raise RelevanceError(f"{path} begins with {said!r}, which is no `N D`. {EXPECTED}.")


def _rows(
    path: Path, lines: Iterable[bytes], count: int, width: int
) -> Iterator[tuple[int, str, list[bytes]]]:
    """Number of the line, word and numbers of every row."""
    seen = 0
    for number, line in enumerate(lines, start=2):
        parts = line.rstrip(b" \r\n").split(b" ")
        if parts == [b""] and seen == count:
            continue  # empty lines at the end
        if len(parts) != width + 1 or not parts[0]:
            raise RelevanceError(
                f"{path}, line {number}: a word and {len(parts) - 1} numbers, where the first line"
                f" says {width}. {EXPECTED}."
                if parts != [b""]
                else f"{path}, line {number} is empty. {EXPECTED}."
            )
        seen += 1
        if seen > count:
            raise RelevanceError(
                f"{path} has more rows than the {count} that its first line says. Is it whole?"
                f" {EXPECTED}."
            )
        yield number, _text(path, number, parts[0]), parts[1:]
    if seen < count:
        raise RelevanceError(
            f"{path} has {seen} rows, and its first line says {count}. Copy the whole file, or put"
            " the right number there."
        )


def _text(path: Path, number: int, word: bytes) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError as error:
        if number == 1:  # whose first bytes tell what the file is
            raise not_utf8(path) from error
        raise RelevanceError(
            f"{path}, line {number}: the word {word[:40]!r} is not UTF-8. Save the file as UTF-8."
        ) from error


def _finite(
    path: Path, number: int, word: str, values: list[bytes], width: int
) -> Float32[np.ndarray, " width"]:
    """The numbers of a row, in fp32."""
    try:
        if b"_" in b"".join(values):  # float() reads 1_0 as 10
            raise ValueError
        with np.errstate(over="ignore"):  # what is too large for fp32 is told below
            row = np.fromiter(map(float, values), dtype=np.float32, count=width)
    except ValueError:
        row = None
    if row is None or not np.isfinite(row).all():
        wrong = next(value for value in values if not _is_finite(value))
        raise RelevanceError(
            f"{path}, line {number}: the vector of {word[:40]!r} has"
            f" {wrong[:20].decode(errors='replace')!r}, expected a finite number. Correct the row,"
            " or take it out and lower the number in the first line."
        )
    return row


def _is_finite(value: bytes) -> bool:
    try:
        with np.errstate(over="ignore"):
            return b"_" not in value and bool(np.isfinite(np.float32(float(value))))
    except ValueError:
        return False

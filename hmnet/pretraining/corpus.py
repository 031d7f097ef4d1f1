"""Corpora: files of text, read as documents of sentences, one document at a time."""

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from relevance.disk.files import file_digest, not_utf8, unreadable
from relevance.errors import RelevanceError
from relevance.tasks.read import column_names, file_format, open_lines, read_columns

Documents = Literal["blank", "heading", "row"]
HEADING = re.compile(r"(=+) .*\S.* \1")  # as WikiText writes it: ` = = Description = = `
ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Corpus:
    """A file of text, and what a document is in it.

    Attributes:
        path: A text file, or one with a column of texts in any format that tasks are read from.
        column: Name of the column; None for a text file, whose lines stand for rows.
        documents: Where a document ends: `blank` at a row without text, `heading` before a row such
            as ` = Title = `, which is left out itself, `row` after every row. Rows of a document
            are paragraphs: no sentence goes across two. With `row`, equal rows are one document,
            as a passage stands in a file once for each of its questions.
    """

    path: Path
    column: str | None = None
    documents: Documents = "blank"

    def __post_init__(self) -> None:
        if self.column is None and file_format(self.path) != ".txt":
            # rows of JSON say their names each for itself
            is_json = file_format(self.path).startswith(".json")
            names = [] if is_json else column_names(self.path)
            present = f"; it has {', '.join(names)}" if names else ""
            raise RelevanceError(
                f"{self.path} is a table. Name the column that the text is in, such as"
                f" {self.path.name}:{[*names, 'text'][0]}{present}."
            )

    @property
    def identity(self) -> dict[str, str | None]:
        """What says the documents: the digest of the file, and how it is read."""
        try:
            sha256 = file_digest(self.path)
        except OSError as error:
            raise unreadable(self.path, error) from error
        return {"sha256": sha256, "column": self.column, "documents": self.documents}

    def read(self) -> Iterator[list[str]]:
        """Read the documents in their order.

        Memory: one document, and 1,024 rows of a parquet file; csv and JSON files are read whole.
        For `row`, about 100 bytes of each document besides, by which equal ones are found.

        Yields:
            The paragraphs of a document, one at least, none of them blank.

        Raises:
            RelevanceError: If the file is missing, unreadable or lacks the column.
        """
        with closing(self._rows()) as rows:
            if self.documents == "row":
                yield from ([row] for row in _distinct(filter(None, map(str.strip, rows))))
                return
            document: list[str] = []
            for row in map(str.strip, rows):
                heading = HEADING.fullmatch(row) is not None
                ends = heading if self.documents == "heading" else not row
                if ends and document:
                    yield document
                    document = []
                if row and not heading:
                    document.append(row)
            if document:
                yield document

    def _rows(self) -> Generator[str, None, None]:
        if self.column is None:
            yield from _lines(self.path)
        elif file_format(self.path) == ".parquet":
            yield from _cells(self.path, self.column)
        else:
            yield from (cell or "" for cell in read_columns(self.path, [self.column])[self.column])


def _lines(path: Path) -> Iterator[str]:
    try:
        with open_lines(path) as lines:
            yield from lines
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from None
    except (OSError, EOFError) as error:
        raise RelevanceError(f"{path} cannot be read: {error}.") from error


def _cells(path: Path, column: str) -> Iterator[str]:
    """The cells of a parquet file's column, a null as no text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if column not in file.schema_arrow.names:
                present = ", ".join(file.schema_arrow.names)
                raise RelevanceError(f"{path} has no column '{column}'; it has {present}.")
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=[column]):
                for cell in batch.column(0).to_pylist():
                    if cell is not None and not isinstance(cell, str):
                        raise RelevanceError(
                            f"{path}: column '{column}' holds {cell!r}, which is no text."
                        )
                    yield cell or ""
    except (OSError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise RelevanceError(f"{path} cannot be read as parquet: {reason}.") from error


def _distinct(texts: Iterator[str]) -> Iterator[str]:
    """Each text once, in the order in which they first come."""
    seen: set[bytes] = set()
    for text in texts:
        mark = blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
        if mark not in seen:
            seen.add(mark)
            yield text


def sentences(text: str, language: str = "en") -> list[str]:
    """Split a text into sentences by rules and lists of abbreviations.

    Args:
        text: A paragraph.
        language: Code of the language whose abbreviations are known.

    Returns:
        The sentences, white space around them left out and none of them empty.

    Source:
        The `sentencex` library of the Wikimedia Foundation.

    >>> sentences("Dr. Smith paid 3.5 dollars. Was it much?  He said so!")
    ['Dr. Smith paid 3.5 dollars.', 'Was it much?', 'He said so!']
    """
    from sentencex import segment

    return [sentence for part in segment(language, text) if (sentence := part.strip())]

"""Rows of csv and tsv, each in the one form that cannot be read in two ways.

Csv follows RFC 4180: a field that begins with `"` ends with one, and what stands between may hold
it doubled. Where no field begins with `"`, nothing is quoted and it stands for itself. Tsv is what
GLUE and most other benchmarks publish: nothing is quoted, a tab ends a field, a line break a row.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from relevance.errors import RelevanceError

if TYPE_CHECKING:
    from pyarrow import Table

LONGEST_ROW_BYTES = 2**26
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BEGINS_QUOTED = re.compile(rb'(?<![^,\r\n])"')
# no possessive quantifiers, which Python gets wrong before 3.11.5 (gh-106052)
QUOTED = re.compile(rb'"[^"]*(?:""[^"]*)*"(?!")')
WELL_QUOTED = re.compile(rb'(?<![^,\r\n])"[^"]*(?:""[^"]*)*"(?=[,\r\n]|\Z)')
"""A whole field as RFC 4180 has it."""
FIRST_ROW = re.compile(rb"[\r\n]*([^\r\n]*)")
FIRST_QUOTED_ROW = re.compile(rb'[\r\n]*((?:"[^"]*"|[^"\r\n])*)')
LONE_RETURN = re.compile(rb"\r(?!\n)")
# what a writer of csv makes of a text that holds a quote, and hardly anybody else
WRITTEN_QUOTED = '^"(?:[^"]|"")*""(?:[^"]|"")*"$'
# what stands between quotes, as bytes that separate nothing; line breaks can still be counted
BREAK = b"\x01"
MASK = bytes.maketrans(b",\r\n" + BREAK, b"xx" + BREAK + b"x")


class Form(NamedTuple):
    """A form of delimited text.

    Attributes:
        delimiter: The one byte between fields.
        quoted: Whether fields may stand in quotes.
        hint: Advice on a row with too many or too few fields.
    """

    delimiter: bytes
    quoted: bool
    hint: str


CSV = Form(b",", quoted=True, hint="A field that holds a comma has to stand in quotes.")
TSV = Form(
    b"\t",
    quoted=False,
    hint="Nothing is quoted in tsv, so no text may hold a tab or a line break; .csv, .jsonl and"
    " .parquet files can.",
)


class Delimited:
    """A csv or tsv file in memory.

    Args:
        data: Bytes of the file, with or without a byte order mark.
        form: `CSV` or `TSV`.
        where: Name of the file in messages.

    Raises:
        RelevanceError: If its quotes or its line ends can be read in two ways.
    """

    def __init__(self, data: bytes, form: Form, where: str) -> None:
        self._data = data.removeprefix(BYTE_ORDER_MARK)
        self._form = form
        self._where = where
        self._has_quoted = form.quoted and BEGINS_QUOTED.search(self._data) is not None
        if self._has_quoted:
            self._check_quotes()
        self._check_returns()

    @cached_property
    def first_row(self) -> list[str]:
        """The fields of the first row; empty for an empty file."""
        found = (FIRST_QUOTED_ROW if self._has_quoted else FIRST_ROW).match(self._data)
        row = found.group(1) if found else b""
        fields, place = [], 0
        for masked in self._masked(row).split(self._form.delimiter) if row else ():
            field = row[place : place + len(masked)]
            place += len(masked) + 1
            if self._has_quoted and field.startswith(b'"'):
                field = field[1:-1].replace(b'""', b'"')
            fields.append(field.decode())
        return fields

    def table(self, names: Sequence[str | None], *, header: bool) -> "Table":
        """The rows.

        Args:
            names: Names for the columns of the file, all different; None leaves one out.
            header: Whether the first row says what the columns are called, and is no row itself.

        Returns:
            A table of texts.

        Raises:
            RelevanceError: If a row has more or fewer fields than there are names, or a tsv file is
                quoted as csv is.
        """
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        # Columns are read by place: names of a file may repeat where nobody reads them.
        wanted = {f"{place}": name for place, name in enumerate(names) if name is not None}
        data = self._data if self._data.endswith((b"\n", b"\r")) else self._data + b"\n"
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(data),
                read_options=arrow_csv.ReadOptions(
                    block_size=LONGEST_ROW_BYTES,
                    column_names=[f"{place}" for place in range(len(names))],
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._form.delimiter.decode(),
                    quote_char='"' if self._has_quoted else False,
                    newlines_in_values=self._has_quoted,
                    # where nothing can be quoted, an empty line is the one way to an empty text
                    ignore_empty_lines=self._form.quoted or len(names) > 1,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=list(wanted),
                    column_types=dict.fromkeys(wanted, pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            self._check_lengths(len(names), "header" if header else "first row")
            raise
        table = table.rename_columns(list(wanted.values())).slice(1 if header else 0)
        if not self._form.quoted and b'"' in self._data:
            self._check_unquoted(table)
        return table

    def _line(self, place: int) -> int:
        """The number of the line that a byte stands in, from 1."""
        return len(_lines(self._data[:place]))

    def _masked(self, data: bytes) -> bytes:
        """The data with nothing between quotes that separates fields or rows."""
        if not self._has_quoted:
            return data
        return QUOTED.sub(lambda field: field.group().translate(MASK), data)

    def _check_quotes(self) -> None:
        kept = 0
        for field in WELL_QUOTED.finditer(self._data):
            if self._data.find(b'"', kept, field.start()) >= 0:
                break
            kept = field.end()
        end = self._data.find(b'"', kept)
        if end < 0:
            return
        if end and self._data[end - 1] not in b",\r\n":
            what = "there is a quote inside a field that does not begin with one"
        elif QUOTED.match(self._data, end):
            what = "a quote opens a field, and where the next one closes it the field goes on"
        else:
            what = "a quote opens a field that no other one closes"
        raise RelevanceError(
            f"{self._where}, line {self._line(end)}: {what}. In csv a field that holds a quote"
            ' stands in quotes and doubles it: "6"" nails".'
        )

    def _check_returns(self) -> None:
        """Refuse a carriage return that ends no line where others do."""
        if b"\n" not in self._data or not LONE_RETURN.search(self._data):
            return
        if lone := LONE_RETURN.search(self._masked(self._data)):
            ways = "Take it out, or put the field in quotes" if self._form.quoted else "Take it out"
            raise RelevanceError(
                f"{self._where}, line {self._line(lone.start())}: there is a carriage return inside"
                f" the row. {ways}."
            )

    def _check_lengths(self, expected: int, model: str) -> None:
        line = 1
        for row in _lines(self._masked(self._data)):
            got = row.count(self._form.delimiter) + 1
            if row.strip(b"\r") and got != expected:
                raise RelevanceError(
                    f"{self._where}, line {line}: {got} {_columns(got)}, but the {model} has"
                    f" {expected}. {self._form.hint}"
                )
            line += 1 + row.count(BREAK)

    def _check_unquoted(self, table: "Table") -> None:
        """Refuse a tsv file whose every quote is one that a writer of csv would have set."""
        from pyarrow import compute

        first = None
        for column in table.columns:
            quotes = compute.match_substring(column, '"')
            written = compute.match_substring_regex(column, WRITTEN_QUOTED)
            if compute.any(compute.and_not(quotes, written)).as_py():
                return
            if (row := compute.index(written, True).as_py()) >= 0:
                first = row if first is None else min(first, row)
        if first is not None:
            raise RelevanceError(
                f"{self._where}, row {first + 1}: a field stands in quotes that hold others"
                f" doubled, as in csv. {TSV.hint}"
            )


def _lines(data: bytes) -> list[bytes]:
    return data.split(b"\n" if b"\n" in data else b"\r")


def _columns(number: int) -> str:
    return "column" if number == 1 else "columns"

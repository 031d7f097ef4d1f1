"""Reading some columns of a file of rows: parquet, csv, tsv, JSON or text."""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relevance.disk.files import TELLING_BYTES, not_utf8, unreadable
from relevance.disk.parsing import parse_json
from relevance.errors import RelevanceError, shown
from relevance.tasks.benchmark_files import (
    NAMES,
    conll_rows,
    is_mrqa_header,
    label_first_rows,
    mrqa_rows,
    spread,
    squad_rows,
)
from relevance.tasks.delimited import BYTE_ORDER_MARK, CSV, TSV, Delimited
from relevance.tasks.packed import Packed
from relevance.tasks.source import Source, source_columns

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Table

SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl")
FORMATS = (*SUFFIXES, ".json", ".txt")
COMPRESSED = ".gz"
SPLIT_SUFFIXES = (*FORMATS, *(f"{form}{COMPRESSED}" for form in FORMATS if form != ".parquet"))
"""Suffixes that the file of a split may have, in lower case."""


@dataclass(frozen=True)
class ReadOptions:
    """Names of a file's columns.

    Attributes:
        header: Whether the first row of a csv or tsv file names the columns. If not, their names
            are 1, 2, 3 and so on, or those of `order`.
        names: The file's names by the task's, for columns whose names differ.
        order: Columns of a file without header from left to right; empty where `names` says which
            of the numbers is which.
        form: Format, whatever the suffix says; None for that of the suffix.
    """

    header: bool = True
    names: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    form: str | None = None

    @classmethod
    def of(cls, source: Source, own: Sequence[str]) -> "ReadOptions":
        """The options for a task's files.

        Args:
            source: Source that names the files.
            own: The task's columns in the order of a file without header: those of its text, its
                groups, then its label.

        Returns:
            The options.
        """
        ordered = not source.header and not source.columns
        names = source_columns(source, own)
        if source.format in NAMES:
            ends = dict(zip((own[0], own[-1]), NAMES[source.format], strict=True))
            given = {*source.columns, *source.columns.values()}
            names |= {column: name for column, name in ends.items() if column not in given}
        return cls(source.header, names, tuple(own) if ordered else (), source.format)


AS_NAMED = ReadOptions()
ROWS_AT_A_TIME = 1024
"""Rows of a table that are objects at the same time, where a file is read row by row."""


def read_columns(
    path: Path, columns: Sequence[str], options: ReadOptions = AS_NAMED
) -> dict[str, Packed[Any]]:
    """Read the named columns of a file and nothing else.

    Csv and tsv cells stay text as they stand: neither numbers nor words such as "n/a" are turned
    into anything else. How their quotes are read, `relevance.tasks.delimited` says. A `.json` file
    is a list of objects, a `.txt` file holds a text on each line and nothing else. All are UTF-8,
    and may be packed with gzip (`.csv.gz`), except for parquet. Other forms are those of
    `relevance.tasks.benchmark_files`.

    Args:
        path: A file with one of `FORMATS`.
        columns: Names of columns that it should have.
        options: Names of its columns.

    Returns:
        One column of cells for each name, all equally long; None for null.

    Raises:
        RelevanceError: If the file is missing, cannot be read as what its suffix says, or lacks a
            column.
    """
    wanted = list(dict.fromkeys(columns))
    form = file_format(path) if options.form is None else f".{options.form}"
    if form not in {".csv", ".tsv"} and not options.header:
        raise RelevanceError(f"{path}: `header = false` is for csv and tsv files.")
    with reading(path, form):
        if form == ".parquet":
            return _parquet(path, wanted, options)
        if form == ".txt":
            return _text_lines(path, wanted)
        if form in {".csv", ".tsv"}:
            table, names = _delimited(path, form, wanted, options)
            return _packed(table.to_batches(max_chunksize=ROWS_AT_A_TIME), names)
        return _rows(_objects(path, form), wanted, options)


def read_rows(
    path: Path, columns: Sequence[str] = (), options: ReadOptions = AS_NAMED
) -> Iterator[Any]:
    """The rows of a file as they stand.

    Memory holds some of a file's rows as objects at a time: of csv and tsv its bytes beside them,
    of parquet, JSON Lines and the forms of benchmarks that have a row on each line little else.

    Args:
        path: A file with one of `FORMATS`.
        columns: Columns to read from a csv or tsv file without header; from other files all are
            read, under the names that the file has for them.
        options: Names of its columns, of which `header` and `form` count where it has a header.

    Yields:
        An object for each row, which need not be one in a `.json` file; a line of a `.txt` file
        becomes `{"text": [line]}`.

    Raises:
        RelevanceError: If the file is missing or cannot be read as what its suffix says.
    """
    form = file_format(path) if options.form is None else f".{options.form}"
    if form == ".txt":
        yield from ({"text": [line]} for line in read_columns(path, ["text"])["text"])
        return
    with reading(path, form):
        if form in {".csv", ".tsv"}:
            names = column_names(path, form[1:]) if options.header else list(columns)
            table, places = _delimited(path, form, names, options)
            renamed = table.select(list(places.values())).rename_columns(list(places))
            for batch in renamed.to_batches(max_chunksize=ROWS_AT_A_TIME):
                yield from batch.to_pylist()
        elif form == ".parquet":
            yield from _parquet_rows(path)
        else:
            yield from (row for _, row in _objects(path, form))


def file_format(path: Path) -> str:
    """The format of a file, by its suffix.

    Args:
        path: The file.

    Returns:
        A name in `FORMATS`; for a file packed with gzip, that of its content.

    Raises:
        RelevanceError: If the suffix is none of them.
    """
    packed = path.suffix.lower() == COMPRESSED
    form = (path.with_suffix("") if packed else path).suffix.lower()
    if form not in FORMATS or (packed and form == ".parquet"):
        raise RelevanceError(
            f"{path} has to end in one of {', '.join(FORMATS)}; all but parquet may end in"
            f" {COMPRESSED} after that."
        )
    return form


def column_names(path: Path, form: str | None = None) -> list[str]:
    """Names of the columns of a file.

    Args:
        path: A csv or tsv file with a header, or a parquet file.
        form: Format, whatever the suffix says; None for that of the suffix.

    Returns:
        The names, in order.

    Raises:
        RelevanceError: If the file cannot be read as what its suffix says.
    """
    form = file_format(path) if form is None else f".{form}"
    with reading(path, form):
        if form == ".parquet":
            import pyarrow.parquet as pq

            return list(pq.read_schema(path).names)
        return _table(path, form).first_row


def open_lines(path: Path) -> TextIOWrapper:
    """Open a text file, unpacking it where it is packed; a byte order mark is skipped."""
    if path.suffix.lower() == COMPRESSED:
        return TextIOWrapper(gzip.open(path), encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


@contextmanager
def reading(path: Path, form: str) -> Iterator[None]:
    """Say in one line why a file cannot be read.

    Args:
        path: The file.
        form: What it should be, with the dot of its suffix.

    Yields:
        Nothing.

    Raises:
        RelevanceError: In place of what came up inside.
    """
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise RelevanceError(f"{path}: no such file.") from None
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RelevanceError(f"{path} cannot be read as gzip: {error}.") from None
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise unreadable(path, error) from None
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        if "invalid UTF8" in reason:
            raise _not_utf8(path) from None
        raise RelevanceError(f"{path} cannot be read as {form[1:]}: {reason}.") from None


def _not_utf8(path: Path) -> RelevanceError:
    if path.suffix.lower() != COMPRESSED:
        return not_utf8(path)
    with gzip.open(path) as file:
        return not_utf8(path, start=file.read(TELLING_BYTES))


def _find(columns: Sequence[str], present: Sequence[str], where: str, hint: str = "") -> None:
    """Refuse columns that are not there, or there twice."""
    for column in columns:
        if column not in present:
            like = [name for name in present if name.strip().lower() == column.strip().lower()]
            hint = hint or (f" Rename {shown(like[0])} to '{column}'." if like else "")
            raise RelevanceError(
                f"column '{column}' is not in {where}. Columns: {', '.join(present) or 'none'}."
                f"{hint}"
            )
        if present.count(column) > 1:
            raise RelevanceError(f"column '{column}' is in {where} twice. Rename one of them.")


def _parquet(path: Path, columns: list[str], options: ReadOptions) -> dict[str, Packed[Any]]:
    import pyarrow.parquet as pq

    names = {column: options.names.get(column, column) for column in columns}
    with pq.ParquetFile(path) as file:
        _find(list(names.values()), file.schema_arrow.names, str(path))
        batches = file.iter_batches(ROWS_AT_A_TIME, columns=list(names.values()))
        return _packed(batches, names)


def _packed(batches: Iterable["RecordBatch"], names: Mapping[str, str]) -> dict[str, Packed[Any]]:
    """The columns of a table that comes some rows at a time, by the names that they are given."""
    found: dict[str, Packed[Any]] = {column: Packed() for column in names}
    for batch in batches:
        for column, name in names.items():
            found[column].extend(batch.column(name).to_pylist())
    return found


def _table(path: Path, form: str) -> Delimited:
    data = path.read_bytes()
    if path.suffix.lower() == COMPRESSED:
        data = gzip.decompress(data)
    if not data.removeprefix(BYTE_ORDER_MARK).strip():
        raise RelevanceError(f"{path} is empty: it has neither names of columns nor rows.")
    if b"\0" in data.lstrip(b"\r\n").partition(b"\n")[0]:  # UTF-16, with its mark or without
        raise _not_utf8(path)
    return Delimited(data, CSV if form == ".csv" else TSV, str(path))


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        present = file.schema_arrow.names
        _find(present, present, str(path))
        for batch in file.iter_batches(batch_size=ROWS_AT_A_TIME):
            yield from batch.to_pylist()


def _delimited(
    path: Path, form: str, columns: list[str], options: ReadOptions
) -> tuple["Table", dict[str, str]]:
    """The columns of a table, and its names for them."""
    file = _table(path, form)
    present = file.first_row
    hint = other_delimiter(present, form) if options.header else ""
    if not options.header:
        present = _numbered(present, columns, options, path)
    names = {column: options.names.get(column, column) for column in columns}
    _find(list(names.values()), present, str(path), hint)
    wanted = set(names.values())
    table = file.table(
        [name if name in wanted else None for name in present], header=options.header
    )
    return table, names


def other_delimiter(first_row: Sequence[str], form: str) -> str:
    """Advice on a file whose one column looks like several."""
    if len(first_row) != 1:
        return ""
    wanted, others = ("a comma", ";\t|") if form == ".csv" else ("a tab", ",;|")
    found = max(others, key=first_row[0].count)
    if found not in first_row[0]:
        return ""
    named = {"\t": "a tab", ",": "a comma"}.get(found, f"'{found}'")
    return (
        f" It seems that {named} stands between the columns, where a {form} file has {wanted}."
        " Save it with that, or under the suffix that fits."
    )


def _numbered(
    first_row: Sequence[str], columns: Sequence[str], options: ReadOptions, path: Path
) -> list[str]:
    """Names for the columns of a file that does not say them."""
    count = len(first_row)
    if not options.order:
        return [str(number) for number in range(1, count + 1)]
    for order in (options.order, tuple(columns)):  # texts alone may come without their labels
        if count == len(order) and options.order[:count] == order:
            return list(order)
    raise RelevanceError(
        f"{path} has {count} columns and no header, but the task's are {', '.join(options.order)}."
        f' Say which is which: columns = {{ 1 = "{options.order[0]}", ... }}.'
    )


def _text_lines(path: Path, columns: list[str]) -> dict[str, Packed[Any]]:
    if len(columns) != 1:
        raise RelevanceError(
            f"{path} is plain text, one text on each line, but {len(columns)} columns are read:"
            f" {', '.join(columns)}. Use a format that has columns."
        )
    with open_lines(path) as file:
        return {columns[0]: Packed(line.removesuffix("\n") for line in file)}


def _objects(path: Path, form: str) -> Iterator[tuple[str, Any]]:
    """The rows of a file of JSON or of a form that benchmarks have, with the place of each."""
    with open_lines(path) as file:
        if form in LINES:
            yield from LINES[form](file, str(path))
            return
        text = file.read()
    if not text.strip():
        raise RelevanceError(f"{path} is empty. Expected a list of objects, one for each row.")
    try:
        rows = parse_json(text, row=form != ".squad")
    except RelevanceError as error:
        raise RelevanceError(f"{path}: {error} Lines of JSON belong into a .jsonl file.") from None
    if form == ".squad":
        yield from squad_rows(rows, str(path))
        return
    if not isinstance(rows, list):
        kind = "one object" if isinstance(rows, dict) else shown(rows)
        raise RelevanceError(f"{path}: expected a list of objects, one for each row, got {kind}.")
    yield from ((f"{path}, row {number}", row) for number, row in enumerate(rows, start=1))


def json_lines(lines: Iterable[str | bytes], where: str) -> Iterator[tuple[str, Any]]:
    """The values of JSON Lines, blank ones skipped.

    Args:
        lines: Lines as text, or as UTF-8 bytes.
        where: Name of their place in messages.

    Yields:
        Each value, after the words that name its place.

    Raises:
        RelevanceError: If a line is no JSON; the message has its number, from 1.
    """
    for number, line in enumerate(lines, start=1):
        if line.isspace():
            continue
        place = f"{where}, line {number}"
        try:
            value = parse_json(line, row=True)
        except RelevanceError as error:
            raise RelevanceError(f"{place}: {error}") from None
        yield place, value


def rows_of_values(values: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Rows of JSON Lines: MRQA's contexts after its header, and ReCoRD's, have a row per query.

    Args:
        values: Values of the lines, each after the words that name its place.

    Yields:
        All other values as they are, as they come.

    Raises:
        RelevanceError: If a line of these forms has not what it should have.
    """
    for first in values:
        every = chain([first], values)
        yield from mrqa_rows(every) if is_mrqa_header(first[1]) else spread(every)


LINES: dict[str, Callable[[Iterable[str], str], Iterator[tuple[str, Any]]]] = {
    ".jsonl": lambda lines, where: rows_of_values(json_lines(lines, where)),
    ".conll": conll_rows,
    ".label-first": label_first_rows,
    ".mrqa": lambda lines, where: mrqa_rows(json_lines(lines, where)),
}
"""Readers of what stands line by line, by format."""


def _rows(
    objects: Iterable[tuple[str, Any]], columns: list[str], options: ReadOptions
) -> dict[str, Packed[Any]]:
    values: dict[str, Packed[Any]] = {column: Packed() for column in columns}
    names = [(options.names.get(column, column), values[column].append) for column in columns]
    for place, row in objects:
        if not isinstance(row, dict):
            hint = " A list of all rows belongs into a .json file." if isinstance(row, list) else ""
            raise RelevanceError(f"{place}: expected an object, got {shown(row)}.{hint}")
        for name, append in names:
            if name not in row:
                _find([name], list(row), place)
            append(row[name])
    return values

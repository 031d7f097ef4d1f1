"""Reading some columns of a parquet, csv, tsv or JSON Lines file."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from relevance.errors import RelevanceError
from relevance.parsing import parse_json

SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl")
LONGEST_ROW_BYTES = 2**26


def read_columns(path: Path, columns: Sequence[str]) -> dict[str, list[Any]]:
    """Read the named columns of a file and nothing else.

    Csv and tsv cells stay text as they stand: neither numbers nor words such as "n/a" are turned
    into anything else. Both follow the csv dialect (`"` quotes, doubled inside), in UTF-8 with a
    header row.

    Args:
        path: A file with one of `SUFFIXES`.
        columns: Names of columns that it should have.

    Returns:
        One list of values per column, all equally long; None for null.

    Raises:
        RelevanceError: If the file is missing, cannot be read as what its suffix says, or lacks a
            column.
    """
    import pyarrow as pa

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise RelevanceError(f"{path} has to end in one of {', '.join(SUFFIXES)}.")
    wanted = list(dict.fromkeys(columns))
    try:
        if suffix == ".parquet":
            return _parquet(path, wanted)
        if suffix == ".jsonl":
            return _json_lines(path, wanted)
        return _delimited(path, wanted, "," if suffix == ".csv" else "\t")
    except FileNotFoundError:
        raise RelevanceError(f"{path}: no such file.") from None
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except (pa.ArrowException, csv.Error, OSError) as error:
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        if "invalid UTF8" in reason:
            raise _not_utf8(path) from None
        raise RelevanceError(f"{path} cannot be read as {suffix[1:]}: {reason}.") from None


def _not_utf8(path: Path) -> RelevanceError:
    return RelevanceError(f"{path} is not UTF-8. Save it as UTF-8.")


def _require(columns: Sequence[str], present: Sequence[str], path: Path) -> None:
    for column in columns:
        if column not in present:
            raise RelevanceError(
                f"column '{column}' is not in {path}. Columns: {', '.join(present) or 'none'}."
            )
        if present.count(column) > 1:
            raise RelevanceError(f"column '{column}' is in {path} twice. Rename one of them.")


def _parquet(path: Path, columns: list[str]) -> dict[str, list[Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        _require(columns, file.schema_arrow.names, path)
        table = file.read(columns=columns)
    return {column: table[column].to_pylist() for column in columns}


def _delimited(path: Path, columns: list[str], delimiter: str) -> dict[str, list[Any]]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file, delimiter=delimiter), [])
    _require(columns, header, path)
    table = arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(block_size=LONGEST_ROW_BYTES),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, pa.string()),
            strings_can_be_null=False,
        ),
    )
    return {column: table[column].to_pylist() for column in columns}


def _json_lines(path: Path, columns: list[str]) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {column: [] for column in columns}
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.isspace():
                continue
            row = _json_row(line, f"{path}, line {number}")
            if missing := [column for column in columns if column not in row]:
                raise RelevanceError(
                    f"column '{missing[0]}' is not in {path}, line {number}."
                    f" Columns: {', '.join(row) or 'none'}."
                )
            for column in columns:
                values[column].append(row[column])
    return values


def _json_row(line: str, where: str) -> dict[str, Any]:
    try:
        row = parse_json(line, row=True)
    except RelevanceError as error:
        raise RelevanceError(f"{where}: {error}") from None
    if not isinstance(row, dict):
        raise RelevanceError(f"{where}: expected an object, got {type(row).__name__}.")
    return row

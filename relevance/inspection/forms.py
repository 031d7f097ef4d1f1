"""What form a file has, and its columns as they stand in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from relevance.errors import RelevanceError, shown
from relevance.numerals import DECIMAL
from relevance.tasks.benchmark_files import CONLLU_FIELDS, DOCUMENT, LAST
from relevance.tasks.packed import Packed
from relevance.tasks.read import (
    FORMATS,
    ReadOptions,
    column_names,
    file_format,
    open_lines,
    other_delimiter,
    read_columns,
    read_rows,
    reading,
)

LOOKED_AT = 500
"""Lines that tell the form of a file whose suffix does not."""
MOST_LABELS = 100
LONGEST_NAME_WORDS = 6
SETS = frozenset({"tr", "va", "te"})
LISTED = {"squad": ("question", "context", "answers"), "mrqa": ("question", "context", "answers")}


@dataclass(frozen=True)
class Columns:
    """A file's columns as they stand in it.

    Attributes:
        path: The file.
        cells: Values by the column's name in the file; without a header names are 1, 2, 3.
        form: What `source.format` has to say; None where the suffix says it.
        header: Whether the first row names the columns.
    """

    path: Path
    cells: dict[str, Packed[Any]] = field(repr=False)
    form: str | None
    header: bool = True

    def __len__(self) -> int:
        return max(map(len, self.cells.values()), default=0)


def read_file(path: Path) -> Columns:
    """Read all columns of a file whose form is not known.

    Csv, tsv, jsonl and parquet are what their suffix says; `.json` with a `data` key is SQuAD's,
    `.jsonl` that begins with a `header` MRQA's. Of other text files, blank lines between lines of
    equally many fields, two at least, mean CoNLL; a tab in every line means tsv; one of at most 100
    different words before each line's first blank means a label before a text.

    Args:
        path: The file.

    Returns:
        Its columns.

    Raises:
        RelevanceError: If it cannot be read, or has none of these forms.
    """
    suffix = path.name.lower().removesuffix(".gz")
    form = next((each for each in FORMATS if suffix.endswith(each)), None)
    if form == ".parquet":
        return _flat(path, None)
    with reading(path, form or ".text"), open_lines(path) as file:
        lines = list(islice(file, LOOKED_AT))
    if not any(map(str.strip, lines)):
        raise RelevanceError(f"{path} is empty: there is nothing to guess from.")
    if form in {".csv", ".tsv"} and not (form == ".tsv" and _is_conll(lines)):
        return _flat(path, None)
    if form == ".jsonl":
        return _objects(path, "mrqa" if lines[0].lstrip().startswith('{"header"') else None)
    if form == ".json":
        nested = lines[0].lstrip("\ufeff \t\r\n").startswith("{")
        return _objects(path, "squad" if nested else None)
    if _is_conll(lines):
        return _conll(path)
    text = [line for line in lines if line.strip()]
    if all(line.count("\t") == text[0].count("\t") > 0 for line in text):
        return _flat(path, "tsv")
    if len({line.split(maxsplit=1)[0] for line in text}) <= min(
        MOST_LABELS, len(text) // 2
    ) and all(len(line.split()) > 1 for line in text):
        cells = read_columns(path, ["label", "text"], ReadOptions(form="label-first"))
        return Columns(path, cells, "label-first")
    raise RelevanceError(
        f"{path}: {len(text)} lines such as {shown(text[0].strip())} are neither `LABEL text`, nor"
        " columns between tabs, nor a word and its tags on each line. Save it as .csv, .tsv or"
        " .jsonl with one row for each text and its label."
    )


def _is_conll(lines: Sequence[str]) -> bool:
    """Whether lines are words with tags, and blank lines stand between sentences."""
    text = [line.rstrip("\r\n") for line in lines]
    words = [each for each in text if each.strip() and not each.startswith(("#", DOCUMENT))]
    if not words or "" not in map(str.strip, text[:-1]):
        return False
    delimiter = "\t" if "\t" in words[0] else None
    counts = {len(each.split(delimiter)) for each in words}
    return len(counts) == 1 and counts.pop() > 1


def _conll(path: Path) -> Columns:
    with open_lines(path) as file:
        words = (each for each in file if each.strip() and not each.startswith(("#", DOCUMENT)))
        first = next(words)
    count = len(first.split("\t" if "\t" in first else None))
    if count == CONLLU_FIELDS and first.split("\t")[0].isdecimal():
        raise RelevanceError(
            f"{path} is CoNLL-U: its tags name no entities, so no task of kind tokens can be made"
            f" of it. Probing tasks can: `hmnet probe --make all --conllu {path.name}`."
        )
    cells = read_columns(path, ["1", LAST], ReadOptions(form="conll"))
    return Columns(path, {"tokens": cells["1"], "tags": cells[LAST]}, "conll")


def _objects(path: Path, form: str | None) -> Columns:
    if form is not None:
        cells = read_columns(path, LISTED[form], ReadOptions(form=form))
        return Columns(path, cells, form)
    rows = list(read_rows(path))
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise RelevanceError(f"{path}, row {number}: expected an object, got {shown(row)}.")
    names = dict.fromkeys(name for row in rows for name in row)
    whole = [name for name in names if all(name in row for row in rows)]
    return Columns(path, {name: Packed(row[name] for row in rows) for name in whole}, None)


def _flat(path: Path, form: str | None) -> Columns:
    """Columns of a file that has some; the first row names them unless it looks like a row."""
    first = column_names(path, form)
    kind = form or file_format(path)[1:]
    if kind == "parquet":
        return Columns(path, read_columns(path, first), None)
    if hint := other_delimiter(first, f".{kind}"):
        raise RelevanceError(f"{path} has one column.{hint}")
    numbers = [str(number) for number in range(1, len(first) + 1)]
    options = ReadOptions(header=False, form=form)
    cells = read_columns(path, numbers, options)
    if set(cells["1"]) <= SETS and len(first) == len(SETS):
        raise RelevanceError(
            f"{path} is a probing file of SentEval (split, label, sentence on each line). Name its"
            " folder to `hmnet probe BACKBONE --data DIR`."
        )
    if _is_row(first, cells):
        return Columns(path, cells, form, header=False)
    kept = [
        number
        for number, name in zip(numbers, first, strict=True)
        if name.strip() and first.count(name) == 1
    ]
    named = {first[int(number) - 1]: Packed(islice(cells[number], 1, None)) for number in kept}
    return Columns(path, named, form)


def _is_row(first: Sequence[str], cells: Mapping[str, Sequence[Any]]) -> bool:
    """Whether the first line of a file is a row like the others, and not names of columns.

    It is where a field of it is a number, has more than 6 words, or stands again in its column.
    """
    return any(
        DECIMAL.fullmatch(name) or len(name.split()) > LONGEST_NAME_WORDS or column.count(name) > 1
        for name, column in zip(first, cells.values(), strict=True)
    )

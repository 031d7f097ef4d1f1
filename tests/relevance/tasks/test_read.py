"""Files of every format: the same rows from each, columns under other names, one line otherwise."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from relevance.errors import RelevanceError
from relevance.tasks.read import ReadOptions, column_names, read_columns
from relevance.tasks.source import Source

Write = Callable[[Path, Mapping[str, Sequence[Any]]], Path]
FORMATS = (
    ".parquet",
    ".csv",
    ".tsv",
    ".jsonl",
    ".json",
    ".csv.gz",
    ".tsv.gz",
    ".jsonl.gz",
    ".json.gz",
)
COLUMNS = {"sentence": ["a b", "", "é"], "label": ["x", "y", "x"]}


@pytest.fixture
def make(write: Write) -> Write:
    """Write columns in any format, packed ones too."""

    def make_file(path: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
        plain = path.with_suffix("") if path.suffix == ".gz" else path
        if plain.suffix == ".json":
            rows = [
                dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
            ]
            plain.write_text("\ufeff" + json.dumps(rows, indent=1), encoding="utf-8")
        else:
            write(plain, columns)
        if path != plain:
            path.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
        return path

    return make_file


def named(own: Sequence[str], columns: dict[str, str], *, header: bool = True) -> ReadOptions:
    """Options for files whose columns have other names."""
    return ReadOptions.of(Source(train="t", dev="d", columns=columns, header=header), own)


def refusal(path: Path, columns: Sequence[str], options: ReadOptions | None = None) -> str:
    with pytest.raises(RelevanceError) as error:
        read_columns(path, columns, options or ReadOptions())
    return str(error.value)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_holds_the_same_rows(tmp_path: Path, make: Write, form: str) -> None:
    path = make(tmp_path / f"d{form}", COLUMNS)
    assert read_columns(path, ["label", "sentence"]) == COLUMNS
    assert read_columns(path, ["label"]) == {"label": COLUMNS["label"]}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("columns", [{"sentence": "text"}, {"text": "sentence"}])
def test_columns_under_other_names(
    tmp_path: Path, make: Write, form: str, columns: dict[str, str]
) -> None:
    """The file has `sentence`, the task `text`, whichever of them a table names first."""
    path = make(tmp_path / f"d{form}", COLUMNS | {"text": ["1", "2", "3"]})
    options = named(["text", "label"], columns)
    assert read_columns(path, ["text", "label"], options) == {
        "text": COLUMNS["sentence"],
        "label": COLUMNS["label"],
    }


def test_columns_may_change_places(tmp_path: Path, make: Write) -> None:
    path = make(tmp_path / "d.csv", {"a": ["1"], "b": ["2"]})
    swapped = named(["a", "b"], {"a": "b", "b": "a"})
    assert read_columns(path, ["a", "b"], swapped) == {"a": ["2"], "b": ["1"]}


@pytest.mark.parametrize("form", [".csv", ".tsv", ".tsv.gz"])
def test_files_without_header(tmp_path: Path, make: Write, form: str) -> None:
    path = make(tmp_path / f"d{form}", {"good film": ["bad film"], "1": ["0"]})
    ordered = named(["sentence", "label"], {}, header=False)
    expected = {"sentence": ["good film", "bad film"], "label": ["1", "0"]}
    assert read_columns(path, ["sentence", "label"], ordered) == expected
    numbered = named(["sentence", "label"], {"1": "sentence", "2": "label"}, header=False)
    assert read_columns(path, ["sentence", "label"], numbered) == expected
    texts = make(tmp_path / f"t{form}", {"good film": ["bad film"]})
    assert read_columns(texts, ["sentence"], ordered) == {"sentence": ["good film", "bad film"]}


def test_colas_own_file(tmp_path: Path) -> None:
    path = tmp_path / "in_domain_train.tsv"
    path.write_text('gj04\t1\t\tOur friends "won\'t buy it.\ngj04\t0\t*\tWhat "did he?\n')
    options = named(["sentence", "label"], {"4": "sentence", "2": "label"}, header=False)
    assert read_columns(path, ["sentence", "label"], options) == {
        "sentence": ["Our friends \"won't buy it.", 'What "did he?'],
        "label": ["1", "0"],
    }
    unsaid = named(["sentence", "label"], {}, header=False)
    assert refusal(path, ["sentence", "label"], unsaid) == (
        f"{path} has 4 columns and no header, but the task's are sentence, label. Say which is"
        ' which: columns = { 1 = "sentence", ... }.'
    )


def test_text_has_one_column(tmp_path: Path) -> None:
    path = tmp_path / "d.txt"
    path.write_text("\ufeffa,b\n\n\u2028c", encoding="utf-8")
    assert read_columns(path, ["sentence"]) == {"sentence": ["a,b", "", "\u2028c"]}
    assert refusal(path, ["sentence", "label"]) == (
        f"{path} is plain text, one text on each line, but 2 columns are read: sentence, label."
        " Use a format that has columns."
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "d.json",
            b'{"s": {"0": "a"}}',
            ": expected a list of objects, one for each row, got one object.",
        ),
        (
            "d.json",
            b'{"s": "a"}\n{"s": "b"}',
            ": not valid JSON: Extra data at line 2, column 1. Lines",
        ),
        ("d.json", b'[{"s": "a"},\n 2]', ", row 2: expected an object, got 2."),
        ("d.json", b'[{"s": "a"}, {"t": 1}]', ", row 2. Columns: t."),
        ("d.json", b"[" * 50_000, ": not valid JSON: it is nested too deeply."),
        (
            "d.jsonl",
            b'{"s": "a"}\n{"s": ' + b"9" * 5000 + b"}",
            ", line 2: not valid JSON: Exceeds",
        ),
        (
            "d.jsonl",
            b'{"s": ' + b"[" * 50_000,
            ", line 1: not valid JSON: it is nested too deeply.",
        ),
        ("d.jsonl", b'{"s": "a", "s": "b"}', ", line 1: not valid JSON: 's' is there twice."),
        ("d.json", b" \n", " is empty. Expected a list of objects"),
        ("d.csv", "s,t\r\na,b".encode("utf-16"), " is UTF-16, not UTF-8. Save it as UTF-8."),
        ("d.csv.gz", b"s\na\n", " cannot be read as gzip: Not a gzipped file"),
        ("d.csv.gz", gzip.compress(b"s\na\n" * 99, mtime=0)[:-9], " cannot be read as gzip: "),
        (
            "d.jsonl.gz",
            gzip.compress(b'{"s": "a"}\n' * 99, mtime=0)[:-9],
            " cannot be read as gzip: ",
        ),
        ("d.parquet.gz", b"", " has to end in one of"),
        ("d.gz", b"", " has to end in one of"),
        ("d.csv", "s\na\n".encode("utf-16-le"), " is UTF-16 without a byte order mark"),
        (
            "d.csv",
            gzip.compress(b"s\na\n", mtime=0),
            " is packed with gzip, not text. Unpack it first.",
        ),
        ("d.csv.gz", gzip.compress("s".encode("utf-16"), mtime=0), " is UTF-16, not UTF-8."),
        ("d.csv", b"s;l\na;b\n", ". Columns: s;l. It seems that ';' stands between the columns"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = refusal(path, ["s"])
    assert f"{path}{message}" in found
    assert "\n" not in found
    assert len(found) < 300 + len(str(path))


def test_places_that_hold_no_file(tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    (tmp_path / "circle.jsonl").symlink_to(tmp_path / "circle.jsonl")
    assert refusal(tmp_path / "d.csv", ["s"]).endswith("d.csv cannot be read: Is a directory.")
    assert refusal(tmp_path / "no.csv", ["s"]).endswith("no.csv: no such file.")
    assert refusal(tmp_path / "circle.jsonl", ["s"]).endswith("Too many levels of symbolic links.")


def test_a_header_is_for_formats_that_can_lack_it(tmp_path: Path, make: Write) -> None:
    path = make(tmp_path / "d.jsonl", COLUMNS)
    assert refusal(path, ["label"], ReadOptions(header=False)) == (
        f"{path}: `header = false` is for csv and tsv files."
    )


@pytest.mark.parametrize("form", [".parquet", ".csv", ".tsv.gz"])
def test_names_of_all_columns(tmp_path: Path, make: Write, form: str) -> None:
    assert column_names(make(tmp_path / f"d{form}", COLUMNS)) == ["sentence", "label"]

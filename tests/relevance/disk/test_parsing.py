"""JSON and TOML of any kind: the value, or one line that says what is wrong."""

import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.disk.files import read_json, read_object, read_text, read_toml, validated
from relevance.disk.parsing import parse_json, parse_toml
from relevance.errors import RelevanceError
from relevance.matrices.matrix import load_matrix
from relevance.tasks.task import Source

DEEP = "[" * 100_000 + "]" * 100_000
DIGITS = "9" * 5000

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
).filter(lambda value: "\\ud" not in json.dumps(value).lower())


@given(value=values, mark=st.booleans(), row=st.booleans())
def test_json_comes_back_as_it_was_written(value: Any, mark: bool, row: bool) -> None:
    text = "\ufeff" * mark + json.dumps(value, ensure_ascii=False)
    assert parse_json(text, row=row) == value
    assert parse_json(text.encode(), row=row) == value


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert parse_json(r'"\ud83d\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("row", [False, True])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DEEP, "it is nested too deeply."),
        (DEEP[:100_000].replace("[", '{"a":'), "it is nested too deeply."),
        (DIGITS, "Exceeds the limit (4300 digits) for integer string conversion"),
        (r'{"a": "\ud800"}', "half of a surrogate pair is no character."),
        (r'{"\uDFFF": 1}', "half of a surrogate pair is no character."),
        ('{"a": 1, "b": 2, "a": 3}', "'a' is there twice."),
        ('[{"x": {"a;b": 1, "a;b": 1}}]', "'a;b' is there twice."),
        ("", "Expecting value at"),
        ("{", "Expecting property name enclosed in double quotes at"),
        ("[1] 2", "Extra data at"),
    ],
)
def test_what_is_no_json_is_one_line(text: str, reason: str, row: bool) -> None:
    with pytest.raises(RelevanceError) as error:
        parse_json(text, row=row)
    assert str(error.value).startswith(f"not valid JSON: {reason}")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[NaN]", "NaN is no JSON, write null for what is not known."),
        ("[-Infinity]", "-Infinity is no JSON, write null for what is not known."),
        ("1e999", "1e999 is too large."),
        (f"-{DIGITS[:400]}", "an integer of 400 digits is too large."),
    ],
)
def test_numbers_that_no_array_holds_are_for_other_peoples_columns(text: str, reason: str) -> None:
    with pytest.raises(RelevanceError) as error:
        parse_json(text)
    assert str(error.value) == f"not valid JSON: {reason}"
    parse_json(text, row=True)


def test_a_place_is_the_line_of_a_file_and_the_column_of_a_row() -> None:
    with pytest.raises(RelevanceError, match=r"Expecting value at line 2, column 6\.$"):
        parse_json('{\n"a": }')
    with pytest.raises(RelevanceError, match=r"Expecting value at column 7\.$"):
        parse_json('{"a": }', row=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"a = {DEEP}", "it is nested too deeply."),
        (f"a = {DIGITS}", "Exceeds the limit (4300 digits) for integer string conversion"),
        (f"[t]\na = [1, {DIGITS[:30]}]", "an integer of 30 digits is too large."),
        ("a = ", "Invalid value (at end of document)."),
        ('a = "\\ud800"', "Escaped character is not a Unicode scalar value"),
    ],
)
def test_what_is_no_toml_is_one_line(text: str, reason: str) -> None:
    with pytest.raises(RelevanceError) as error:
        parse_toml(text)
    assert str(error.value).startswith(f"not valid TOML: {reason}")
    assert len(str(error.value)) < 200


def test_files_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text('\ufeff{"schema": "kind/1", "a": 1}', encoding="utf-8")
    assert read_json(path, "kind/1") == {"a": 1}
    assert read_text(path)[0] == "{"
    path.write_text("\ufeffa = 1", encoding="utf-8")
    assert read_toml(path) == {"a": 1}


@pytest.mark.parametrize("schema", ["kind/2", "kind/" + DIGITS, "kind/-1", "kind", "kind/x"])
def test_a_schema_that_is_not_known(tmp_path: Path, schema: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"schema": schema}))
    with pytest.raises(RelevanceError) as error:
        read_json(path, "kind/1")
    assert str(error.value).startswith(f"{path} has schema 'kind")
    assert len(str(error.value)) < 300 + len(str(path))


@pytest.mark.parametrize("read", [read_text, read_toml, read_object])
def test_what_is_no_file_is_one_line(tmp_path: Path, read: Any) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    for path, reason in [
        (circle, "cannot be read: Too many levels of symbolic links."),
        (tmp_path, "cannot be read: Is a directory."),
        (tmp_path / "no", "no such file."),
        (tmp_path / ("n" * 300), "cannot be read: File name too long."),
        (tmp_path / "a\0b", "cannot be read: embedded null byte."),
    ]:
        with pytest.raises(RelevanceError) as error:
            read(path)
        assert str(error.value).endswith(reason)
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    with pytest.raises(
        RelevanceError, match=r"latin is not UTF-8 \(byte 3\)\. Save it as UTF-8\.$"
    ):
        read(tmp_path / "latin")


@pytest.mark.parametrize(
    ("data", "form"),
    [
        ("task,A\n".encode("utf-16"), "UTF-16, not UTF-8. Save it as UTF-8."),
        ("task,A\n".encode("utf-16-be"), "UTF-16 without a byte order mark, or no text at all"),
        ("task,A\n".encode("utf-16-le"), "UTF-16 without a byte order mark, or no text at all"),
        ("task,A\n".encode("utf-32"), "UTF-32, not UTF-8. Save it as UTF-8."),
        (gzip.compress(b"task,A\n", mtime=0), "packed with gzip, not text. Unpack it first."),
        (bz2.compress(b"task,A\n"), "packed with bzip2, not text."),
        (lzma.compress(b"task,A\n"), "packed with xz, not text."),
        (b"PK\3\4\x14\0\x08\0", "a zip archive, as spreadsheets are, not text."),
    ],
)
@pytest.mark.parametrize("name", ["m.csv", "m.json"])
def test_the_form_of_a_matrix_that_is_not_utf8_is_named(
    tmp_path: Path, name: str, data: bytes, form: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RelevanceError) as error:
        load_matrix(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name} is {form}")


@pytest.mark.parametrize(
    "content",
    [
        {"train": "a", "dev": ["long"] * 100_000},
        {"train": "a", "dev": parse_json("[" * 400 + "]" * 400)},
        {"train": "a", "dev": 10**5000},
        {"hub": "h", "columns": {"k" * 100_000: 1}},
        {"n" * 100_000: 1},
        "text" * 100_000,
    ],
)
def test_a_wrong_value_however_large_is_a_short_line(content: Any) -> None:
    with pytest.raises(RelevanceError) as error:
        validated(Source, content, "tasks.toml")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500

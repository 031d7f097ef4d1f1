"""Csv and tsv: every row that was written comes back as it was, or the line at fault is named."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from relevance.errors import RelevanceError
from relevance.tasks.delimited import CSV, TSV, Delimited, Form

FIELDS = st.text(st.sampled_from('ab" ,;\t\n\r\x01é'), max_size=6)
PLAIN = st.text(st.sampled_from('ab" ,;é'), min_size=1, max_size=6)


def read(text: str | bytes, form: Form, *, header: bool = True) -> list[list[str]]:
    """All rows, that of the names among them."""
    data = text if isinstance(text, bytes) else text.encode()
    file = Delimited(data, form, "d")
    names = [str(place) for place in range(len(file.first_row))]
    columns = file.table(names, header=False).to_pydict().values()
    rows = [list(row) for row in zip(*columns, strict=True)]
    assert rows[0] == file.first_row
    assert file.table(names, header=True).num_rows == len(rows) - 1
    return rows


def tables(field: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    return st.integers(2, 3).flatmap(
        lambda width: st.lists(
            st.lists(field, min_size=width, max_size=width), min_size=1, max_size=5
        )
    )


@given(
    rows=tables(FIELDS),
    ending=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_csv_comes_back_as_a_writer_of_csv_wrote_it(
    rows: list[list[str]], ending: str, mark: bool, quoting: int
) -> None:
    # between "\n" Python's writer leaves such a field without quotes, and none can read it back
    assume(
        ending == "\r\n"
        or quoting == csv.QUOTE_ALL
        or not any("\r" in "".join(row) for row in rows)
    )
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=ending, quoting=quoting).writerows(rows)
    assert read("\ufeff" * mark + file.getvalue(), CSV) == rows


@given(rows=tables(PLAIN), ending=st.sampled_from(["\n", "\r\n", "\r"]), last=st.booleans())
@example(
    rows=[['"Why so late?', "A"], ["Where?", "B"], ['"Since when?', "A"]], ending="\n", last=True
)
@example(
    rows=[['"Why so late?', "A"], ["Where?", "B"], ['Since when?"', "A"]], ending="\n", last=True
)
@example(rows=[['"a"', '"']], ending="\n", last=False)
def test_tsv_comes_back_byte_for_byte(rows: list[list[str]], ending: str, last: bool) -> None:
    text = ending.join("\t".join(row) for row in rows) + ending * last
    cells = [cell for row in rows for cell in row if '"' in cell]
    if cells and all(
        cell[:1] == cell[-1:] == '"' and len(cell) > 3 and _doubled(cell) for cell in cells
    ):
        with pytest.raises(RelevanceError, match="stands in quotes that hold others doubled"):
            read(text, TSV)
    else:
        assert read(text, TSV) == rows


def _doubled(cell: str) -> bool:
    inside = cell[1:-1]
    return '"' in inside and '"' not in inside.replace('""', "")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('s,l\n6" nails,1\nthe "best",0\n', [["s", "l"], ['6" nails', "1"], ['the "best"', "0"]]),
        ("s,l\r\na,1\r\n\r\nb,0", [["s", "l"], ["a", "1"], ["b", "0"]]),
        ("s,l\ra,1\rb,0\r", [["s", "l"], ["a", "1"], ["b", "0"]]),
        ("\n\ns,l\na,\n", [["s", "l"], ["a", ""]]),
        ('"s,x","l"\n"a\r\n\r\nb",1\n', [["s,x", "l"], ["a\r\n\r\nb", "1"]]),
        ("s,l", [["s", "l"]]),
    ],
)
def test_csv_of_other_hands(text: str, rows: list[list[str]]) -> None:
    assert read(text, CSV) == rows


def test_an_empty_line_of_one_column_is_an_empty_text_where_nothing_can_be_quoted() -> None:
    assert read("s\na\n\nb\n", TSV) == [["s"], ["a"], [""], ["b"]]
    assert read('s\na\n""\nb\n', CSV) == [["s"], ["a"], [""], ["b"]]


def test_an_empty_file_has_no_columns() -> None:
    for text in ("", "\ufeff", "\n"):
        assert Delimited(text.encode(), CSV, "d").first_row == []


QUOTES = 'In csv a field that holds a quote stands in quotes and doubles it: "6"" nails".'
OPENS = "a quote opens a field, and where the next one closes it the field goes on"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('s,l\n"a,1\n', "line 2: a quote opens a field that no other one closes."),
        ('s,l\na,1\n"a\n\nb"c,1\n', f"line 3: {OPENS}."),
        # GLUE's rows with commas for tabs: read loosely, three of them become one
        ('s,l\n"Why?,1\nNo.,0\n"When?,1\n', f"line 2: {OPENS}."),
        (
            '"s","l"\n"a\n",1\na "b" c,0\n',
            "line 4: there is a quote inside a field that does not begin",
        ),
        (
            '"s", "l"\na,1\n',
            "line 1: there is a quote inside a field that does not begin with one.",
        ),
        ('"s",l\n"\r",1\na\rb,1\n', "line 3: there is a carriage return inside the row."),
        ("s,l\na\rb,1\n", "line 2: there is a carriage return inside the row. Take it out, or put"),
    ],
)
def test_csv_that_can_be_read_in_two_ways_is_refused(text: str, message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        read(text, CSV)
    assert str(error.value).startswith(f"d, {message}")
    assert ("carriage" in message) or str(error.value).endswith(QUOTES)


@pytest.mark.parametrize("form", [CSV, TSV])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ["s,l", *["a,1"] * 500, "so,what,no", "a,1"],
            "line 502: 3 columns, but the first row has 2.",
        ),
        (["s,l", "a,1", "", "a"], "line 4: 1 column, but the first row has 2."),
        (["s", "a", "b,c"], "line 3: 2 columns, but the first row has 1."),
    ],
)
def test_a_ragged_row_is_named_by_its_line(form: Form, rows: Sequence[str], message: str) -> None:
    for ending in ("\n", "\r\n", "\r"):
        text = ending.join(rows).replace(",", form.delimiter.decode())
        with pytest.raises(RelevanceError) as error:
            read(text, form)
        assert str(error.value) == f"d, {message} {form.hint}"


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    """A quoted field may go over several lines, and commas in it are none between fields."""
    with pytest.raises(RelevanceError, match=r"^d, line 6: 3 columns, but the first row has 2\."):
        read('s,l\n"a,\n\nb",1\n"\x01",2\n"a","b",3\n', CSV)


def test_tsv_that_is_quoted_as_csv_is() -> None:
    """Pandas and Excel quote where a text holds a quote, a tab or a line break, all as in csv."""
    with pytest.raises(RelevanceError) as error:
        read('s\tl\nfine\t1\n"He said ""hi"""\t0\n', TSV)
    assert str(error.value) == (
        f"d, row 3: a field stands in quotes that hold others doubled, as in csv. {TSV.hint}"
    )
    with pytest.raises(RelevanceError, match=r"^d, line 2: 3 columns, but the first row has 2\."):
        read('s\tl\n"a\tb"\t0\n', TSV)
    with pytest.raises(RelevanceError, match=r"^d, line 2: 1 column, but the first row has 2\."):
        read('s\tl\n"a\nb"\t0\n', TSV)


def test_only_the_named_columns_are_made() -> None:
    file = Delimited(b"a,b,c\n1,2,3\n", CSV, "d")
    assert file.table([None, "x", None], header=True).to_pydict() == {"x": ["2"]}

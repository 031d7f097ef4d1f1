"""Whatever a name holds, no medium takes it for a command."""

import csv
import io
import json
import re
import unicodedata
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.escaping import (
    csv_text,
    for_csv,
    for_figure,
    for_latex,
    for_line,
    for_markdown,
    for_terminal,
    from_csv,
)
from relevance.figures.figure import save_figure
from relevance.figures.heatmap import heatmap
from relevance.matrices.matrix import RelevanceMatrix
from relevance.matrices.reading import csv_matrix
from relevance.report.tables import table

TEXT = st.text(max_size=12) | st.text(
    "=+-@'\t\r\n 0aZ_*`|<>\\${}&%#~^[]\x1b\x07\x9b\u202e\ud800", max_size=12
)


@given(text=TEXT)
def test_a_terminal_sees_no_control_but_line_breaks_and_tabs(text: str) -> None:
    shown = for_terminal(text)
    left = [character for character in shown if character not in "\n\t"]
    assert not [c for c in left if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
    shown.encode()


@given(text=TEXT.filter(lambda text: not re.search("[\ud800-\udfff]", text)))
def test_json_stays_the_same_json(text: str) -> None:
    assert json.loads(for_terminal(json.dumps(text, ensure_ascii=False))) == text


@given(text=TEXT)
def test_a_line_is_one_line(text: str) -> None:
    assert len(for_line(text).splitlines()) <= 1
    assert for_figure(text) == for_line(text)


@given(text=TEXT)
def test_latex_has_no_command_but_those_that_print_a_character(text: str) -> None:
    escaped = for_latex(text)
    known = r"\\(text(backslash|asciitilde|asciicircum|less|greater|bar)\{\}|char34\{\}|[&%$#_{}])"
    rest = re.sub(known, "", escaped)
    assert not re.search(r"[\\&%$#_~^\"<>|]", rest)
    assert not escaped.startswith(("[", "*"))
    assert "{[}" in escaped or "[" not in escaped


@given(text=TEXT)
def test_markdown_keeps_its_cells(text: str) -> None:
    plain = re.sub(r"\\[\\|*`<\]&_~$]", ".", for_markdown(text))
    assert not re.search(r"[\\|*`~$\n]", plain)
    assert not re.search(r"<[A-Za-z/!?]", plain)


@given(text=TEXT)
def test_a_spreadsheet_finds_no_formula(text: str) -> None:
    cell = for_csv(text)
    assert from_csv(cell) == text
    if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} and cell:
        float(cell.removesuffix("%"))


@given(rows=st.lists(st.tuples(st.text('a,"\r\n\u2028'), st.text('a,"\r\n')), max_size=4))
def test_cells_of_csv_come_back_whatever_line_breaks_they_hold(rows) -> None:
    read = csv.reader(io.StringIO(csv_text(rows), newline=""))
    assert [tuple(map(from_csv, row)) for row in read] == rows


@given(names=st.lists(st.text("=+-@'1a", min_size=1), min_size=1, max_size=4, unique=True))
def test_names_of_a_matrix_in_csv_come_back(names: list[str]) -> None:
    matrix = RelevanceMatrix(np.zeros((len(names), len(names))), tuple(names), "m")
    tasks, _, _ = csv_matrix(matrix.to_csv(), "m.csv")
    assert tasks == tuple(names)


NAMES = ("=cmd|' /C calc'!A0", r"\input{/etc/passwd}", '<img src="x" onerror="f()">', "$x_y$")


@pytest.mark.parametrize("form", ["csv", "latex", "markdown"])
def test_tables_escape_headers_and_cells(form: str) -> None:
    text = table([{name: name for name in NAMES}, dict.fromkeys(NAMES, "-1.5")], form)
    if form == "csv":
        header, names, numbers = csv.reader(io.StringIO(text))
        assert header == names
        assert header[0].startswith("'=")
        assert numbers == ["-1.5"] * 4
    else:
        assert r"\input{" not in text.replace(r"\\input", "")
        assert "<img" not in text.replace(r"\<img", "")
        assert text.count("$-$1.5" if form == "latex" else "-1.5") == 4


def test_a_figure_shows_names_as_they_are_and_svg_has_no_markup_of_theirs(tmp_path: Path) -> None:
    names = (*NAMES, "$\\frac$")
    axes = heatmap(RelevanceMatrix(np.eye(5), names, "<b>$m$</b>\n\x1b"))
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == list(names)
    save_figure(axes, tmp_path / "f.svg")
    drawn = (tmp_path / "f.svg").read_text()
    assert not re.search(r"<(img|b)\b", drawn)
    tree = ET.fromstring(drawn)  # noqa: S314 - made here
    assert {element.tag.rpartition("}")[2] for element in tree.iter()}.isdisjoint({"img", "b"})

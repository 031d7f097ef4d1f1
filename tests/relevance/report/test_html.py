"""What a notebook shows: values, colours and marks, and no element that a name smuggles in."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from relevance.clustering.spec import ClusterSpec
from relevance.comparison.judging import compare_with
from relevance.figures.heatmap import colours
from relevance.figures.scale import MINUS
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.report.html import MOST_TASKS, groups_html, matrix_html

ATTACK = "<img src=x onerror=alert(1)>"
QUOTE = '" onmouseover="alert(2)'


class Seen(HTMLParser):
    """Elements, attributes and texts, as a browser finds them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.rows: list[list[str]] = []
        self.text = ""
        self.in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self.in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.in_cell:
            self.rows[-1][-1] += data


HARMLESS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "b", "p"}


def gains() -> RelevanceMatrix:
    """Two tasks; the second cell is below the majority class in both runs and within its noise."""
    return RelevanceMatrix(
        np.array([[0.0, 0.032], [-0.005, 0.0]]),
        ("A", "B"),
        "joint-training",
        standard_errors=np.array([[0.0, 0.001], [0.01, 0.0]]),
        single={"gain": [[0.5, 0.6]], "primary": [[0.5, 0.6]]},
        joint={"gain": [[[0.5, 0.62], [0.49, 0.6]]], "primary": [[[0.5, 0.62], [0.49, 0.6]]]},
        majority={"gain": [0.55, 0.5], "primary": [0.55, 0.5]},
    )


def test_cells_have_sign_percent_and_marks() -> None:
    seen = Seen(matrix_html(gains()))
    assert seen.rows[0] == ["", "A", "B"]
    assert seen.rows[1] == ["A", "0.0", "+3.2"]
    assert seen.rows[2] == ["B", f"{MINUS}0.5*†", "0.0"]
    assert "joint-training gain of the target (%)" in seen.text
    assert "Percent; row = source, column = target" in seen.text
    assert "*: the 95 % interval" in seen.text
    assert "†: no run beats the majority class" in seen.text


def test_colours_are_those_of_the_heat_map() -> None:
    matrix = RelevanceMatrix(np.array([[0.0, 0.1], [-0.1, 0.0]]), ("A", "B"), "joint-training")
    grounds = re.findall(r"background:(#\w{6})", matrix_html(matrix))
    ends = [colours(diverging=True)(end) for end in (1.0, 0.0)]
    assert grounds[1:3] == [
        "#" + "".join(f"{round(255 * part):02x}" for part in end[:3]) for end in ends
    ]
    assert grounds[0] == grounds[3] == "#ededed"  # the diagonal says nothing


def test_unknown_cells_and_values_of_another_unit() -> None:
    matrix = RelevanceMatrix(np.array([[1.0, np.nan], [0.25, 1.0]]), ("A", "B"), "vocabulary")
    seen = Seen(matrix_html(matrix))
    assert seen.rows[1:] == [["A", "100.0", "\N{EN DASH}"], ["B", "25.0", "100.0"]]
    points = RelevanceMatrix(np.array([[0.0, 0.5], [0.25, 0.0]]), ("A", "B"), "m", unit="points")
    assert "Percentage points" in Seen(matrix_html(points)).text


def test_the_papers_values_stand_in_the_table() -> None:
    seen = Seen(matrix_html(load_matrix("paper:table3")))
    assert len(seen.rows) == 14
    column = seen.rows[0].index("WNLI")
    (row,) = [row for row in seen.rows if row[0] == "CB"]
    value = 100 * load_matrix("paper:table3").to_frame().loc["CB", "WNLI"]
    assert row[column] == f"{value:+.1f}".replace("-", MINUS)


def test_hundreds_of_tasks_are_cut_and_said_so() -> None:
    names = tuple(f"T{number}" for number in range(MOST_TASKS + 7))
    seen = Seen(matrix_html(RelevanceMatrix(np.eye(len(names)), names, "m")))
    assert len(seen.rows) == MOST_TASKS + 1
    assert f"The first {MOST_TASKS} of {len(names)} tasks." in seen.text


def test_groups_have_a_row_each() -> None:
    spec = ClusterSpec(clusters=(("RTE", "CB"), ("MRPC",)), names=("nli", "rest"), silhouette=0.5)
    seen = Seen(groups_html(spec))
    assert seen.rows == [["group", "tasks"], ["nli", "RTE, CB"], ["rest", "MRPC"]]
    assert "method: manual; silhouette 0.50" in seen.text


def test_names_are_text_and_no_elements() -> None:
    names = (ATTACK, QUOTE, "</td><script>", "&lt;b&gt;")
    values = np.arange(16.0).reshape(4, 4)
    matrix = RelevanceMatrix(values, names, f"{ATTACK}{QUOTE}")
    spec = ClusterSpec(clusters=(names[:2], names[2:]), names=(ATTACK, QUOTE), method=ATTACK)
    compared = compare_with(matrix, [matrix], [ATTACK])
    for html in (matrix._repr_html_(), spec._repr_html_(), compared._repr_html_()):
        seen = Seen(html)
        assert seen.elements <= HARMLESS
        assert seen.attributes <= {"style"}
        assert ATTACK in seen.text
    assert Seen(matrix_html(matrix)).rows[0][1:] == list(names)


@pytest.mark.parametrize(
    ("thing", "shown"),
    [
        (
            load_matrix("paper:table3"),
            "RelevanceMatrix('joint-training', 13 x 13: MNLI, QNLI, RTE, WNLI and 9 more)",
        ),
        (
            ClusterSpec(clusters=(("RTE", "CB"), ("MRPC",))),
            "ClusterSpec(manual, 2 groups: RTE, CB; MRPC)",
        ),
        (
            ClusterSpec(clusters=(("a\nb" * 90,), ("b",), ("c",), ("d",))),
            None,
        ),
    ],
)
def test_reprs_are_one_short_line(thing: object, shown: str | None) -> None:
    assert shown is None or repr(thing) == shown
    assert "\n" not in repr(thing)
    assert len(repr(thing)) < 120

"""A matrix file is read for what it says, or refused with the line or field that does not serve."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.matrices.reading import csv_matrix
from relevance.report.tables import FORMATS, matrix_table

FRACTIONS = st.floats(-1e6, 1e6) | st.just(math.nan)


@pytest.mark.parametrize(
    "text",
    [
        "task,A,B\nA,0,0.125\nB,-2,\n",
        "\ufefftask,A,B\r\nA,0,0.125\r\n\r\nB,-2,\r\n,,\r\n",
        "task;A;B\nA;0;0,125\nB;-2;\n",
        "task;A;B\nA;0;0.125\nB;-2;\n",
        "task\tA\tB\nA\t0\t0,125\nB\t-2\t\n",
        'x,"A",B\n"A", 0 ,+.125\nB,-2e0,nan\n',
    ],
)
def test_dialects_of_csv_say_the_same(text: str) -> None:
    tasks, values, _ = csv_matrix(text, "m.csv")
    assert tasks == ("A", "B")
    np.testing.assert_array_equal(values, [[0, 0.125], [-2, math.nan]])


@given(values=st.lists(FRACTIONS, min_size=4, max_size=4), separator=st.sampled_from(";\t"))
def test_decimal_commas_are_points(values: list[float], separator: str) -> None:
    cells = [repr(value).replace(".", ",") for value in values]
    rows = [["task", "A", "B"], ["A", *cells[:2]], ["B", *cells[2:]]]
    _, read, _ = csv_matrix("\n".join(map(separator.join, rows)), "m.csv")
    np.testing.assert_array_equal(read.ravel(), values)


def test_rows_beyond_the_columns_are_of_sources_that_are_no_targets(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("task,A,B\nS,0.1,0.2\nA,0,0.3\nT\u00e2che,0.5,\nB,0.4,0\n")
    found = load_matrix(tmp_path / "m.csv")
    assert found.tasks == ("S", "A", "T\u00e2che", "B")
    assert found.provenance["warnings"] == ["S, T\u00e2che is never a target."]
    unknown = np.nan
    expected = [
        [unknown, 0.1, unknown, 0.2],
        [unknown, 0, unknown, 0.3],
        [unknown, 0.5, unknown, unknown],
        [unknown, 0.4, unknown, 0],
    ]
    np.testing.assert_array_equal(found.values, expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task,A,B\nA,0,0,1\nB,0,2,0\n", "line 2: row 'A' has 3 values, the header 2. Decimal"),
        ("task,A,B\nA,0,1\nB,0\n", "line 3: row 'B' has 1 values, the header 2."),
        ('task,A,B\nA,0,"0,1"\nB,2,0\n', "line 2: row 'A', column 'B': '0,1' is no number. Write"),
        ("task;A;B\nA;0;1.234,5\nB;0,2;0\n", "'1.234,5' is no number. Write"),
        ("task;A;B\nA;0;0.5\nB;0,2;0\n", "'0,2' is no number. Write"),
        ("task,A,B\nA,0,10%\nB,20%,0\n", "'10%' is no number. Write fractions"),
        ("task,A,B\nA,0,1_000\nB,2,0\n", "'1_000' is no number."),
        ("task,A,B\nA,0,\u0663\nB,2,0\n", "'\u0663' is no number."),
        ("task,A,B\nA,0,1e400\nB,2,0\n", "column 'B': 1e400 is not finite."),
        ("task,A,B\nA,0,-Infinity\nB,2,0\n", "column 'B': -Infinity is not finite."),
        ("task,A,B\nA,0,1e300\nB,2,0\n", "1e300 is too large"),
        ("task,A,B\nA,0,1\n", "which are A, B. It names A."),
        ("task,A,B\nA,0,1\nS,1,2\n", "which are A, B. It names A, S."),
        ("task,A,B\nB,0,1\nA,1,0\nS,1,2\n", "It names B, A, S."),
        ("task,A,B\nA,0,1\nA,0,1\nB,1,0\n", "It names A, A, B."),
        ("task,A,B\nA,0,1\nB,1,0\nS,1\n", "line 4: row 'S' has 1 values, the header 2."),
        ("task,A,B\nA,0,1\nS,1,x\nB,1,0\n", "line 3: row 'S', column 'B': 'x' is no number."),
        ("task,A,\nA,0,1\n,0,1\n", "line 1: column 3 has no name."),
        ("task,metric,multi\nRTE,accuracy,70\nCB,accuracy,80\n", "It names RTE, CB."),
        ('task,A\n"A,0\n', "Is a quote left open?"),
        ("task\n", "expected a header row"),
        ("", "expected a header row"),
    ],
)
def test_other_csv_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(RelevanceError) as caught:
        csv_matrix(text, "m.csv")
    assert words in str(caught.value)
    assert str(caught.value).startswith("m.csv")


@pytest.mark.parametrize("form", FORMATS)
def test_a_table_in_percent_is_not_read_back(form: str, tmp_path: Path) -> None:
    table = matrix_table(load_matrix("paper:table3"), form)
    for name in ("t.csv", "t.md", "t.tex"):
        (tmp_path / name).write_text(table)
        with pytest.raises(RelevanceError, match=r"t\.(csv|md|tex)\b"):
            load_matrix(tmp_path / name)


BASE: dict[str, Any] = {"measure": "m", "tasks": ["A", "B"], "values": [[0, 0.1], [None, 0]]}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"tasks": [1, 2]}, "tasks.0: Input should be a valid string, got 1."),
        ({"tasks": ["A", None]}, "tasks.1: Input should be a valid string, got None."),
        ({"tasks": ["A", ["B"]]}, "got ['B']."),
        ({"tasks": "AB"}, "got 'AB'."),
        ({"tasks": ["A", "A"]}, "'A' is named twice."),
        ({"tasks": ["A", " "]}, "task ' ' is empty."),
        ({"tasks": [], "values": []}, "one task at least"),
        ({"values": [[0, math.inf], [1, 0]]}, "Infinity is no"),
        ({"values": [[0, 10**400], [1, 0]]}, "is too large"),
        ({"values": [[0, "0.1"], [1, 0]]}, "source 'A', target 'B': '0.1' is no number."),
        ({"values": [[0, True], [1, 0]]}, "target 'B': True is no number."),
        ({"values": [[0, 1], [1]]}, "source 'B': 1 for 2 targets."),
        ({"values": {"A": 1}}, "expected a list"),
        ({"standard_errors": [[0, -0.1], [0, 0]]}, "none can be below 0"),
        ({"per_seed": [[[0, 1], [1, 0]]]}, "per_seed: 1 for 0 seeds."),
        ({"seeds": "01"}, "seeds: Input should be a valid list"),
        ({"joint": {"gain": 3}, "seeds": [0]}, "joint: gain: expected a list"),
        ({"majority": [1]}, "majority: Input should be a valid dictionary"),
        ({"cost": {"seconds": "1"}}, "cost.seconds"),
        ({"provenance": {"data": [1]}}, "provenance.data"),
        ({"provenance": {"shared_texts": {"A": [None]}}}, "provenance.shared_texts.A"),
        ({"provenance": {"devices": [1]}}, "provenance.devices"),
        ({"reliability": {"gain": {"within_target": 1}}}, "reliability.gain.within_target"),
    ],
)
def test_a_field_of_another_kind_is_named(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(BASE))
    assert load_matrix(path) == RelevanceMatrix(np.array([[0, 0.1], [np.nan, 0]]), ("A", "B"), "m")
    path.write_text(json.dumps({**BASE, **changed}))
    with pytest.raises(RelevanceError) as caught:
        load_matrix(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)

"""Tables in three formats."""

import csv
import io
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relevance.errors import RelevanceError
from relevance.escaping import from_csv
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.report.tables import FORMATS, matrix_table, table

TABLE2 = load_matrix("paper:table2")
NOISY = RelevanceMatrix(
    np.array([[0.0, 0.10, 0.1], [-0.02, 0.0, np.nan], [-0.02, 0.3, 0.0]]),
    ("my_task", "A|B", "50%"),
    "joint-training",
    standard_errors=np.full((3, 3), 0.02),
    seeds=(0, 1, 2),
    single={"primary": [[0.7, 0.7, 0.2]]},
    joint={"primary": [[[0.7, 0.7, 0.3]] * 3]},
    majority={"primary": [0.5, 0.5, 0.4]},
)
FOOT = "Percent; row = source, column = target; bold: best source of each target that helps"


def test_the_papers_table_2_in_percent() -> None:
    rows = list(csv.reader(io.StringIO(matrix_table(TABLE2, "csv"))))
    assert rows[0] == ["source", *TABLE2.tasks]
    values = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])
    assert values == pytest.approx(100 * TABLE2.values)
    assert all(len(cell) <= 6 for row in rows[1:] for cell in row[1:])


def test_markdown_marks_the_best_source_what_is_uncertain_and_what_beats_no_majority() -> None:
    assert matrix_table(NOISY, "markdown", decimals=1) == (
        "| source  | my_task |     A\\|B |   50% |\n"
        "| :------ | ------: | -------: | ----: |\n"
        "| my_task |     0.0 |     10.0 | 10.0\N{DAGGER} |\n"
        "| A\\|B    |  -2.0\\* |      0.0 |     \N{EN DASH} |\n"
        "| 50%     |  -2.0\\* | **30.0** |   0.0 |\n"
        "\n"
        f"{FOOT}; \\*: the 95 % interval covers 0; \N{DAGGER}: no run beats the majority class.\n"
    )


def test_latex_escapes_names_and_explains_the_marks_below() -> None:
    text = matrix_table(NOISY, "latex", decimals=1)
    assert text.startswith(
        "\\begin{tabular}{lrrr}\n\\toprule\nsource & my\\_task & A\\textbar{}B & 50\\% \\\\\n"
    )
    dagger = r"\textsuperscript{\dag}"
    assert f"my\\_task & 0.0 & 10.0 & 10.0{dagger} \\\\\n" in text
    assert "50\\% & $-$2.0* & \\textbf{30.0} & 0.0 \\\\\n\\bottomrule\n" in text
    foot = f"{FOOT}; *: the 95 \\% interval covers 0; {dagger}: no run beats the majority class."
    assert text.endswith(f"\\end{{tabular}}\n\\par\\smallskip{{\\footnotesize {foot}\\par}}\n")


def test_csv_has_plain_numbers() -> None:
    rows = list(csv.reader(io.StringIO(matrix_table(NOISY, "csv"))))
    assert rows[1:] == [
        ["my_task", "0.0", "10.0", "10.0"],
        ["A|B", "-2.0", "0.0", ""],
        ["50%", "-2.0", "30.0", "0.0"],
    ]


def test_one_seed_says_that_its_intervals_hold_the_noise_of_the_evaluation_alone() -> None:
    one = replace(NOISY, seeds=(0,), provenance={"noise": "examples"}, majority=None)
    assert matrix_table(one, "markdown").endswith(
        f"{FOOT}; \\*: the 95 % interval for the noise of the evaluation alone covers 0.\n"
    )


def test_a_matrix_without_noise_has_no_marks() -> None:
    foot = FOOT.removesuffix(" that helps")
    assert matrix_table(TABLE2, "markdown").endswith(f"\n\n{foot}.\n")
    assert "*" not in matrix_table(TABLE2, "markdown").replace("**", "")


def bold_in(values: list[list[float]], **fields: object) -> list[str]:
    """Cells in bold of a table of gains between A, B and C, one decimal shown."""
    matrix = RelevanceMatrix(np.array(values), ("A", "B", "C"), "joint-training", **fields)  # type: ignore[arg-type]
    text = matrix_table(matrix, "markdown", decimals=1)
    assert ("bold: best source" in text) == ("**" in text)
    return re.findall(r"\*\*(.*?)\*\*", text)


@pytest.mark.parametrize(
    ("column", "bold"),
    [
        ([0.01, 0.02], ["2.0"]),
        ([0.02, 0.02], []),  # all sources are alike
        ([0.0201, 0.0199], []),  # as far as is printed
        ([-0.01, -0.02], []),  # the best one harms
        ([-0.01, 0.0004], []),  # 0.0 is no help
        ([np.nan, 0.02], []),  # nothing to choose from
    ],
)
def test_bold_is_the_best_source_that_helps(column: list[float], bold: list[str]) -> None:
    values = [[0, 0, 0], [column[0], 0, 0], [column[1], 0, 0]]
    assert bold_in(values) == bold


def test_marked_cells_are_not_the_best() -> None:
    values = [[0, 0.3, 0.3], [0.1, 0, 0.1], [0.3, 0.1, 0]]
    noisy = np.full((3, 3), 0.001)
    noisy[0, 1] = 0.5
    assert bold_in(values, standard_errors=noisy, seeds=(0, 1, 2)) == ["30.0", "30.0", "10.0"]
    beaten = {
        "single": {"primary": [[0.7, 0.4, 0.7]]},
        "joint": {"primary": [[[0.8, 0.45, 0.8]] * 3]},
        "majority": {"primary": [0.5, 0.5, 0.5]},
    }
    assert bold_in(values, **beaten) == ["30.0", "30.0"]


def test_collapsed_cells_are_marked_and_counted() -> None:
    values = [[0, 0.3, -1.5], [0.1, 0, 0.1], [0.3, 0.1, 0]]
    matrix = RelevanceMatrix(np.array(values), ("A", "B", "C"), "joint-training")
    text = matrix_table(matrix, "markdown", decimals=1)
    assert "-150.0\N{DOUBLE DAGGER} |" in text
    assert text.endswith(
        "; \N{DOUBLE DAGGER}: collapsed (one answer for all rows, a score of 0 or less, below"
        " -100 %), 1 of 6 cells.\n"
    )
    latex = matrix_table(matrix, "latex")
    assert r"$-$150.00\textsuperscript{\ddag}" in latex
    assert r"below $-$100 \%), 1 of 6 cells." in latex


def test_points_are_called_so() -> None:
    points = RelevanceMatrix(np.eye(2), ("A", "B"), "joint-training", unit="points")
    assert "Percentage points; row = source" in matrix_table(points, "markdown")


def test_nats_and_small_values_keep_three_digits() -> None:
    small = RelevanceMatrix(
        np.array([[0.0, 0.0000512], [-0.00001, 0.0]]), ("A", "B"), "logme", "nats"
    )
    text = matrix_table(small, "markdown")
    assert "Hundredths of a nat; row = source" in text
    assert "0.00512" in text
    assert "-0.00100" in text


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.text(st.characters(exclude_categories=["Cs", "Cc"])),
                "score": st.none() | st.floats(),
                "rows": st.integers(),
            }
        ),
        min_size=1,
    )
)
@example([{"name": name, "score": None, "rows": 0} for name in ("=1", "'=1", "@", "-1", "'tis")])
def test_csv_loses_nothing(rows: list[dict[str, str | float | int | None]]) -> None:
    read = list(csv.DictReader(io.StringIO(table(rows, "csv"))))
    for row, back in zip(rows, read, strict=True):
        assert from_csv(back["name"]) == row["name"]
        assert int(back["rows"]) == row["rows"]
        score = row["score"]
        if score is None or math.isnan(float(score)):
            assert back["score"] == ""
        else:
            assert float(back["score"]) == score


@given(st.text("ab|*\\&%$#_{}~^"))
def test_no_name_breaks_a_latex_or_markdown_table(name: str) -> None:
    latex = table([{"task": name, "value": 1}], "latex").splitlines()
    assert latex[4].replace(r"\&", "").count("&") == 1
    assert latex[4].replace(r"\%", "").count("%") == 0
    markdown = table([{"task": name, "value": 1}], "markdown").splitlines()
    assert markdown[2].replace("\\\\", "").replace("\\|", "").count("|") == 3


def test_an_unknown_format() -> None:
    with pytest.raises(RelevanceError) as raised:
        matrix_table(TABLE2, "latx")
    assert str(raised.value) == (
        "Unknown format 'latx'. Did you mean 'latex'? Known: csv, html, latex, markdown."
    )
    for name in FORMATS:
        assert table([{"task": "RTE"}], name)


def test_no_rows() -> None:
    with pytest.raises(RelevanceError, match="A table needs at least one row"):
        table([], "markdown")


def test_latex_has_minus_signs_in_numbers_and_hyphens_in_names() -> None:
    cells = {"SST-2": "SST\N{HYPHEN-MINUS}2", "a": -1.5, "b": "-1.0 ± 0.5 / 2.0", "c": "lower-2"}
    text = table([cells], "latex", decimals=1)
    assert r"SST-2 & $-$1.5 & $-$1.0 ± 0.5 / 2.0 & lower-2 \\" in text

"""What a heat map shows, before it is drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from relevance.clustering.methods.kmeans import kmeans
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.figures.figure import ONE_COLUMN_PT, text_width_em
from relevance.figures.heatmap_layout import (
    MINUS,
    HeatmapLayout,
    cell_texts,
    colour_limits,
    lay_out,
    number,
    quantity,
    size_of,
)
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TABLE2, TABLE3 = load_matrix("paper:table2"), load_matrix("paper:table3")


def at_its_own_size(matrix: RelevanceMatrix) -> HeatmapLayout:
    return lay_out(matrix, cell_pt=size_of(lay_out(matrix)).cell)


@pytest.mark.parametrize("matrix", [TABLE2, TABLE3], ids=["table2", "table3"])
def test_thirteen_tasks_are_legible_in_one_column(matrix: RelevanceMatrix) -> None:
    layout = at_its_own_size(matrix)
    assert size_of(layout).width <= 3.3 * 72 + 0.01
    assert layout.text_pt >= 5
    printed = {text for row in layout.texts for text in row} - {"0", "100"}
    assert all("." in text for text in printed)


def test_forty_tasks_with_long_names_get_a_larger_figure() -> None:
    names = tuple(f"a_task_of_long_name{number:02}" for number in range(40))
    values = np.random.default_rng(0).normal(0, 0.05, (40, 40))
    layout = at_its_own_size(RelevanceMatrix(values, names, "joint-training"))
    assert size_of(layout).width > ONE_COLUMN_PT
    assert layout.text_pt >= 6
    assert all(text for row in layout.texts for text in row)


@given(st.integers(1, 45), st.integers(1, 25))
def test_cells_are_never_too_small_to_read(count: int, letters: int) -> None:
    names = tuple(f"{number:02}".rjust(letters, "n") for number in range(count))
    layout = lay_out(RelevanceMatrix(np.eye(count), names, "vocabulary"))
    size = size_of(layout)
    assert size.cell >= 11.7
    assert size.left > text_width_em(names[0]) * 5.5
    assert size.width == pytest.approx(size.left + count * size.cell + 7)


def test_clusters_stand_together() -> None:
    spec = kmeans(TABLE3, 3)
    layout = lay_out(TABLE3, spec)
    assert layout.tasks == spec.tasks
    assert layout.clusters == (4, 5, 4)
    source, target = layout.tasks.index("SNLI"), layout.tasks.index("CB")
    assert layout.percent[source, target] == pytest.approx(33.51)
    assert layout.texts[source][target] == "33.5"
    assert lay_out(TABLE3).tasks == TABLE3.tasks
    assert lay_out(TABLE3).clusters == ()


def test_clusters_of_other_tasks() -> None:
    with pytest.raises(RelevanceError, match="lists 'CoLA', which this matrix does not have"):
        lay_out(TABLE3, ClusterSpec(clusters=(("CoLA",),)))


def test_gains_are_centred_on_zero_and_outliers_do_not_wash_out_the_rest() -> None:
    layout = lay_out(TABLE3)
    assert layout.diverging
    assert layout.low == -layout.high
    assert layout.high < 10
    assert layout.extend == "max"
    assert layout.fixed_diagonal


def test_overlaps_run_from_the_lowest_to_the_highest() -> None:
    layout = lay_out(TABLE2)
    assert not layout.diverging
    assert (layout.low, layout.high, layout.extend) == (
        pytest.approx(5.34),
        pytest.approx(99.72),
        "neither",
    )


def test_negative_values_of_any_measure_diverge() -> None:
    values = np.array([[1.0, -0.2], [0.4, 1.0]])
    assert lay_out(RelevanceMatrix(values, ("A", "B"), "gradient-cosine")).diverging


def test_a_diagonal_that_varies_is_shown_like_the_rest() -> None:
    values = np.array([[0.9, 0.1], [0.2, 0.5]])
    layout = lay_out(RelevanceMatrix(values, ("A", "B"), "lookahead"))
    assert not layout.fixed_diagonal
    assert layout.high == pytest.approx(90)


@given(
    arrays(float, st.integers(0, 60), elements=st.floats(-1e3, 1e3)),
    st.booleans(),
)
def test_colour_limits_are_a_range_within_the_values(values: np.ndarray, diverging: bool) -> None:
    low, high = colour_limits(values, diverging=diverging)
    assert low < high
    if diverging:
        assert low == -high
    if values.size and np.ptp(np.abs(values) if diverging else values) > 0:
        assert high <= np.abs(values).max()
        assert diverging or low >= values.min()


def test_one_value_far_out_does_not_move_the_limits() -> None:
    values = np.linspace(-2, 2, 50)
    assert colour_limits(np.append(values, 70), diverging=True)[1] < 4


@pytest.mark.parametrize(
    ("width_pt", "texts"),
    [(40.0, [f"{MINUS}12.3", "4.5"]), (12.0, [f"{MINUS}12", "4.5"]), (6.0, ["", ""])],
)
def test_texts_are_as_precise_as_the_cells_allow(width_pt: float, texts: list[str]) -> None:
    percent = np.array([[-12.34, 4.54], [0.0, 0.0]])
    found, text_pt = cell_texts(percent, width_pt, fixed_diagonal=False)
    assert list(found[0]) == texts
    assert 5 <= text_pt <= 8
    assert max(map(text_width_em, texts)) * text_pt <= width_pt


def test_nothing_is_written_into_the_smallest_cells() -> None:
    assert cell_texts(np.eye(3), 2.0, fixed_diagonal=False)[0] == (("", "", ""),) * 3


@pytest.mark.parametrize(("count", "cell_pt"), [(40, 22.0), (60, 880 / 60), (200, 880 / 200)])
def test_many_tasks_share_the_room_of_forty(count: int, cell_pt: float) -> None:
    names = tuple(f"T{number}" for number in range(count))
    layout = lay_out(RelevanceMatrix(np.eye(count), names, "vocabulary"))
    assert size_of(layout).cell == pytest.approx(cell_pt)


def test_small_values_show_the_digits_they_need() -> None:
    found, _ = cell_texts(np.array([[100.0, 0.032], [0.0, 100.0]]), 60.0, fixed_diagonal=True)
    assert found == (("100", "0.032"), ("0.000", "100"))
    found, _ = cell_texts(np.array([[0.0, 3e-7], [-2.51e-7, 0.0]]), 60.0, fixed_diagonal=True)
    assert found == (("0", f"3.0e{MINUS}7"), (f"{MINUS}2.5e{MINUS}7", "0"))


def test_whole_numbers_need_no_decimals() -> None:
    found, _ = cell_texts(np.array([[100.0, 0.0, np.nan]]), 40.0, fixed_diagonal=False)
    assert found == (("100", "0", ""),)


@given(st.floats(-1e6, 1e6), st.integers(0, 2))
def test_numbers_have_a_real_minus_and_no_negative_zero(value: float, decimals: int) -> None:
    text = number(value, decimals)
    assert "-" not in text
    assert float(text.replace(MINUS, "-")) == pytest.approx(value, abs=0.51 * 10**-decimals)
    assert float(text.replace(MINUS, "-")) != 0 or MINUS not in text


def marked(seeds: tuple[int, ...]) -> RelevanceMatrix:
    values = TABLE3.select(["RTE", "WNLI", "CB"]).values.copy()
    values[0, 2] = np.nan
    return RelevanceMatrix(
        values,
        ("RTE", "WNLI", "CB"),
        "joint-training",
        standard_errors=np.full((3, 3), 0.01),
        seeds=seeds,
        single={"primary": [[0.7, 0.2, 0.7]]},
        joint={"primary": [[[0.7, 0.34, 0.7]] * 3]},
        majority={"primary": [0.5, 0.563, 0.5]},
    )


def test_marks_and_what_they_mean() -> None:
    layout = lay_out(marked((0, 1, 2)))
    assert np.argwhere(layout.uncertain).tolist() == [[1, 0], [1, 2], [2, 0]]
    assert np.argwhere(layout.beaten).tolist() == [[0, 1], [2, 1]]
    assert layout.texts[0][2] == ""
    assert layout.notes == (
        "hatched: the 95 % interval covers 0",
        "corner: no run beats the majority class",
        "crossed out: unknown",
    )
    assert lay_out(TABLE3).notes == ()


def test_a_collapsed_run_is_marked_and_told() -> None:
    collapsed = replace(marked((0, 1, 2)), joint={"primary": [[[0.7, 0.34, -0.1]] * 3]})
    layout = lay_out(collapsed)
    assert np.argwhere(layout.collapsed).tolist() == [[1, 2]]  # RTE -> CB is unknown
    assert layout.notes[2] == (
        "dark corner: collapsed (one answer for all rows, a score of 0 or less,"
        f" below {MINUS}100 %)"
    )


def test_marks_follow_the_order_of_clusters() -> None:
    spec = ClusterSpec(clusters=(("CB", "RTE"), ("WNLI",)))
    layout = lay_out(marked((0, 1, 2)), spec)
    assert np.argwhere(layout.beaten).tolist() == [[0, 2], [1, 2]]
    assert np.isnan(layout.percent[1, 0])


def test_one_seed_knows_the_noise_of_the_evaluation_only() -> None:
    one = replace(marked((0,)), provenance={"noise": "examples"})
    assert lay_out(one).notes[0] == (
        "hatched: the 95 % interval covers 0, noise of the evaluation only"
    )


@pytest.mark.parametrize(
    ("measure", "unit", "provenance", "label"),
    [
        ("joint-training", "ratio", {}, "joint-training gain of the target (%)"),
        (
            "joint-training",
            "points",
            {},
            "joint-training gain of the target (percentage points)",
        ),
        (
            "joint-training",
            "ratio",
            {"metric": "loss"},
            "reduction of the target's held-out loss (%)",
        ),
        ("mine", "ratio", {}, "mine (%)"),
    ],
)
def test_the_label_says_what_and_in_which_unit(
    measure: str, unit: str, provenance: dict[str, str], label: str
) -> None:
    matrix = RelevanceMatrix(np.eye(2), ("A", "B"), measure, unit=unit, provenance=provenance)
    assert quantity(matrix) == label

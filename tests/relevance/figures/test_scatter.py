"""What a scatter figure shows, and that it can be drawn and saved."""

from pathlib import Path

import numpy as np
import pytest

from relevance.comparison.judging import MeasureComparison, compare_with
from relevance.figures.figure import figure_of, save_figure
from relevance.figures.scatter import COLOURS, lay_out, scatter
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

pytestmark = pytest.mark.process  # no process, but long: it draws many figures

TABLE2, TABLE3 = load_matrix("paper:table2"), load_matrix("paper:table3")
SOME = ["RTE", "CB", "MRPC", "STS-B"]


def compared(count: int, tasks: list[str] | None = None) -> MeasureComparison:
    one, reference = (each.select(tasks or each.tasks) for each in (TABLE2, TABLE3))
    names = [f"measure {number}" for number in range(count)]
    return compare_with(reference, [one] * count, names, k=3)


def test_points_are_ordered_pairs_coloured_by_target() -> None:
    layout = lay_out(compared(1, SOME))
    (panel,) = layout.panels
    reference = TABLE3.select(SOME)
    np.testing.assert_array_equal(panel.values, TABLE2.select(SOME).off_diagonal())
    np.testing.assert_allclose(panel.percent, 100 * reference.off_diagonal())
    assert panel.colours.tolist() == [1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2]
    assert (layout.about, layout.legend) == ("target", tuple(SOME))
    assert layout.quantity == "joint-training gain of the target (%)"


def test_with_many_targets_colours_are_groups() -> None:
    comparison = compared(1)
    layout = lay_out(comparison)
    assert layout.about == "group of the target"
    assert layout.legend == (
        "MNLI, SNLI and 2 more",
        "QNLI, IMDB and 3 more",
        "RTE, WNLI and 2 more",
    )
    (panel,) = layout.panels
    assert comparison.groups is not None
    assert panel.colours[:3].tolist() == [1, 2, 2]  # MNLI -> QNLI, RTE, WNLI


def test_with_many_targets_and_no_groups_there_is_one_colour() -> None:
    values = TABLE3.values.copy()
    values[0, 1] = np.nan
    unknown = RelevanceMatrix(values, TABLE3.tasks, "gains")
    layout = lay_out(compare_with(unknown, [TABLE2], ["vocabulary"]))
    assert (layout.about, layout.legend) == ("", ())
    assert layout.panels[0].values.shape == (155,)
    assert set(layout.panels[0].colours.tolist()) == {0}


def test_titles_say_the_rank_correlations() -> None:
    constant = RelevanceMatrix(np.ones((13, 13)), TABLE3.tasks, "constant")
    layout = lay_out(compare_with(TABLE3, [TABLE2, constant], ["vocabulary", "constant"]))
    assert [panel.title for panel in layout.panels] == [
        "Spearman 0.17, within 0.07",
        "no rank correlation",
    ]


@pytest.mark.parametrize(
    ("panels", "columns"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 3), (6, 3), (7, 4), (8, 4), (9, 3)]
)
def test_panels_in_rows_as_equal_as_can_be(panels: int, columns: int) -> None:
    assert lay_out(compared(panels, SOME)).columns == columns


@pytest.mark.parametrize("count", [1, 5, 8])
def test_one_axes_per_measure_in_two_columns_of_a_paper(count: int) -> None:
    figure = figure_of(scatter(compared(count, SOME)))
    assert len(figure.axes) == count
    assert figure.get_size_inches()[0] <= 6.9 + 1e-9
    assert [axes.get_xlabel() for axes in figure.axes] == [f"measure {n}" for n in range(count)]
    shown = {axes.get_ylim() for axes in figure.axes}
    assert len(shown) == 1
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == SOME


def test_a_long_name_is_cut_at_its_beginning() -> None:
    name = "/somewhere/with/many/folders/" * 3 + "seed-0/gains.json"
    figure = figure_of(scatter(compare_with(TABLE3, [TABLE2], [name])))
    shown = figure.axes[0].get_xlabel()
    assert shown.startswith("...")
    assert shown.endswith("/seed-0/gains.json")


def test_colours_differ() -> None:
    assert len(set(COLOURS)) == len(COLOURS)


@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_it_is_saved_the_same_each_time(tmp_path: Path, suffix: str) -> None:
    names = [tmp_path / f"{number}" / f"scatter{suffix}" for number in range(2)]
    for name in names:
        save_figure(scatter(compared(1, SOME)), name)
    assert names[0].read_bytes() == names[1].read_bytes()

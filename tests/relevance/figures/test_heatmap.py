"""Heat maps as they are drawn."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fitting import fits
from relevance.clustering.methods.kmeans import kmeans
from relevance.figures.figure import figure_of
from relevance.figures.heatmap import colours, heatmap, is_light, luminance
from relevance.figures.scale import MINUS
from relevance.matrices.intervals import covers_zero
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

pytestmark = pytest.mark.process  # no process, but long: it draws many figures

TABLE3 = load_matrix("paper:table3")


def many_tasks() -> RelevanceMatrix:
    names = tuple(f"a_task_of_long_name{number:02}" for number in range(40))
    values = np.random.default_rng(0).normal(0, 0.05, (40, 40))
    return RelevanceMatrix(values, names, "joint-training")


def hundreds() -> RelevanceMatrix:
    names = tuple(f"T{number}" for number in range(250))
    return RelevanceMatrix(np.random.default_rng(0).random((250, 250)), names, "vocabulary")


def one_seed() -> RelevanceMatrix:
    """Two tasks whose notes are wider than their cells."""
    return replace(
        TABLE3.select(["RTE", "CB"]),
        standard_errors=np.full((2, 2), 1.0),
        seeds=(0,),
        provenance={"noise": "examples"},
    )


def with_marks() -> RelevanceMatrix:
    values = TABLE3.values.copy()
    values[1, 2:4] = np.nan
    return RelevanceMatrix(
        values,
        TABLE3.tasks,
        "joint-training",
        standard_errors=np.full((13, 13), 0.01),
        seeds=(0, 1, 2),
        single={"primary": [[0.2] * 13]},
        joint={"primary": [[[0.3] * 13] * 13]},
        majority={"primary": [0.5] * 13},
    )


MATRICES = {
    "table2": load_matrix("paper:table2"),
    "table3": TABLE3,
    "forty": many_tasks(),
    "hundreds": hundreds(),
    "two": TABLE3.select(["RTE", "CB"]),
    "one": TABLE3.select(["RTE"]),
    "marks": with_marks(),
    "one seed": one_seed(),
    "unknown": RelevanceMatrix(np.full((2, 2), np.nan), ("A", "B"), "joint-training"),
    "tiny": RelevanceMatrix(np.array([[0, 1e-9], [3e-9, 0]]), ("A", "B"), "m"),
    "huge": RelevanceMatrix(np.array([[0, 1e9], [-1e12, 0]]), ("A", "B"), "m"),
    "to the end": RelevanceMatrix(np.array([[1, 0.1, 0.2]] * 3), ("A", "B", "C"), "m"),
    "equal": RelevanceMatrix(np.ones((3, 3)), ("A", "B", "C"), "vocabulary"),
}


@pytest.mark.parametrize("name", MATRICES)
def test_nothing_is_cut_off_and_no_text_is_below_five_points(name: str) -> None:
    axes = heatmap(MATRICES[name])
    figure = figure_of(axes)
    assert fits(figure, slack=0)
    shown = [text for text in figure.findobj(match=_is_text) if text.get_text()]  # type: ignore[attr-defined]
    assert min(text.get_fontsize() for text in shown) >= 5  # type: ignore[attr-defined]


def _is_text(artist: object) -> bool:
    return hasattr(artist, "get_fontsize")


@pytest.mark.parametrize("name", ["table2", "table3", "forty", "marks"])
def test_values_stay_within_their_cells(name: str) -> None:
    axes = heatmap(MATRICES[name])
    figure_of(axes).draw_without_rendering()
    side = axes.get_window_extent().width / len(MATRICES[name].tasks)
    widest = max(text.get_window_extent().width for text in axes.texts if len(text.get_text()) < 6)
    assert widest <= side


def test_no_factor_stands_over_the_colour_bars_name() -> None:
    for name in ("tiny", "huge"):
        axes = heatmap(MATRICES[name])
        figure_of(axes).draw_without_rendering()
        (bar,) = axes.child_axes
        assert not bar.xaxis.get_offset_text().get_text()
    assert {text.get_text() for text in axes.texts} >= {"0", "1.0e11", f"{MINUS}1.0e14"}


def test_rows_are_sources_from_the_top_and_columns_targets() -> None:
    axes = heatmap(TABLE3)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(TABLE3.tasks)
    assert [label.get_text() for label in axes.get_xticklabels()] == list(TABLE3.tasks)
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("source", "target")
    assert axes.get_ylim() == (13, 0)
    source, target = TABLE3.tasks.index("SNLI"), TABLE3.tasks.index("WNLI")
    (text,) = [text for text in axes.texts if text.get_text() == "64.3"]
    assert text.get_position() == pytest.approx((target + 0.5, source + 0.5), abs=0.05)


def test_hundreds_of_tasks_share_the_room_of_forty_and_names_do_not_overlap() -> None:
    axes = heatmap(MATRICES["hundreds"])
    figure = figure_of(axes)
    figure.draw_without_rendering()
    assert max(figure.get_size_inches()) < 14
    assert not axes.texts
    names = axes.get_yticklabels()
    shown = [name.get_text() for name in names]
    assert shown[:3] == ["T0", "T2", "T4"]
    assert len(shown) == 125
    tops = [name.get_window_extent().y0 for name in names]
    heights = [name.get_window_extent().height for name in names]
    assert min(-np.diff(tops)) > 0.75 * max(heights)  # an extent has room above capitals and digits
    (mesh,) = (each for each in axes.collections if isinstance(each, QuadMesh))
    assert mesh.get_rasterized()


def test_groups_are_framed() -> None:
    axes = heatmap(TABLE3, clusters=kmeans(TABLE3, 3))
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [(frame.get_xy(), frame.get_width()) for frame in frames] == [
        ((0, 0), 4),
        ((4, 4), 5),
        ((9, 9), 4),
    ]


def test_a_collapsed_cell_has_a_dark_corner_of_its_own() -> None:
    matrix = RelevanceMatrix(np.array([[0, -1.2], [0.1, 0]]), ("A", "B"), "joint-training")
    axes = heatmap(matrix)
    beaten, collapsed, _ = (
        c for c in axes.collections if isinstance(c, PolyCollection) and not isinstance(c, QuadMesh)
    )
    assert len(beaten.get_paths()) == 0
    (path,) = collapsed.get_paths()
    assert path.vertices.max(axis=0).tolist() == [1.28, 0.96]  # lower left of the cell at x = 1


def test_a_predicted_cell_has_a_pale_corner_of_its_own() -> None:
    named = {"predicted": {"A": ["B"]}}
    values = np.array([[0, 0.2], [0.1, 0]])
    matrix = RelevanceMatrix(values, ("A", "B"), "joint-training", provenance=named)
    axes = heatmap(matrix)
    *others, predicted = (
        c for c in axes.collections if isinstance(c, PolyCollection) and not isinstance(c, QuadMesh)
    )
    assert not any(each.get_paths() for each in others)
    (path,) = predicted.get_paths()
    assert path.vertices.max(axis=0).tolist() == [1.96, 0.96]  # lower right of the cell at x = 1


def test_marked_cells() -> None:
    axes = heatmap(with_marks())
    crosses, hatches = (c for c in axes.collections if isinstance(c, LineCollection))
    corners = next(
        c for c in axes.collections if isinstance(c, PolyCollection) and not isinstance(c, QuadMesh)
    )
    assert len(crosses.get_segments()) == 4
    assert len(corners.get_paths()) == 13 * 12 - 2
    lines = np.array(hatches.get_segments())
    cells = np.floor(lines.mean(axis=1))[:, ::-1].astype(int)
    marked = np.zeros((13, 13), dtype=bool)
    marked[tuple(cells.T)] = True
    np.testing.assert_array_equal(marked, covers_zero(with_marks()))
    inside = lines - cells[:, None, ::-1]
    assert inside.min() > 0.03
    assert inside.max() < 0.97


def test_hatches_stand_out_on_dark_cells_too() -> None:
    values = np.array([[0.0, 0.1], [0.001, 0.0]])
    matrix = RelevanceMatrix(
        values, ("A", "B"), "joint-training", standard_errors=np.ones((2, 2)), seeds=(0, 1)
    )
    _, hatches = (c for c in heatmap(matrix).collections if isinstance(c, LineCollection))
    dark, light = hatches.get_colors()[0], hatches.get_colors()[-1]
    assert luminance(dark[:3]) == 1
    assert luminance(light[:3]) < 0.3


def test_own_axes_are_used_and_texts_fitted_to_them() -> None:
    figure = Figure(figsize=(1, 1))
    axes = figure.add_subplot()
    assert heatmap(TABLE3, axes) is axes
    assert {text.get_text() for text in axes.texts} == set()
    larger = Figure(figsize=(9, 9)).add_subplot()
    heatmap(TABLE3, larger)
    assert len(larger.texts) == 169


def test_names_that_look_like_formulas() -> None:
    axes = heatmap(RelevanceMatrix(np.eye(2), ("$a_b^c$", "$x"), "vocabulary"))
    figure_of(axes).draw_without_rendering()
    assert axes.get_yticklabels()[0].get_text() == "$a_b^c$"


@pytest.mark.parametrize("diverging", [True, False])
def test_values_stand_out_from_their_cells(diverging: bool) -> None:
    """Contrast as the Web Content Accessibility Guidelines measure it; 4.5 is their level AA."""
    ink, white = luminance(np.array(to_rgb("#262626"))), 1.0
    for position in np.linspace(0, 1, 101):
        fill = luminance(np.array(colours(diverging=diverging)(position)[:3]))
        dark, light = (fill + 0.05) / (ink + 0.05), (white + 0.05) / (fill + 0.05)
        chosen = dark if is_light(np.array(colours(diverging=diverging)(position)[:3])) else light
        assert chosen > 3.4
        assert chosen > 0.8 * max(dark, light)
    assert luminance(np.array([1.0, 0.0, 0.0])) == pytest.approx(0.2126)

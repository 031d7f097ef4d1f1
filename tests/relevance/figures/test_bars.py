"""Bars of one task's influence, both ways."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from fitting import fits
from relevance.errors import RelevanceError
from relevance.figures.bars import Bar, bars, is_cut, lay_out, span
from relevance.figures.figure import NEGATIVE, POSITIVE, figure_of
from relevance.figures.scale import MINUS
from relevance.matrices.matrix import RelevanceMatrix, load_matrix

TABLE3 = load_matrix("paper:table3")


def noisy() -> RelevanceMatrix:
    values = np.array([[0.0, 0.1, np.nan, -0.2], [0.3, 0, 0, 0], [-0.1, 0, 0, 0], [0.2, 0, 0, 0]])
    errors = np.full((4, 4), 0.01)
    return RelevanceMatrix(
        values, tuple("ABCD"), "joint-training", standard_errors=errors, seeds=(0,)
    )


def test_row_and_column_of_the_task_sorted() -> None:
    layout = lay_out(TABLE3, "BoolQ")
    assert [(bar.task, bar.percent) for bar in layout.on_others[:2]] == [
        ("CB", pytest.approx(33.58)),
        ("WNLI", pytest.approx(21.43)),
    ]
    assert [bar.task for bar in layout.by_others[:3]] == ["MNLI", "QNLI", "SST-2"]
    assert layout.by_others[-1].task == "CB"
    for panel in (layout.on_others, layout.by_others):
        assert len(panel) == 12
        assert "BoolQ" not in {bar.task for bar in panel}
        assert all(bar.error is None for bar in panel)


def test_unknown_values_come_last_and_intervals_are_95_percent() -> None:
    layout = lay_out(noisy(), "A")
    assert [bar.task for bar in layout.on_others] == ["B", "D", "C"]
    assert [bar.task for bar in layout.by_others] == ["B", "D", "C"]
    assert layout.on_others[0].error == pytest.approx(1.96, abs=0.001)
    assert np.isnan(layout.on_others[-1].percent)


def test_intervals_of_one_seed_say_what_they_leave_out() -> None:
    assert lay_out(noisy(), "A").quantity.endswith("(%)\n95 % intervals")
    assert "\n" not in lay_out(TABLE3, "CB").quantity
    one = replace(noisy(), provenance={"noise": "examples"})
    assert lay_out(one, "A").quantity == (
        "joint-training gain of the target (%)\n95 % intervals: noise of the evaluation only"
    )


def test_two_seeds_do_not_shrink_the_bars() -> None:
    two = replace(noisy(), seeds=(0, 1))
    layout = lay_out(two, "A")
    assert layout.on_others[0].error == pytest.approx(12.706, abs=0.001)
    assert "\n95 % intervals over 2 seeds" in layout.quantity
    wide = lay_out(replace(two, standard_errors=np.full((4, 4), 0.1)), "A")
    assert span(wide.on_others) == (-60.0, 60.0)
    assert is_cut(wide.on_others[0], span(wide.on_others))
    assert wide.quantity.endswith("over 2 seeds; arrows: they go on")


def test_the_axis_holds_zero_and_all_bars() -> None:
    assert span([Bar("A", 2.0), Bar("B", 3.0, 1.0), Bar("C", float("nan"))]) == (0.0, 4.0)
    assert span([Bar("A", 0.0, 2.0)]) == (-2.0, 2.0)
    assert span([]) == (0.0, 0.0)


@pytest.mark.parametrize("scale", [1e-12, 1e9])
def test_values_stand_apart_from_bars_and_whiskers(scale: float) -> None:
    matrix = replace(noisy(), values=noisy().values * scale)
    for axes in bars(matrix, "A"):
        figure_of(axes).draw_without_rendering()
        notes = lay_out(matrix, "A").notes
        values = [text for text in axes.texts if text.get_text() not in notes]
        left = min(text.get_window_extent().x0 for text in values)
        assert max(patch.get_window_extent().x1 for patch in axes.patches) < left
        assert max(line.get_window_extent().x1 for line in axes.lines[:-1]) <= left + 1
        assert not axes.xaxis.get_offset_text().get_text()
    assert {text.get_text() for text in axes.texts} > {f"1.0e{MINUS}11" if scale < 1 else "1.0e10"}


def marked() -> RelevanceMatrix:
    """A is no better than noise for B, and C's runs have collapsed or beat no majority class."""
    values = np.array([[0.0, 0.01, -1.5, 0.3], [0.3, 0, 0.3, 0], [0.2, 0.2, 0, 0], [0.1, 0, 0, 0]])
    return RelevanceMatrix(
        values,
        tuple("ABCD"),
        "joint-training",
        standard_errors=np.full((4, 4), 0.02),
        seeds=(0, 1, 2),
        single={"primary": [[0.7, 0.7, 0.2, 0.7]]},
        joint={"primary": [[[0.7, 0.7, 0.3, 0.8]] * 4] * 3},
        majority={"primary": [0.5, 0.5, 0.4, 0.5]},
    )


def test_marks_of_cells_are_those_of_their_bars() -> None:
    layout = lay_out(marked(), "A")
    against = {bar.task: (bar.is_noise, bar.signs) for bar in layout.on_others}
    assert against == {
        "B": (True, ""),
        "C": (False, "\N{DAGGER}\N{DOUBLE DAGGER}"),
        "D": (False, ""),
    }
    assert [note.split(":")[0] for note in layout.notes] == [
        "hatched",
        "\N{DAGGER}",
        "\N{DOUBLE DAGGER}",
    ]
    assert layout.notes[-1].endswith(f"below {MINUS}100 %)")
    assert lay_out(TABLE3, "BoolQ").notes == ()
    assert lay_out(marked().select(["A", "D"]), "D").notes == ()  # only what is shown is explained
    left, right = bars(marked(), "A")
    assert [bool(patch.get_hatch()) for patch in right.patches] == [False, True, False]
    assert layout.on_others[-1].signs in {text.get_text() for text in right.texts}
    assert {text.get_text() for text in left.texts} >= set(layout.notes)


def test_an_unknown_task() -> None:
    with pytest.raises(RelevanceError, match=r"Unknown task 'boolq'\. Did you mean 'BoolQ'\?"):
        bars(TABLE3, "boolq")


def test_colours_tell_the_sign() -> None:
    from matplotlib.colors import to_hex

    left, right = bars(TABLE3, "BoolQ")
    for axes in (left, right):
        for patch in axes.patches:
            expected = POSITIVE if patch.get_width() >= 0 else NEGATIVE  # type: ignore[attr-defined]
            assert to_hex(patch.get_facecolor()) == expected
    assert left.get_title() == "influence of others on BoolQ"
    assert right.get_title() == "influence of BoolQ on others"
    assert left.get_position().x0 < right.get_position().x0
    assert left.get_yticklabels()[0].get_text() == "MNLI"
    assert right.get_yticklabels()[0].get_text() == "CB"


@pytest.mark.parametrize(
    "matrix",
    [
        TABLE3,
        noisy(),
        replace(noisy(), provenance={"noise": "examples"}),
        marked(),
        marked().select(["A", "C"]),
        TABLE3.select(["BoolQ", "CB"]),
        TABLE3.select(["CB"]),
        RelevanceMatrix(np.eye(25), tuple(f"a_task_of_long_name{n}" for n in range(25)), "test"),
    ],
    ids=["table3", "noisy", "examples", "marked", "marked-two", "two", "one", "long"],
)
def test_nothing_is_cut_off(matrix: RelevanceMatrix) -> None:
    axes, _ = bars(matrix, matrix.tasks[0])
    figure = figure_of(axes)
    assert fits(figure, slack=0)


def test_own_axes_are_used() -> None:
    axes = Figure().subplots(1, 2)
    assert bars(TABLE3, "CB", (axes[0], axes[1])) == (axes[0], axes[1])
    assert len(axes[0].patches) == 12

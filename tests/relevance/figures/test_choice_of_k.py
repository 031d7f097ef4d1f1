"""Silhouette and stability over k."""

import itertools

import pytest
from matplotlib.figure import Figure

from fitting import fits
from relevance.clustering.choose_k import Candidate, ChoiceOfK
from relevance.clustering.spec import ClusterSpec
from relevance.figures.choice_of_k import choice_of_k, lay_out
from relevance.figures.figure import figure_of

SPEC = ClusterSpec(clusters=(("A",), ("B",)))


def choice(count: int, silhouette: float = 0.5) -> ChoiceOfK:
    candidates = tuple(Candidate(k, SPEC, silhouette, 1 / k) for k in range(2, 2 + count))
    return ChoiceOfK(candidates, candidates[0], {})


def test_curves_of_every_k() -> None:
    layout = lay_out(choice(3))
    assert layout.ks == layout.ticks == (2, 3, 4)
    assert layout.chosen == 2
    silhouette, stability, mean = layout.curves
    assert (silhouette.name, silhouette.values) == ("silhouette", (0.5, 0.5, 0.5))
    assert (stability.name, stability.values) == ("stability", (1 / 2, 1 / 3, 1 / 4))
    assert mean.values == pytest.approx((0.5, 5 / 12, 0.375))
    assert layout.low < 0 < 1 < layout.high


def test_silhouette_alone_where_stability_is_unknown() -> None:
    candidates = tuple(Candidate(k, SPEC, 0.5, None) for k in (2, 3))
    (silhouette,) = lay_out(ChoiceOfK(candidates, candidates[0], {})).curves
    assert silhouette.name == "silhouette"


def test_negative_values_are_in_view() -> None:
    assert lay_out(choice(2, silhouette=-0.4)).low < -0.4


def test_many_ks_have_room() -> None:
    ticks = lay_out(choice(38)).ticks
    assert ticks[0] == 2
    assert len(ticks) <= 13
    assert len({after - before for before, after in itertools.pairwise(ticks)}) == 1


@pytest.mark.parametrize("count", [1, 11, 98])
def test_nothing_is_cut_off(count: int) -> None:
    figure = figure_of(choice_of_k(choice(count)))
    assert fits(figure, slack=0)


def test_own_axes_are_used_and_the_choice_is_named() -> None:
    axes = Figure().subplots()
    assert choice_of_k(choice(4), axes) is axes
    assert axes.get_xlabel() == "number of clusters k (chosen: 2)"
    assert len(axes.lines) == 2 + 3

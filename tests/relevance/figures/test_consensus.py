"""The consensus of resamples as a heat map."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from relevance.clustering.spec import ClusterSpec, Stability
from relevance.errors import RelevanceError
from relevance.figures.consensus import consensus, lay_out

SPEC = ClusterSpec(
    clusters=(("A", "C"), ("B",)),
    stability=Stability(
        adjusted_rand=0.6,
        resampling="seeds",
        resamples=100,
        tasks=("A", "B", "C"),
        consensus=((1.0, 0.29, 0.8384), (0.29, 1.0, 0.0), (0.8384, 0.0, 1.0)),
    ),
)


def test_tasks_of_a_group_stand_together_in_whole_percent() -> None:
    layout = lay_out(SPEC)
    assert layout.tasks == ("A", "C", "B")
    assert layout.clusters == (2, 1)
    assert layout.texts == (("100", "84", "29"), ("84", "100", "0"), ("29", "0", "100"))
    assert (layout.low, layout.high, layout.extend) == (0, 100, "neither")
    assert not layout.diverging


def test_no_task_is_a_source_or_target() -> None:
    axes = Figure().subplots()
    assert consensus(SPEC, axes) is axes
    assert axes.get_xlabel() == axes.get_ylabel() == ""
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A", "C", "B"]


def test_all_shares_equal() -> None:
    known = Stability(adjusted_rand=1, tasks=("A", "B"), consensus=((1.0, 1.0), (1.0, 1.0)))
    layout = lay_out(ClusterSpec(clusters=(("A", "B"),), stability=known))
    np.testing.assert_array_equal(layout.percent, 100)
    assert (layout.low, layout.high) == (0, 100)


@pytest.mark.parametrize("known", [None, Stability(adjusted_rand=0.7)])
def test_groups_without_a_consensus(known: Stability | None) -> None:
    with pytest.raises(RelevanceError) as raised:
        consensus(SPEC.model_copy(update={"stability": known}))
    assert str(raised.value) == (
        "These groups come without a consensus of resamples. One group, or one task in each, has"
        " none; `relevance cluster` measures it for others."
    )

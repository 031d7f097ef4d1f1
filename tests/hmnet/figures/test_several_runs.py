"""Several runs in one figure: medians over tasks and over seeds, and what cannot be drawn."""

from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float

from hmnet.analysis.covariance import Similarity
from hmnet.analysis.curves import Curves
from hmnet.figures.curves import lay_out as lay_out_one
from hmnet.figures.several_runs import lay_out, runs_figure
from hmnet.figures.similarity import Beside, beside, similarity_figure
from relevance.errors import RelevanceError
from relevance.figures.figure import figure_of, save_figure


def run(
    scores: Float[np.ndarray, "evaluation task"] | None,
    uncertainty: Float[np.ndarray, "window task"] | None = None,
    stand_ins: tuple[str | None, ...] = (),
) -> Curves:
    return Curves(
        tasks=("A", "B", "C"),
        steps=np.array([5, 10]),
        mix=np.full((2, 3), 1 / 3),
        passes=np.ones((2, 3)),
        epochs=2,
        rows=np.array([4, 4, 4]),
        uncertainty=uncertainty,
        scores=scores,
        scored_at=np.array([4, 8]),
        stand_ins=stand_ins,
    )


SCORES = np.array([[0.1, 0.5, 0.9], [0.2, np.nan, 0.8]])


def test_medians_over_tasks_and_over_seeds(tmp_path: Path) -> None:
    runs = [("multi", run(SCORES)), ("multi", run(SCORES + 0.1)), ("$hmnet_x$", run(SCORES / 2))]
    (panel,) = lay_out(runs)
    assert panel.quantity == "score on dev (%)\nmedian over tasks"
    assert [line.name for line in panel.lines] == ["multi", "multi", "$hmnet_x$"]
    np.testing.assert_allclose(panel.lines[0].values, [50, 50])
    np.testing.assert_allclose(panel.lines[2].values, [25, 25])
    (median,) = panel.medians
    assert (median.name, median.steps.tolist()) == ("multi", [4, 8])
    np.testing.assert_allclose(median.values, [55, 55])
    axes = runs_figure(runs)
    assert axes.get_xlabel() == "step; thick: median over seeds, thin: each seed"
    save_figure(axes, tmp_path / "runs.png")


def test_seeds_that_stand_at_different_steps_have_no_median_which_is_said() -> None:
    longer = run(np.concatenate([SCORES, SCORES]))._replace(scored_at=np.array([4, 8, 12, 16]))
    axes = runs_figure([("multi", run(SCORES)), ("multi", longer)])
    assert axes.get_xlabel() == "step; no median where seeds stand at different steps"
    assert runs_figure([("multi", run(SCORES)), ("x", longer)]).get_xlabel() == "step"


def test_the_legend_says_of_which_runs_nothing_is_drawn() -> None:
    axes = runs_figure([("multi", run(SCORES)), ("hmnet", run(None))])
    (legend,) = figure_of(axes).legends
    assert [text.get_text() for text in legend.get_texts()] == ["multi", "hmnet (nothing logged)"]
    assert [line.get_color() == "none" for line in legend.get_lines()] == [False, True]


def test_runs_without_scores_and_uncertainty() -> None:
    with pytest.raises(RelevanceError, match="None of these runs was scored"):
        lay_out([("a", run(None)), ("b", run(None))])


@pytest.mark.parametrize("said", ["deviation under dropout", "entropy of A's labels"])
def test_what_stands_for_an_entropy_is_none(said: str) -> None:
    unsure = np.array([[0.9, 0.01, 0.7], [0.8, 0.02, 0.6]])
    found = run(None, unsure, (None, said, None))
    (_, _, entropies, deviations) = lay_out_one(found)
    assert (entropies.quantity, deviations.quantity) == ("uncertainty", said)
    assert np.isnan(entropies.values[:, 1]).all()
    np.testing.assert_array_equal(deviations.values[:, 1], [0.01, 0.02])
    assert np.isnan(deviations.values[:, [0, 2]]).all()
    (panel,) = lay_out([("a", found), ("b", found)])
    np.testing.assert_allclose(panel.lines[0].values, [0.8, 0.7])


def test_similarities_beside_each_other_with_the_improvement(tmp_path: Path) -> None:
    before = {"A": 0.9, "B": 0.8}
    found = [
        ("single", Similarity(before, {"A": 0.5, "B": 0.4})),
        ("single", Similarity(before, {"A": 0.7, "B": 0.4})),
        ("joint", Similarity(before, {"A": 0.8, "B": 0.6})),
    ]
    scores = [{"A": 0.6, "B": 0.7}, {"A": 0.8, "B": 0.7}, {"A": 0.75, "B": 0.65}]
    together = beside(found, scores)
    assert isinstance(together, Beside)
    assert together.after == {
        "single": {"A": pytest.approx(0.6), "B": pytest.approx(0.4)},
        "joint": {"A": 0.8, "B": 0.6},
    }
    assert together.improvement == {"A": pytest.approx(5), "B": pytest.approx(-5)}
    assert list(together.table_rows()[0]) == ["task", "before", "single", "joint", "improvement"]
    axes = similarity_figure(together)
    assert max(bar.get_height() for bar in axes.patches) < 0.3  # three bars a task, in a line of 1
    save_figure(axes, tmp_path / "similarity.png")
    seeds = beside(found[:2], scores[:2])
    assert seeds == Similarity(before, {"A": pytest.approx(0.6), "B": pytest.approx(0.4)})

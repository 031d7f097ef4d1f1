"""Learning curves: what lines and bands are, by hand, and that any number of tasks is drawn."""

from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float

from fitting import fits
from hmnet.analysis.curves import Curves
from hmnet.figures.learning_curves import learning_curves
from hmnet.figures.learning_curves_layout import SEVERAL, lay_out
from relevance.errors import RelevanceError
from relevance.figures.figure import Axes, figure_of, save_figure
from relevance.figures.style import FigureStyle

NAN = np.nan


def run(
    losses: Float[np.ndarray, "window task_or_several"] | None,
    scores: Float[np.ndarray, "evaluation task"] | None = None,
    tasks: tuple[str, ...] = ("A", "B"),
    steps: tuple[int, ...] = (5, 10),
) -> Curves:
    count, scored = len(tasks), 0 if scores is None else len(scores)
    return Curves(
        tasks=tasks,
        steps=np.array(steps),
        mix=np.full((len(steps), count), 1 / count),
        passes=np.ones((len(steps), count)),
        epochs=2,
        rows=np.full(count, 4),
        uncertainty=None,
        scores=scores,
        scored_at=4 * np.arange(1, scored + 1),
        losses=losses,
        scored_in=np.arange(1, scored + 1),
    )


def scored(*values: float) -> Curves:
    """A run of one task that was scored after every epoch."""
    return run(None, np.array(values)[:, None], ("A",))


def said(axes: Axes) -> tuple[list[str], list[str]]:
    """What the legend calls each line, and what stands below the panels."""
    figure = figure_of(axes)
    (legend,) = figure.legends
    texts = [text.get_text() for text in figure.texts if text.get_rotation() == 0]
    return [text.get_text().replace("\n", " ") for text in legend.get_texts()], texts


def test_a_line_is_the_mean_of_its_seeds_and_the_band_their_deviation() -> None:
    seeds = [np.array([[2.0, NAN, NAN], [1.0, 4.0, NAN]]), np.array([[4.0, NAN, NAN], [NAN] * 3])]
    first, second = lay_out([("joint", run(losses)) for losses in seeds], "loss")
    assert (first.title, second.title) == ("A", "B")
    (line,) = first.lines
    assert line.places.tolist() == [5]  # one seed alone has a value at 10
    assert line.mean.tolist() == [3.0]
    assert line.deviation == pytest.approx([2**0.5])
    ((places, values),) = line.further
    assert (places.tolist(), values.tolist()) == ([5, 10], [2.0, 1.0])
    assert not line.between
    (line,) = second.lines
    assert (line.places.tolist(), line.mean.tolist(), line.deviation) == ([10], [4.0], None)


def test_a_mean_ends_with_the_first_of_its_seeds() -> None:
    """A mean over those that are left would jump where one ends."""
    runs = [("x", scored(0.5, 0.6, 0.7)), ("x", scored(0.7, 0.8)), ("x", scored(0.9))]
    ((line,),) = (panel.lines for panel in lay_out(runs, "score"))
    assert line.places.tolist() == [4]
    assert line.mean == pytest.approx([70])
    assert line.deviation == pytest.approx([20])
    assert [points.places.tolist() for points in line.further] == [[4, 8, 12], [4, 8]]
    names, below = said(learning_curves(runs, "score"))
    assert names == ["x (3 seeds)"]
    assert " ".join(below) == (
        "step Line: mean over seeds; band: ± 1 standard deviation (n - 1)."
        " Thin: seeds that go on where another has ended."
    )


def test_where_a_seed_has_no_value_its_straight_line_counts() -> None:
    runs = [("x", scored(*values)) for values in ((0.5, NAN, 0.7), (0.6, 0.9, 0.8))]
    ((line,),) = (panel.lines for panel in lay_out(runs, "score"))
    assert line.places.tolist() == [4, 8, 12]
    assert line.mean == pytest.approx([55, 75, 75])
    assert line.between
    assert "straight lines" in " ".join(said(learning_curves(runs, "score"))[1])


def test_the_legend_counts_the_seeds_that_have_the_quantity() -> None:
    runs = [("x", scored(0.5)), ("x", scored(0.7)), ("x", run(None)), ("one", scored(0.6))]
    runs += [("none", run(None)), ("none", run(None))]
    names, below = said(learning_curves(runs, "score"))
    assert names == ["x (2 of 3 seeds)", "one", "none (nothing logged)"]
    assert "band" in " ".join(below)
    other = run(None, np.array([[0.5]]), ("B",))
    names, _ = said(learning_curves([*runs[:2], ("x", other)], "score"))
    assert names == ["x (1 to 2 of 3 seeds)"]


def test_one_run_has_no_band_and_nothing_is_said_of_one() -> None:
    names, below = said(learning_curves([("x", scored(0.5, 0.6))], "score"))
    assert (names, below) == (["x"], ["step"])


def test_scores_by_epoch_stand_side_by_side_where_epochs_have_other_numbers_of_steps() -> None:
    longer = scored(0.7, 0.9)._replace(scored_at=np.array([400, 800]))
    ((line,),) = (
        panel.lines for panel in lay_out([("x", scored(0.5, 0.7)), ("x", longer)], "score", "epoch")
    )
    assert line.places.tolist() == [1, 2]
    assert line.mean == pytest.approx([60, 80])
    with pytest.raises(RelevanceError, match=r'`by="epoch"` is for scores'):
        lay_out([("x", run(np.ones((2, 3))))], "loss", "epoch")


def test_uncertainty_has_a_panel_per_task_and_deviations_one_of_their_own() -> None:
    unsure = np.array([[0.9, 0.01], [0.8, NAN]])
    first = run(None)._replace(uncertainty=unsure, stand_ins=(None, "deviation under dropout"))
    second = run(None)._replace(uncertainty=unsure / 2)
    panels = lay_out([("x", first), ("y", second)], "uncertainty")
    assert [panel.title for panel in panels] == ["A", "B: deviation under dropout", "B"]
    assert [line.name for line in panels[0].lines] == ["x", "y"]
    assert [line.values.tolist() for line in panels[2].lines] == [[[0.005]]]


def test_losses_of_several_tasks_at_once_are_not_taken_apart() -> None:
    (panel,) = lay_out([("joint", run(np.array([[NAN, NAN, 3.0], [NAN, NAN, 2.0]])))], "loss")
    assert panel.title == SEVERAL
    assert panel.lines[0].mean.tolist() == [3.0, 2.0]


def test_runs_of_other_names_lengths_and_tasks_stand_in_one_figure() -> None:
    long = run(np.ones((2, 3)), steps=(50, 100))
    other = run(np.ones((2, 2)), tasks=("C",))
    runs = [("x", run(np.ones((2, 3)))), ("x", long), ("y", other)]
    panels = lay_out(runs, "loss")
    assert [panel.title for panel in panels] == ["A", "B", "C", SEVERAL]
    # seeds that stand at other steps have no mean, so each is a line
    assert [line.name for line in panels[0].lines] == ["x", "x"]
    assert [line.name for line in panels[2].lines] == ["y"]
    assert said(learning_curves(runs, "loss"))[0] == ["x (2 seeds, some with a line each)", "y"]


def test_scores_are_percent() -> None:
    scores = np.array([[0.5, NAN], [0.75, NAN]])
    (panel,) = lay_out([("x", run(None, scores))], "score")
    assert (panel.title, panel.lines[0].mean.tolist()) == ("A", [50, 75])


def test_what_nobody_logged_is_told() -> None:
    with pytest.raises(RelevanceError, match=r"None of these runs was scored on dev while it was"):
        lay_out([("x", run(None))], "score")
    with pytest.raises(RelevanceError, match=r"hold no loss"):
        lay_out([("x", run(None))], "loss")
    with pytest.raises(RelevanceError, match=r"was asked how unsure it is\. Train with `log_unc"):
        lay_out([("x", run(None))], "uncertainty")


@pytest.mark.parametrize(("count", "width"), [(1, 3.3), (9, 3.3), (9, None)])
def test_every_task_has_a_panel_within_the_figure(
    count: int, width: float | None, tmp_path: Path
) -> None:
    tasks = tuple(f"<img src=x>{number}" for number in range(count))
    runs = [
        (name, run(np.random.default_rng(seed).random((2, count + 1)), tasks=tasks))
        for name in ("a name of a run that is longer than the figure is wide, " * 3, "$x_1$")
        for seed in (0, 1)
    ]
    style = FigureStyle(width=width, title="Losses of " + "many " * 20)
    axes = learning_curves(runs, "loss", style=style)
    assert len(figure_of(axes).axes) == count + 1
    assert fits(figure_of(axes))
    assert width is None or figure_of(axes).get_figwidth() == pytest.approx(width)
    save_figure(axes, tmp_path / "curves.svg")

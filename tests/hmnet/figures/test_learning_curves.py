"""Learning curves: what lines and bands are, by hand, and that any number of tasks is drawn."""

from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float

from fitting import fits
from hmnet.analysis.curves import Curves
from hmnet.figures.learning_curves import SEVERAL, lay_out, learning_curves
from relevance.errors import RelevanceError
from relevance.figures.figure import figure_of, save_figure
from relevance.figures.style import FigureStyle

NAN = np.nan


def run(
    losses: Float[np.ndarray, "window task_or_several"] | None,
    scores: Float[np.ndarray, "evaluation task"] | None = None,
    tasks: tuple[str, ...] = ("A", "B"),
) -> Curves:
    count = len(tasks)
    return Curves(
        tasks=tasks,
        steps=np.array([5, 10]),
        mix=np.full((2, count), 1 / count),
        passes=np.ones((2, count)),
        epochs=2,
        rows=np.full(count, 4),
        uncertainty=None,
        scores=scores,
        scored_at=np.array([4, 8]),
        losses=losses,
    )


def test_a_line_is_the_mean_of_its_seeds_and_the_band_their_deviation() -> None:
    seeds = [np.array([[2.0, NAN, NAN], [1.0, 4.0, NAN]]), np.array([[4.0, NAN, NAN], [NAN] * 3])]
    first, second = lay_out([("joint", run(losses)) for losses in seeds], "loss")
    assert (first.task, second.task) == ("A", "B")
    (line,) = first.lines
    assert line.steps.tolist() == [5, 10]
    assert line.mean.tolist() == [3.0, 1.0]
    assert line.deviation[0] == pytest.approx(2**0.5)
    assert np.isnan(line.deviation[1])  # one seed has a value there
    (line,) = second.lines
    assert np.isnan(line.mean[0])
    assert line.mean[1] == 4.0


def test_losses_of_several_tasks_at_once_are_not_taken_apart() -> None:
    (panel,) = lay_out([("joint", run(np.array([[NAN, NAN, 3.0], [NAN, NAN, 2.0]])))], "loss")
    assert panel.task == SEVERAL
    assert panel.lines[0].mean.tolist() == [3.0, 2.0]


def test_runs_of_other_names_lengths_and_tasks_stand_in_one_figure() -> None:
    long = run(np.ones((2, 3)))._replace(steps=np.array([50, 100]))
    other = run(np.ones((2, 2)), tasks=("C",))
    panels = lay_out([("x", run(np.ones((2, 3)))), ("x", long), ("y", other)], "loss")
    assert [panel.task for panel in panels] == ["A", "B", "C", SEVERAL]
    # seeds that stand at other steps have no mean, so each is a line
    assert [line.name for line in panels[0].lines] == ["x", "x"]
    assert [line.name for line in panels[2].lines] == ["y"]


def test_scores_are_percent() -> None:
    scores = np.array([[0.5, NAN], [0.75, NAN]])
    (panel,) = lay_out([("x", run(None, scores))], "score")
    assert (panel.task, panel.lines[0].mean.tolist()) == ("A", [50, 75])


def test_what_nobody_logged_is_told() -> None:
    with pytest.raises(RelevanceError, match=r"None of these runs was scored on dev while it was"):
        lay_out([("x", run(None))], "score")
    with pytest.raises(RelevanceError, match=r"hold no loss"):
        lay_out([("x", run(None))], "loss")


@pytest.mark.parametrize(("count", "width"), [(1, 3.3), (9, 3.3), (9, None)])
def test_every_task_has_a_panel_within_the_figure(
    count: int, width: float | None, tmp_path: Path
) -> None:
    tasks = tuple(f"<img src=x>{number}" for number in range(count))
    runs = [
        (name, run(np.random.default_rng(seed).random((2, count + 1)), tasks=tasks))
        for name in ("a name of a run that is long", "$x_1$")
        for seed in (0, 1)
    ]
    style = FigureStyle(width=width, title="Losses of " + "many " * 20)
    axes = learning_curves(runs, "loss", style=style)
    assert len(figure_of(axes).axes) == count + 1
    assert fits(figure_of(axes))
    assert width is None or figure_of(axes).get_figwidth() == pytest.approx(width)
    save_figure(axes, tmp_path / "curves.svg")

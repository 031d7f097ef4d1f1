"""Difficulty beside entropy: means by hand, what is left out, and that the figure shows it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitting import fits
from hmnet.analysis.curves import Curves
from hmnet.analysis.difficulty import Difficulties, SetDifficulty, difficulties, note_on_left_out
from hmnet.figures.difficulty import difficulty_figure
from hmnet.runs.folder import Run
from hmnet.settings.config import RunConfig
from relevance.errors import RelevanceError
from relevance.figures.figure import figure_of, save_figure
from relevance.figures.style import FigureStyle
from relevance.inspection.difficulty import Difficulty, difficulty
from relevance.tasks.data import Split, TaskData
from toys import GRADED, toy

NAN = np.nan
TEXTS = {
    "EASY": ["good film", "bad film", "good", "bad"],
    "HARD": ["film", "film story", "story", "film"],
    "EMPTY": ["", "", "", ""],
    "GRADE": ["good", "bad", "film", "story"],
}
KINDS = {name: toy(name) for name in TEXTS} | {"GRADE": toy("GRADE", **GRADED, range=(0, 5))}


class Known(Run):
    """A run of which only rows and settings are there."""

    def task(self, name: str) -> Any:
        return KINDS[name]

    def data(self, task: str, *, also: Any = ()) -> TaskData:
        split = Split((tuple(TEXTS[task]),), np.array([1, 0, 1, 0]))
        return TaskData(KINDS[task], split, {})


def trained(name: str, unsure: dict[str, list[float]]) -> tuple[Run, Curves]:
    """A run of a name, with the uncertainty of its tasks in two windows."""
    found = Curves(
        tasks=tuple(unsure),
        steps=np.array([5, 10]),
        mix=np.ones((2, len(unsure))),
        passes=np.ones((2, len(unsure))),
        epochs=1,
        rows=np.full(len(unsure), 4),
        uncertainty=np.array([*unsure.values()]).T,
        scores=None,
        scored_at=np.zeros(0, dtype=int),
    )
    return Known(Path(name), RunConfig(tasks=("all",), name=name)), found


RUNS = [
    trained("multi", {"EASY": [0.5, 0.1], "HARD": [0.9, NAN], "GRADE": [0.1, 0.1]}),
    trained("multi", {"EASY": [0.5, NAN], "HARD": [0.7, 0.7], "EMPTY": [0.5, 0.5]}),
    trained("hmnet", {"EASY": [NAN, 0.2], "HARD": [NAN, NAN]}),
]


def test_means_over_windows_and_seeds_beside_the_difficulty_of_training_rows() -> None:
    found = difficulties(RUNS)
    assert found.names == ("multi", "hmnet")
    assert [each.task for each in found.sets] == ["HARD", "EASY"]  # the hardest first
    hard, easy = found.sets
    assert easy.difficulty == difficulty(TEXTS["EASY"], [1, 0, 1, 0])
    assert easy.entropies == {"multi": pytest.approx((0.3 + 0.5) / 2), "hmnet": 0.2}
    assert hard.entropies == {"multi": pytest.approx((0.9 + 0.7) / 2)}
    first, _ = found.table_rows()
    assert (first["entropy multi"], first["entropy hmnet"]) == (pytest.approx(0.8), None)
    assert first["difficulty"] == pytest.approx(sum(hard.difficulty))
    assert found.correlations() == {}  # of two sets there is none


def test_tasks_without_either_are_named_with_the_reason() -> None:
    assert note_on_left_out(difficulties(RUNS).left_out) == (
        "Left out: GRADE (its kind is regression); EMPTY (it has not two labels with words)."
    )
    assert note_on_left_out({}) is None
    with pytest.raises(RelevanceError, match=r"beside an entropy: HARD \(no run was asked how un"):
        difficulties([trained("x", {"HARD": [NAN, NAN]})])


def test_runs_of_other_numbers_of_rows_are_told() -> None:
    run, found = RUNS[0]
    fewer = found._replace(rows=np.array([4, 2, 4]))
    (remark,) = difficulties([(run, found), (run, fewer)]).remarks
    assert remark == (
        "Runs trained other numbers of rows of HARD; its difficulty is that of the 4 rows of multi."
    )


def test_difficulty_and_entropy_that_rise_together_correlate() -> None:
    sets = tuple(
        SetDifficulty(str(rank), 4, Difficulty(rank, 0, 0, 0, 0), {"x": rank / 9, "y": 0.5})
        for rank in (3.0, 2.0, 1.0)
    )
    found = Difficulties(("x", "y"), sets, {}).correlations()
    assert found == {"x": pytest.approx(1), "y": pytest.approx(NAN, nan_ok=True)}


@pytest.mark.parametrize("width", [None, 3.3])
def test_all_is_within_the_figure(width: float | None, tmp_path: Path) -> None:
    names = ("<img src=x> " + "a long name " * 12, "$y$", "z")
    sets = [
        SetDifficulty(
            f"{'a long name of a task ' * n}{n}", 4, Difficulty(float(n), 0, 0, 0, 0), {"z": n / 9}
        )
        for n in range(8)
    ]
    left_out = {f"TASK-{n}": "its kind is regression" for n in range(20)}
    found = Difficulties(names, tuple(sets), left_out)
    axes = difficulty_figure(found, style=FigureStyle(width=width, title="Difficulty"))
    assert fits(figure_of(axes))
    assert len(figure_of(axes).axes[1].patches) == 24
    save_figure(axes, tmp_path / "difficulty.svg")

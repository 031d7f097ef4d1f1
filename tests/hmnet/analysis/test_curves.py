"""Curves of a run: windows counted by hand, and shares that add up."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hmnet.analysis.curves import WINDOWS, Curves, curves, curves_of_all
from hmnet.figures.curves import curves_figure, lay_out
from hmnet.runs.folder import Run
from hmnet.settings.config import RunConfig
from hmnet.training.record import Record, write_records
from relevance.disk.files import write_json
from relevance.errors import RelevanceError
from relevance.figures.figure import save_figure
from relevance.tasks.find import find_tasks

SIZES = {"A": 8, "B": 4}


class Written(Run):
    """A run of which only the log is there."""

    of_regression: tuple[str, ...] = ()

    @property
    def tasks(self) -> Any:
        tasks = {task.name: task for task in find_tasks(["RTE", "STS-B"])}
        like = {name: "STS-B" if name in self.of_regression else "RTE" for name in SIZES}
        return [tasks[like[name]].model_copy(update={"name": name}) for name in SIZES]

    def data(self, task: str) -> Any:
        return SimpleNamespace(train=range(SIZES[task]))


def read(folder: Path, lines: list[dict[str, Any]]) -> Curves:
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return curves(Written(folder, RunConfig(tasks=tuple(SIZES), epochs=2)))


def test_every_step_is_a_window_of_a_short_run(tmp_path: Path) -> None:
    lines = [
        {"rows": {"A": 3, "B": 1}, "uncertainty": {"A": 0.9, "B": 0.5}},
        {"rows": {"A": 4}, "uncertainty": {"A": 0.7}},
    ]
    found = read(tmp_path, lines)
    assert found.mix.tolist() == [[0.75, 0.25], [1.0, 0.0]]
    assert found.passes.tolist() == [[3 / 8, 1 / 4], [7 / 8, 1 / 4]]
    assert found.uncertainty is not None
    assert found.uncertainty[:, 0].tolist() == [0.9, 0.7]
    assert np.isnan(found.uncertainty[1, 1])
    assert found.table_rows() == [
        {"task": "A", "rows": 8, "trained": 7, "share of data": 43.8},
        {"task": "B", "rows": 4, "trained": 1, "share of data": 12.5},
        {"task": "all", "rows": 12, "trained": 8, "share of data": 33.3},
    ]


def test_the_entropy_of_another_task_is_not_the_tasks_own(tmp_path: Path) -> None:
    class Regression(Written):
        of_regression = ("B",)

    read(tmp_path, [{"rows": {"A": 3, "B": 1}, "uncertainty": {"A": 0.9, "B": 0.5}}])
    found = curves(Regression(tmp_path, RunConfig(tasks=tuple(SIZES), epochs=2)))
    assert found.stand_ins == (None, "entropy of A's labels")
    assert found.entropies is not None
    assert np.array_equal(found.entropies, [[0.9, np.nan]], equal_nan=True)
    own, other = lay_out(found)[2:]
    assert (own.quantity, other.quantity) == ("uncertainty", "entropy of A's labels")
    assert np.array_equal(other.values, [[np.nan, 0.5]], equal_nan=True)


def test_rows_are_counted_as_the_log_counts_them(tmp_path: Path) -> None:
    """A span task's rows are made into several sequences, and steps train sequences."""
    write_records(tmp_path / "training.json", [Record(sequences={"A": 16})])
    found = read(tmp_path, [{"rows": {"A": 16, "B": 4}}])
    assert found.passes.tolist() == [[1, 1]]
    assert found.rows.tolist() == [16, 4]


def test_losses_are_those_of_steps_that_trained_a_task_alone(tmp_path: Path) -> None:
    lines = [
        {"rows": {"A": 1}, "loss": 2.0},
        {"rows": {"B": 1, "A": 0}, "loss": 5.0},
        {"rows": {"A": 1, "B": 1}, "loss": 9.0},
        {"rows": {"A": 1}, "loss": float("nan")},
    ]
    losses = read(tmp_path, lines).losses
    assert losses is not None
    assert np.array_equal(
        losses,
        [[2, np.nan, np.nan], [np.nan, 5, np.nan], [np.nan, np.nan, 9], [np.nan] * 3],
        equal_nan=True,
    )
    many = [{"rows": {"A": 1}, "loss": float(step)} for step in range(600)]
    smoothed = read(tmp_path, many).losses
    assert smoothed is not None
    assert smoothed[0, 0] == np.mean(range(10))  # 60 windows of 10 steps
    assert read(tmp_path, [{"rows": {"A": 1}}]).losses is None


def added(folder: Path, fraction: float) -> None:
    entry = {"tasks": {"B": {}}, "fraction": fraction, "settings": {"epochs": 4}, "run": "before"}
    write_json(folder / "added.json", "hmnet.added/1", {"additions": [entry]})


def test_of_an_addition_the_new_tasks_are_shown(tmp_path: Path) -> None:
    added(tmp_path, 0.5)
    write_records(tmp_path / "training.json", [Record(sequences={"B": 2})])
    found = read(tmp_path, [{"rows": {"B": 2}}, {"rows": {"B": 2}}])
    assert (found.tasks, found.epochs, found.rows.tolist()) == (("B",), 4, [2])
    assert found.table_rows()[0]["share of data"] == 50.0


def test_an_addition_without_training_has_no_curves(tmp_path: Path) -> None:
    added(tmp_path, 0.0)
    with pytest.raises(RelevanceError, match=r"nothing was trained when B was added.*before"):
        read(tmp_path, [])


def test_windows_of_several_runs_have_as_many_steps(tmp_path: Path) -> None:
    runs = []
    for name, count in (("long", 150), ("short", 100)):
        lines = [{"rows": {"A": 1}, "loss": float(step)} for step in range(count)]
        (tmp_path / name).mkdir()
        read(tmp_path / name, lines)
        runs.append(Written(tmp_path / name, RunConfig(tasks=tuple(SIZES))))
    long, short = curves_of_all(runs)
    assert long.steps.tolist() == [*range(3, 151, 3)]
    assert short.steps.tolist() == [*range(3, 100, 3), 100]
    assert long.losses is not None
    assert short.losses is not None
    assert short.losses[:2, 0].tolist() == long.losses[:2, 0].tolist() == [1, 4]
    assert short.losses[-1, 0] == 99
    assert len(curves_of_all(runs[1:])[0].steps) == WINDOWS


def test_windows_of_a_long_run_hold_every_row_once(tmp_path: Path) -> None:
    lines = [{"rows": {"A" if step % 3 else "B": 2}} for step in range(1000)]
    found = read(tmp_path, lines)
    assert found.steps[-1] == 1000
    assert len(found.steps) == WINDOWS
    assert found.mix.sum(axis=1) == pytest.approx(1)
    assert (found.passes[-1] * found.rows).tolist() == [2 * 666, 2 * 334]
    assert found.uncertainty is None
    assert [panel.quantity for panel in lay_out(found)] == [
        "share of rows (%)",
        "passes over the rows",
    ]


def test_a_log_of_an_older_version_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError, match="does not say which rows a step trained"):
        read(tmp_path, [{"task": "A", "step": 1}])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"rows": {"A"', "not valid JSON: Expecting ':' delimiter at column 14."),
        ("[" * 100_000, "not valid JSON: it is nested too deeply."),
        ("[1]", "Input should be a valid dictionary or instance of LogLine, got [1]."),
        ('{"rows": {"A": "x"}}', "rows.A: Input should be a valid integer"),
        ('{"rows": {"A": -1}}', "rows.A: Input should be greater than or equal to 0, got -1."),
        ('{"rows": {"C": 1}}', "Unknown task 'C'."),
        ('{"step": 2}', "rows: Field required."),
    ],
)
def test_a_damaged_log_is_one_line(tmp_path: Path, line: str, message: str) -> None:
    whole = '{"rows": {"A": 1}, "loss": NaN}'
    (tmp_path / "log.jsonl").write_text(f"{whole}\n{line}\n")
    with pytest.raises(RelevanceError) as error:
        curves(Written(tmp_path, RunConfig(tasks=tuple(SIZES))))
    assert str(error.value).startswith(f"{tmp_path / 'log.jsonl'}, line 2: {message}")


def test_all_panels_are_drawn(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    tasks = tuple(f"TASK-{number}" for number in range(13))
    found = Curves(
        tasks=tasks,
        steps=np.arange(10, 601, 10),
        mix=draw.dirichlet(np.ones(13), size=60),
        passes=np.cumsum(draw.uniform(0, 0.05, size=(60, 13)), axis=0),
        epochs=2,
        rows=np.full(13, 640),
        uncertainty=draw.uniform(0.5, 1, size=(60, 13)),
        scores=draw.uniform(0.3, 0.9, size=(2, 13)),
        scored_at=np.array([300, 600]),
    )
    save_figure(curves_figure(found), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert [len(panel.steps) for panel in lay_out(found)] == [60, 60, 60, 2]

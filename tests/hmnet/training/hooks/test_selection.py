"""Early stopping and the best epoch's weights: by a score that the test makes up."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hmnet.models.multitask import MultiTaskModel
from hmnet.runs.scores import read_scores
from hmnet.runs.train import Note, train_run
from hmnet.settings.config import RunConfig
from hmnet.training.hooks.checkpoints import Checkpoints
from hmnet.training.hooks.progress import Progress
from hmnet.training.hooks.selection import Selection
from hmnet.training.record import Best, Evaluation, Record
from relevance.errors import RelevanceError
from relevance.interfaces.trainer import Result
from relevance.tasks.task import Task


def scored(*means: float) -> tuple[Evaluation, ...]:
    """Epochs whose two tasks have these means."""
    return tuple(
        Evaluation(epoch=epoch, scores={"A": mean - 0.1, "B": mean + 0.1})
        for epoch, mean in enumerate(means, start=1)
    )


@pytest.mark.parametrize(
    ("means", "patience", "over"),
    [
        ((), 1, False),
        ((0.5,), 1, False),
        ((0.5, 0.6), 1, False),
        ((0.5, 0.4), 1, True),
        ((0.5, 0.5), 1, True),
        ((0.5, 0.4), 2, False),
        ((0.5, 0.4, 0.45), 2, True),
        ((0.5, 0.4, 0.6, 0.55), 2, False),
        ((0.5, 0.4, 0.4, 0.4), None, False),
    ],
)
def test_it_is_over_after_so_many_epochs_without_a_gain(
    means: tuple[float, ...], patience: int | None, over: bool
) -> None:
    assert Selection(lambda _: {}, patience=patience).is_over(scored(*means)) is over


def test_epochs_without_steps_do_not_count() -> None:
    sparse = (Evaluation(epoch=2, scores={"A": 0.5}), Evaluation(epoch=7, scores={"A": 0.4}))
    assert not Selection(lambda _: {}, patience=2).is_over(sparse)


def test_the_best_is_the_mean_of_tasks_and_each_task_has_its_own() -> None:
    record = Record(
        evaluations=tuple(
            Evaluation(epoch=epoch, scores={"A": a, "B": b})
            for epoch, (a, b) in enumerate([(0.9, 0.1), (0.7, 0.5), (0.6, 0.6)], start=1)
        )
    )
    assert record.best_epoch == 2  # as good as the third, and before it
    assert record.best_by_task == {"A": Best(0.9, 1), "B": Best(0.6, 3)}
    assert Selection(lambda _: {}, keep_best=True).summary(record, 5) == (
        "stopped after epoch 3 of 5; dev was best in epoch 2, with a mean of 60.0; epoch 2 is kept."
        " Best by task: A 90.0 in epoch 1, B 60.0 in epoch 3."
    )
    assert Selection(lambda _: {}).summary(record, 3) == (
        "dev was best in epoch 2, with a mean of 60.0; epoch 3 is kept."
        " Best by task: A 90.0 in epoch 1, B 60.0 in epoch 3."
    )


def weights(model: MultiTaskModel) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(weight, other[name]) for name, weight in one.items())


@pytest.mark.parametrize("r", [0, 1, 2])
def test_epochs_of_one_task_alone_are_not_judged(world: Any, r: int) -> None:
    """With a patience of 1 and scores that only fall, training ends after two epochs of all."""
    update = {"sampler": f"adaptive-round-robin:r={r}", "epochs": 3, "batch_size": 40}
    changed = dataclasses.replace(world, settings=world.settings.model_copy(update=update))
    records: list[Record] = []
    script = Script(0.5, 0.4, 0.3, 0.2, 0.1)
    changed.fit(selection=Selection(script, patience=1), on_end=records.append)
    assert [evaluation.epoch for evaluation in records[0].evaluations] == [r + 1, r + 2]


class Script:
    """Scores by epoch; remembers the weights that it was shown."""

    def __init__(self, *means: float, seen: int = 0) -> None:
        self.means = means[seen:]
        self.shown: list[dict[str, Tensor]] = []

    def __call__(self, model: MultiTaskModel) -> dict[str, float]:
        self.shown.append(weights(model))
        return {"TONE": self.means[len(self.shown) - 1], "SAME": 0.5}


@pytest.fixture
def five(world: Any) -> Any:
    """Five epochs of three steps."""
    settings = world.settings.model_copy(update={"epochs": 5, "batch_size": 40})
    return dataclasses.replace(world, settings=settings)


MEANS = (0.5, 0.8, 0.6, 0.7, 0.9)


@pytest.mark.parametrize(
    ("patience", "keep_best", "epochs", "kept"),
    [(None, True, 5, 5), (2, True, 4, 2), (2, False, 4, 4), (1, True, 3, 2), (3, True, 5, 5)],
)
def test_the_weights_that_stay_are_those_of_the_epoch_that_is_kept(
    five: Any, patience: int | None, keep_best: bool, epochs: int, kept: int
) -> None:
    script = Script(*MEANS)
    records: list[Record] = []
    steps: list[Progress] = []
    model = five.fit(
        selection=Selection(script, patience=patience, keep_best=keep_best),
        on_end=records.append,
        on_step=steps.append,
    )
    assert equal(weights(model), script.shown[kept - 1])
    assert not model.training
    assert [len(script.shown), len(steps)] == [epochs, 3 * epochs]
    (record,) = records
    assert [one.scores["TONE"] for one in record.evaluations] == list(MEANS[:epochs])
    assert record.examples == epochs * (37 + 20 + 24)


def test_looking_changes_nothing(five: Any) -> None:
    looked = five.fit(selection=Selection(Script(*MEANS)))
    assert equal(weights(looked), weights(five.fit()))


@pytest.mark.parametrize("stop_at", [7, 9, 12])
def test_resumed_it_chooses_as_if_unbroken(five: Any, tmp_path: Path, stop_at: int) -> None:
    """Stopped within an epoch, at the end of one, and at the last step before patience ends."""
    unbroken: list[Record] = []
    expected = five.fit(
        selection=Selection(Script(*MEANS), patience=2, keep_best=True), on_end=unbroken.append
    )
    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, every_s=0.0)

    def stop(progress: Progress) -> None:
        if progress.step == stop_at:
            raise KeyboardInterrupt

    first = Selection(Script(*MEANS), patience=2, keep_best=True)
    with pytest.raises(KeyboardInterrupt):
        five.fit(selection=first, checkpoints=checkpoints, on_step=stop)
    # the report of a step comes before its checkpoint, so the last one is of the step before
    script = Script(*MEANS, seen=(stop_at - 1) // 3)
    resumed: list[Record] = []
    model = five.fit(
        selection=Selection(script, patience=2, keep_best=True),
        checkpoints=checkpoints,
        on_end=resumed.append,
    )
    assert equal(weights(model), weights(expected))
    assert resumed[0].evaluations == unbroken[0].evaluations
    assert resumed[0].examples == unbroken[0].examples


def test_a_stop_that_was_decided_before_a_kill_stays_decided(five: Any, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoint", 0, every_s=1e9)
    script = Script(0.9, 0.1)
    expected = five.fit(
        selection=Selection(script, patience=1, keep_best=True), checkpoints=checkpoints
    )
    again = Script()
    model = five.fit(
        selection=Selection(again, patience=1, keep_best=True), checkpoints=checkpoints
    )
    assert not again.shown
    assert equal(weights(model), weights(expected))


def test_a_run_keeps_its_best_epoch_and_tells_of_it(config: RunConfig, tmp_path: Path) -> None:
    """What is scored in the end is what was scored after that epoch."""
    chosen = config.model_copy(
        update={"epochs": 4, "checkpoint": "best", "freeze": "1", "lr": 0.01}
    )
    events: list[Any] = []
    run = train_run(chosen, None, tmp_path / "run", on_event=events.append)
    (part,) = json.loads((tmp_path / "run" / "training.json").read_text())["parts"]
    assert [one["epoch"] for one in part["evaluations"]] == [1, 2, 3, 4]
    best = part["evaluations"][part["best_epoch"] - 1]["scores"]
    scores = read_scores(tmp_path / "run" / "scores.csv")
    primary = {task.name: task.primary for task in run.tasks}
    found = {
        s.task: s.value
        for s in scores
        if (s.run, s.split, s.metric) == ("multi", "dev", primary[s.task])
    }
    assert found == best
    assert set(part["best_by_task"]) == {"TONE", "SAME", "GRADE"}
    (note,) = [event.text for event in events if isinstance(event, Note) and not event.passing]
    assert f"epoch {part['best_epoch']} is kept" in note


def test_each_part_of_single_stops_by_its_own_task(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    means = {"TONE": [0.5, 0.4], "SAME": [0.5, 0.6, 0.7], "GRADE": [0.5, 0.5]}

    def scored(_: MultiTaskModel, task: Task, *rest: Any, **options: Any) -> Result:
        return Result({task.primary: means[task.name].pop(0)}, 0.0, None)

    monkeypatch.setattr("hmnet.runs.fitting.evaluate", scored)
    chosen = config.model_copy(
        update={"epochs": 3, "patience": 1, "method": "single", "batch_size": 40}
    )
    train_run(chosen, None, tmp_path / "run")
    parts = json.loads((tmp_path / "run" / "training.json").read_text())["parts"]
    assert [len(part["evaluations"]) for part in parts] == [2, 3, 2]
    assert [part["examples"] for part in parts] == [2 * 37, 3 * 20, 2 * 24]
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["task"] for line in lines] == (
        ["TONE"] * 2 + ["SAME"] * 3 + ["GRADE"] * 2
    )


@pytest.mark.parametrize("other", [{"checkpoint": "best"}, {"patience": 2}])
def test_the_mean_of_the_last_steps_is_another_choice(
    config: RunConfig, other: dict[str, Any]
) -> None:
    with pytest.raises(RelevanceError) as error:
        RunConfig(**config.model_dump() | {"average": 0.2} | other)
    assert str(error.value) == (
        '`average` takes the mean over the last steps, which `checkpoint="best"` would pass over'
        " and `patience` might not reach. Leave out `average`, or the other."
    )

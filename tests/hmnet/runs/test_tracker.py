"""Trackers beside the log: they get every value, change none, and never stop a run."""

import json
import random
from pathlib import Path
from typing import Any

import accelerate.tracking
import numpy as np
import pytest
import torch
from accelerate.tracking import GeneralTracker
from accelerate.utils import LoggerType

from hmnet.runs import tracker as trackers
from hmnet.runs.tracker import check_tracker, open_tracker
from hmnet.runs.train import train_run
from hmnet.settings.config import RunConfig
from relevance.errors import RelevanceError

Told = list[tuple[dict[str, float], int]]


class Recorder(GeneralTracker):
    """A service that draws random numbers whenever it is told something."""

    name = "wandb"
    requires_logging_directory = False
    told: Told
    begun: list[dict[str, Any]]
    fails_at: int | None
    ended: int

    def __init__(self, project: str, **options: Any) -> None:
        super().__init__()
        self.begun.append({"project": project, **options})

    def start(self) -> None:
        self._draw()

    @property
    def tracker(self) -> None:
        return None

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        self.begun[-1]["settings"] = values

    def log(self, values: dict[str, float], step: int | None = None, **_: Any) -> None:
        self._draw()
        assert step is not None
        if step == self.fails_at:
            raise ConnectionError("no route to <host>\nsecond line")
        self.told.append((values, step))

    def finish(self) -> None:
        type(self).ended += 1

    def _draw(self) -> None:
        random.random(), np.random.rand(), torch.rand(3)  # noqa: NPY002, S311


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> type[Recorder]:
    """Stands in the place of every tracker but TensorBoard, each of which is there then."""
    fresh = type("Fresh", (Recorder,), {"told": [], "begun": [], "fails_at": None, "ended": 0})
    for name in ("wandb", "trackio", "mlflow"):
        monkeypatch.setitem(accelerate.tracking.LOGGER_TYPE_TO_CLASS, name, fresh)
    there = [LoggerType.WANDB, LoggerType.TRACKIO, LoggerType.MLFLOW]
    monkeypatch.setattr(accelerate.tracking, "_available_trackers", there)
    monkeypatch.setattr(trackers, "_is_installed", lambda package: True)
    monkeypatch.setattr("accelerate.Accelerator.get_tracker", lambda self, name: self.trackers[0])
    return fresh


@pytest.fixture(scope="module")
def brief(config: RunConfig) -> RunConfig:
    return config.model_copy(update={"max_steps_per_task": 2, "epochs": 1})


@pytest.fixture(scope="module")
def plain(brief: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that no tracker is told of."""
    out = tmp_path_factory.mktemp("plain") / "run"
    train_run(brief, None, out)
    return out


def losses(out: Path) -> list[tuple[int, str, float]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [(line["step"], line["task"], line["loss"]) for line in lines]


def same_results(one: Path, other: Path) -> bool:
    return (
        losses(one) == losses(other)
        and (one / "scores.csv").read_text() == (other / "scores.csv").read_text()
    )


def test_a_tracker_gets_every_step_and_changes_no_number(
    brief: RunConfig, plain: Path, tmp_path: Path, recorder: type[Recorder]
) -> None:
    """Dropout draws from torch's random numbers, as this tracker does."""
    tracked = brief.model_copy(update={"tracker": "wandb"})
    out = tmp_path / "tracked" / "seed-0"
    train_run(tracked, None, out)
    assert same_results(plain, out)
    assert [
        (step, values[f"loss/{task}"])
        for (step, task, _), (values, _) in zip(losses(out), recorder.told, strict=True)
    ] == [(step, loss) for step, _, loss in losses(out)]
    begun = recorder.begun[0]
    assert (begun["project"], begun["name"]) == ("hmnet", "tracked/seed-0")
    assert begun["settings"]["lr"] == str(brief.lr)
    assert not any(str(tmp_path) in value for value in begun["settings"].values())
    assert recorder.ended == 1


def test_a_tracker_that_fails_on_the_way_is_told_once_and_left(
    brief: RunConfig, tmp_path: Path, recorder: type[Recorder]
) -> None:
    recorder.fails_at = 2
    with pytest.warns(UserWarning, match="ConnectionError: 'no route to <host>") as told:
        train_run(brief.model_copy(update={"tracker": "trackio"}), None, tmp_path / "run")
    assert len(told) == 1
    assert len(recorder.told) == 1
    assert (tmp_path / "run" / "scores.csv").exists()


def test_a_tracker_that_cannot_begin_is_one_line(
    tmp_path: Path, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Recorder) -> None:
        raise RuntimeError("api_key not configured")

    monkeypatch.setattr(recorder, "start", fail)
    with (
        pytest.raises(RelevanceError) as error,
        open_tracker("wandb", tmp_path, "run", on_cpu=True),
    ):
        pass
    assert str(error.value) == (
        "`tracker=\"wandb\"` could not begin (RuntimeError: 'api_key not configured')."
        " Set it up by its own environment variables, or leave it out."
    )


def test_a_file_in_the_place_of_its_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "gains").touch()  # beside gains.json, whose tracker has its files there
    with (
        pytest.raises(RelevanceError, match=r"gains cannot be written: Not a directory\.$"),
        open_tracker("tensorboard", tmp_path / "gains", "gains", on_cpu=True),
    ):
        pass


def test_names_are_spelt_so_that_mlflow_takes_them(
    tmp_path: Path, recorder: type[Recorder]
) -> None:
    with open_tracker("mlflow", tmp_path, "run", on_cpu=True) as log:
        assert log is not None
        log({"loss/<img src=x>": 1.0, "loss/RTE": 2.0, "loss/é": 3.0}, 1)
    assert list(recorder.told[0][0]) == ["loss/.x3c.img src.x3d.x.x3e.", "loss/RTE", "loss/.xe9."]


def test_tensorboard_beside_the_log_disturbs_nothing(
    brief: RunConfig, plain: Path, tmp_path: Path
) -> None:
    train_run(brief.model_copy(update={"tracker": "tensorboard"}), None, tmp_path / "run")
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))
    assert same_results(plain, tmp_path / "run")


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda package: None)
    for name in ("tensorboard", "wandb", "trackio", "mlflow"):
        with pytest.raises(RelevanceError) as error:
            check_tracker(name)  # type: ignore[arg-type]
        assert str(error.value) == (
            f'`tracker="{name}"` needs a package that is not installed. Install it with'
            f' `pip install "relevance-hmnet[{name}]"`, or leave it out.'
        )


def test_a_folder_of_the_same_name_is_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trackio").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(RelevanceError, match="trackio"):
        check_tracker("trackio")

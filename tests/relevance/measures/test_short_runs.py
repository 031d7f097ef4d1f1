"""Short runs are joint training on fewer rows: its runs, its cache, its gains."""

import csv
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.gains.gain_choice import GainChoice
from relevance.gains.protocol import NORMALISATIONS
from relevance.interfaces.trainer import Result
from relevance.jobs.job import Job, Schedule
from relevance.matrices.gains_matrix import renormalised
from relevance.measures.joint_training import JointTraining
from relevance.measures.measure import Inputs
from relevance.measures.short_runs import ShortRuns
from relevance.tasks.data import DataOptions
from toys import toy

NAMES = ("A", "B", "C")
TASKS = tuple(toy(name) for name in NAMES)


@dataclass(frozen=True)
class Shortened:
    """Scores grow with the share of rows and in company; writes down every call."""

    share: float = 1.0
    fingerprint: str = "shortened"
    calls: list[tuple[str, ...]] = field(default_factory=list, compare=False)

    def on_share(self, share: float) -> "Shortened":
        return replace(self, share=share)

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        self.calls.append(tasks)
        f = 0.4 + 0.4 * self.share * (len(tasks) - 1)
        return {task: Result({"accuracy": f}, 1.0) for task in tasks}


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    """A hundred rows a task, twenty of them held out; jobs run in this process."""

    def run(jobs: list[Job], schedule: Schedule, *rest: object, **more: object) -> dict[str, str]:
        for job in jobs:
            job.call("cpu")
        return {}

    monkeypatch.setattr("relevance.studies.study.run_jobs", run)
    monkeypatch.setenv("RELEVANCE_CACHE", str(tmp_path / "cache"))
    for name in NAMES:
        (tmp_path / name.lower()).mkdir()
        with (tmp_path / name.lower() / "train.csv").open("w", newline="") as file:
            rows = [(f"{name} {number}", number % 2) for number in range(100)]
            csv.writer(file).writerows([("sentence", "label"), *rows])
    trainer = Shortened()
    return Inputs(data=DataOptions(tmp_path), trainer=lambda: trainer, single_seeds=1)


def test_gains_are_those_of_the_trainer_on_a_share(inputs: Inputs) -> None:
    matrix = ShortRuns.build(replace(inputs, share=0.5)).measure(TASKS)
    assert matrix.values[0, 1] == pytest.approx(0.4 * 0.5 / 0.4)
    assert matrix.measure == "short-runs"
    assert matrix.provenance["share"] == 0.5
    assert matrix.cost["seconds"] > 0


def test_the_whole_share_finds_the_runs_of_joint_training(inputs: Inputs) -> None:
    assert inputs.trainer is not None
    calls = inputs.trainer().calls
    full = JointTraining.build(inputs).measure(TASKS)
    assert len(calls) == 6
    whole = ShortRuns.build(replace(inputs, share=1.0)).measure(TASKS)
    assert len(calls) == 6
    assert (whole.values == full.values).all()
    ShortRuns.build(inputs).measure(TASKS)
    assert len(calls) == 12  # other rows: other runs, although the trainer's fingerprint is one
    ShortRuns.build(inputs).measure(TASKS)
    assert len(calls) == 12


def test_another_normalisation_is_still_of_short_runs(inputs: Inputs) -> None:
    matrix = ShortRuns.build(inputs).measure(TASKS)
    for normalise in NORMALISATIONS:
        assert renormalised(matrix, GainChoice(normalise=normalise)).measure == "short-runs"


@pytest.mark.parametrize("share", [0.0, -0.5, 1.01, float("nan")])
def test_shares_that_are_none(inputs: Inputs, share: float) -> None:
    with pytest.raises(RelevanceError) as error:
        ShortRuns.build(replace(inputs, share=share)).measure(TASKS)
    assert str(error.value) == f"`share` must be above 0 and at most 1, got {share:g}."


def test_a_trainer_that_cannot_leave_rows_out(inputs: Inputs) -> None:
    @dataclass(frozen=True)
    class Plain:
        fingerprint: str = "plain"

        def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
            raise AssertionError

    with pytest.raises(RelevanceError, match="The trainer Plain has no `on_share`, which measure"):
        ShortRuns.build(replace(inputs, trainer=Plain)).measure(TASKS)
    with pytest.raises(RelevanceError, match="'short-runs' needs a trainer"):
        ShortRuns.build(Inputs())

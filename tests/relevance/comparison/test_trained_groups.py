"""Predicted against trained gains of groups: planted gains come out, with pairwise's own runs."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from relevance.clustering.measured_groups import read_measured_groups
from relevance.clustering.methods.predicted_gain import PredictedGain
from relevance.clustering.spec import ClusterSpec
from relevance.clustering.worth import group_worth
from relevance.comparison.trained_groups import choice_of, groups_to_train, train_groups
from relevance.errors import RelevanceError
from relevance.gains.gain_choice import GainChoice
from relevance.interfaces.trainer import Result
from relevance.jobs.job import Schedule
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.joint_training import joint_training_gains
from relevance.report.tables import table
from relevance.studies.store import JobStore
from relevance.studies.study import Study
from toys import toy

NAMES = ("A", "B", "C", "D")
TASKS = tuple(toy(name) for name in NAMES)
ALONE = dict(zip(NAMES, (0.5, 0.4, 0.25, 0.8), strict=True))
INLINE = Schedule()


@dataclass(frozen=True)
class Trainer:
    """A task scores 10 % more for each partner, A 20 % less; seed s adds s % of that alone."""

    log: Path
    fingerprint: str = "groups"
    broken: str = ""

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        del device
        with self.log.open("a") as file:
            file.write("".join(tasks) + str(seed) + "\n")
        if "".join(tasks) == self.broken:
            raise ValueError("broken")
        partners = len(tasks) - 1
        return {
            task: Result(
                {
                    "accuracy": ALONE[task]
                    * (1 + partners * (-0.2 if task == "A" else 0.1) + 0.01 * seed * partners)
                },
                1.0,
            )
            for task in tasks
        }

    def calls(self) -> list[str]:
        return self.log.read_text().split()


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(jobs, schedule, on_event, *, cached, further):  # type: ignore[no-untyped-def]
        failed = {}
        for job in jobs:
            try:
                job.call("cpu")
            except ValueError as error:
                failed[job.name] = str(error)
        return failed

    monkeypatch.setattr("relevance.studies.study.run_jobs", run)


def a_study(folder: Path, seeds: tuple[int, ...] = (0,), broken: str = "") -> Study:
    trainer = Trainer(folder / "log", broken=broken)
    return Study.of(TASKS, trainer, seeds=seeds, single_seeds=len(seeds), store=JobStore(folder))


def spec_of(*groups: str, **provenance: object) -> ClusterSpec:
    return ClusterSpec(clusters=tuple(map(tuple, groups)), provenance=provenance)


def test_trained_gains_stand_beside_predicted_ones(tmp_path: Path) -> None:
    spec = spec_of("ABC", "D", predicted={"A": 0.1, "B": 0.2, "C": 0.3, "D": 0.0})
    found = train_groups(a_study(tmp_path), groups_to_train(spec))
    assert [(row.task, row.predicted, pytest.approx(row.gain)) for row in found.rows] == [
        ("A", 0.1, -0.4),
        ("B", 0.2, 0.2),
        ("C", 0.3, 0.2),
        (None, pytest.approx(0.2), 0.0),
        ("D", 0.0, 0.0),
    ]
    assert {row.error for row in found.rows} == {None}
    assert found.lines() == [
        "mean over 4 task(s): predicted +15.00 %, trained +0.00 %; training alone is 0",
        "alone was better than its group for A (-40.00 %)",
        "One seed tells nothing of how sure trained gains are; add `seeds`.",
    ]


def test_groups_of_two_are_runs_of_pairwise(tmp_path: Path) -> None:
    study = a_study(tmp_path, (0, 1))
    gains = joint_training_gains(study)
    before = len(study.trainer.calls())
    spec = spec_of("AB", "CD")
    rows = train_groups(study, groups_to_train(spec)).rows
    assert len(study.trainer.calls()) == before
    by_task = {row.task: row for row in rows}
    for source, target in ("AB", "BA", "CD", "DC"):
        cell = NAMES.index(source), NAMES.index(target)
        assert by_task[target].gain == pytest.approx(gains.values[cell])
        assert gains.standard_errors is not None
        assert by_task[target].error == pytest.approx(gains.standard_errors[cell])
    train_groups(study, groups_to_train(spec_of("ABC", "D")))
    assert sorted(study.trainer.calls()[before:]) == ["ABC0", "ABC1"]


def test_overlapping_groups_are_trained_with_their_helpers(tmp_path: Path) -> None:
    spec = spec_of("BC", "AD", trained=["ABC", "AD"], predicted=dict.fromkeys(NAMES, 0.1))
    found = train_groups(a_study(tmp_path), groups_to_train(spec))
    rows = [(row.group, row.task, row.predicted, row.gain) for row in found.rows]
    assert rows[0] == (("A", "B", "C"), "A", None, pytest.approx(-0.4))  # it takes another group's
    assert rows[3] == (("A", "B", "C"), None, pytest.approx(0.1), pytest.approx(0.2))
    assert found.lines()[0].startswith("mean over 4 task(s): predicted +10.00 %, trained +7.50 %")


def test_what_other_methods_predict_is_the_mean_of_pairs(tmp_path: Path) -> None:
    values = np.arange(16.0).reshape(4, 4) / 100
    np.fill_diagonal(values, 0.0)
    told = {"metric": "gain", "normalise": "error"}
    matrix = RelevanceMatrix(values, NAMES, "joint-training", provenance=told)
    worth = group_worth(matrix, spec_of("ABC", "D"))
    assert worth is not None
    spec = worth.kept_in(spec_of("ABC", "D"))
    first, second = groups_to_train(spec)
    assert first.predicted["A"] == pytest.approx((values[1, 0] + values[2, 0]) / 2)
    assert second.predicted == {"D": 0.0}
    assert choice_of([spec], {}) == GainChoice("gain", "error")
    assert groups_to_train(spec_of("AB", "CD"))[0].predicted == {}
    chosen = PredictedGain().cluster(matrix, 2)
    assert {t for group in groups_to_train(chosen) for t in group.predicted} == set(NAMES)


def test_gains_are_those_that_were_predicted() -> None:
    losses = spec_of("AB", "CD", gains={"metric": "loss", "normalise": "relative"})
    assert choice_of([losses], {"metric": "loss"}) == GainChoice("loss")
    assert choice_of([spec_of("AB")], {"normalise": "absolute"}).normalise == "absolute"
    with pytest.raises(RelevanceError, match=r'are of `metric="loss"`, got `metric="gain"`\. Lea'):
        choice_of([losses], {"metric": "gain"})
    other = spec_of("AB", gains={"metric": "gain", "normalise": "error"})
    with pytest.raises(RelevanceError, match=r"gain error and loss relative\. Check"):
        choice_of([losses, other], {})


def test_a_failed_run_leaves_its_group_open_and_is_told(tmp_path: Path) -> None:
    found = train_groups(a_study(tmp_path, broken="ABC"), groups_to_train(spec_of("ABC", "D")))
    assert list(found.failed) == ["A & B & C, seed 0"]
    assert [row.gain for row in found.rows] == [None, None, None, None, 0.0]


def test_its_file_is_what_a_surrogate_learns_from(tmp_path: Path) -> None:
    specs = spec_of("ABC", "D"), spec_of("D", "ABC")  # of one run, which both of them tell
    groups = [group for n, spec in enumerate(specs) for group in groups_to_train(spec, str(n))]
    found = train_groups(a_study(tmp_path), groups)
    path = tmp_path / "groups.csv"
    path.write_text(table(found.table_rows(plain=True), "csv"))
    (group,) = read_measured_groups(path, NAMES)
    assert group.tasks == frozenset("ABC")
    assert group.gains == {
        "A": pytest.approx(-0.4),
        "B": pytest.approx(0.2),
        "C": pytest.approx(0.2),
    }


def test_several_specs_say_which_is_which(tmp_path: Path) -> None:
    groups = [
        *groups_to_train(spec_of("AB", "CD"), "one"),
        *groups_to_train(spec_of("ABCD"), "two"),
    ]
    found = train_groups(a_study(tmp_path), groups)
    rows = found.table_rows(plain=False)
    assert [row["clusters"] for row in rows] == ["one"] * 6 + ["two"] * 5
    assert rows[2]["task"] == "mean"
    assert [line[:4] for line in found.lines()[:2]] == ["one:", "one:"]
    assert json.dumps(rows[0], default=str)

"""Within a budget a study makes single runs first, then as many joint ones as were asked for."""

import contextlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from relevance.budget.rounds import Budget, BudgetedRounds
from relevance.errors import RelevanceError
from relevance.gains.gain_choice import PAPERS_CHOICE
from relevance.interfaces.trainer import Result
from relevance.jobs.job import Schedule
from relevance.measures.joint_training import JointTraining, joint_training_gains
from relevance.measures.measure import Inputs
from relevance.studies.rounds import Progressing
from relevance.studies.store import JobStore
from relevance.studies.study import Study, StudyInRounds
from toys import toy

NAMES = "ABCDEF"
TASKS = tuple(toy(name, metrics=("accuracy",)) for name in NAMES)
EFFECTS = np.random.default_rng(3).normal(size=(6, 6)) * 0.02 + np.linspace(-0.1, 0.1, 6)[:, None]


@dataclass(frozen=True)
class Planted:
    """Scores of a planted matrix with noise of each run; a run in `broken` fails."""

    log: Path
    fingerprint: str = "planted"
    broken: str = ""

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        del device
        with self.log.open("a") as file:
            file.write(json.dumps(["".join(tasks), seed]) + "\n")
        if "".join(tasks) == self.broken:
            raise ValueError("broken")
        random = np.random.default_rng([seed, *map(ord, "".join(tasks))])
        found = {}
        for task in tasks:
            gain = sum(EFFECTS[NAMES.index(s), NAMES.index(task)] for s in tasks if s != task)
            score = 0.5 + gain + 0.01 * random.normal()
            found[task] = Result({"accuracy": float(score)}, 1.0)
        return found

    def calls(self) -> list[tuple[str, int]]:
        return [tuple(json.loads(line)) for line in self.log.read_text().splitlines()]


def a_study(tmp_path: Path, trainer: Planted | None = None, seeds: tuple[int, ...] = (0,)) -> Study:
    trainer = trainer or Planted(tmp_path / "log")
    return Study.of(TASKS, trainer, seeds=seeds, store=JobStore(tmp_path / "cache"))


def rounds(text: str, aim: str = "gains") -> BudgetedRounds:
    return Budget.of(text, aim).rounds(PAPERS_CHOICE, 1)


def done(study: Study, chosen: BudgetedRounds, most: int = 10**6) -> list[str]:
    """Do a study's runs in this process, some of them at most; names of all asked for."""
    going = Progressing(study, chosen)
    while runs := going.advance():
        for run in runs:
            if run.name not in going.finished and most > 0:
                most -= 1
                with contextlib.suppress(ValueError):
                    run.do(study.store, "cpu")
        if most <= 0:
            break
    return list(going.asked)


@pytest.mark.parametrize("aim", ["gains", "sources", "groups"])
def test_singles_come_first_and_joint_runs_fill_the_budget(tmp_path: Path, aim: str) -> None:
    study = a_study(tmp_path)
    names = done(study, rounds("60%", aim))
    assert names[:18] == [run.name for run in study.single_runs()]
    joint = names[18:]
    assert len(joint) == 9 == len(set(joint))  # 60 % of 15 pairs
    # The first round meets every task, whatever the runs are for.
    assert set("".join(name[:5] for name in joint[:6])) >= set(NAMES)


def test_a_smaller_budget_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    small = done(a_study(tmp_path), rounds("40%"))
    large = done(a_study(tmp_path), rounds("12runs"))
    assert large[: len(small)] == small
    assert len(large) - len(small) == 6
    assert len(Planted(tmp_path / "log").calls()) == len(large)  # none twice


def test_a_stopped_study_goes_on_with_the_same_runs(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    whole = done(a_study(tmp_path / "one"), rounds("70%", "groups"))
    stopped = tmp_path / "other"
    for most in (7, 15, 3):
        done(a_study(stopped), rounds("70%", "groups"), most)
    assert done(a_study(stopped), rounds("70%", "groups")) == whole
    assert len(Planted(stopped / "log").calls()) == len(whole)


def test_a_budget_above_all_runs_asks_for_each_once(tmp_path: Path) -> None:
    study = a_study(tmp_path, seeds=(0, 1))
    names = done(study, rounds("500%"))
    assert sorted(names) == sorted(run.name for run in study.all_runs())


def test_a_failed_run_is_paid_for_and_not_asked_again(tmp_path: Path) -> None:
    trainer = Planted(tmp_path / "log", broken="AB")
    names = done(a_study(tmp_path, trainer), rounds("100%"))
    assert len(names) == len(set(names)) == 18 + 15


def test_hours_are_those_that_runs_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every single run takes an hour, so a pair should take two; it takes one and a half."""
    study = a_study(tmp_path)
    hours = [1.0] * 18 + [1.5] * 15
    clock = iter([second for h in hours for second in (0.0, 3600 * h)])
    time = SimpleNamespace(perf_counter=lambda: next(clock))
    monkeypatch.setattr("relevance.studies.runs.time", time)
    names = done(study, rounds("14h"))
    # 6 pairs by 12 of 14 expected hours; they took 9, so there is room for 3 more of 1.5 hours.
    assert len(names) - 18 == 9


def test_more_hours_begin_with_the_runs_of_fewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours end within a round, and pairs that are quicker than expected leave time for others."""
    clock = [0.0]

    class Timed(Planted):
        def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
            clock[0] += 3600.0 if len(tasks) == 1 else 3600 * (1.2 + ord(tasks[0]) % 3 / 10)
            return super().__call__(tasks, seed, device)

    time = SimpleNamespace(perf_counter=lambda: clock[0])
    monkeypatch.setattr("relevance.studies.runs.time", time)
    before: list[str] = []
    for hours in (1, 4, 7, 9, 12, 14, 17):
        study = a_study(tmp_path / str(hours), Timed(tmp_path / "log"))
        names = done(study, rounds(f"{hours}h", "sources"))
        assert names[: len(before)] == before
        plan = study.plan(rounds(f"{hours}h", "sources"))
        assert (len(plan.missing), plan.later) == (0, 0)  # what is left pays for no pair
        before = names
    assert len(before) > 18 + 6 + 3


def test_too_many_tasks_are_told_before_anything_is_run(tmp_path: Path) -> None:
    many = tuple(toy(f"T{n}", metrics=("accuracy",)) for n in range(201))
    study = Study.of(many, Planted(tmp_path / "log"), store=JobStore(tmp_path / "cache"))
    with pytest.raises(RelevanceError, match="at most 200 tasks, got 201"):
        study.plan(rounds("30%"))
    inputs = Inputs(trainer=lambda: pytest.fail("a trainer"), budget=Budget.of("30%"))
    with pytest.raises(RelevanceError, match="at most 200 tasks, got 201"):
        JointTraining.build(inputs).measure(many)  # whose data are nowhere


@pytest.mark.parametrize(("size", "share"), [(61, 20), (9, 130)])
def test_runs_of_many_tasks_are_spread_evenly_without_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, share: int
) -> None:
    """Each task as often as others after every round; no second seed of a pair before all once."""
    monkeypatch.setattr("relevance.budget.rounds.fit", lambda *_, **__: pytest.fail("a model"))
    if size < 61:
        monkeypatch.setattr("relevance.budget.rounds.MOST_MODELLED", size - 1)
    many = tuple(toy(f"T{n}", metrics=("accuracy",)) for n in range(size))
    store = JobStore(tmp_path / "cache")
    study = Study.of(many, Planted(tmp_path / "log"), seeds=(0, 1), store=store)
    going, asked = rounds(f"{share}%", "groups"), list(study.single_runs())
    singles, pairs = len(asked), size * (size - 1) // 2
    while runs := going.next(study, asked, {}):
        asked += runs
        met = Counter(task.name for run in asked[singles:] for task in run.tasks)
        assert len(met) == size
        assert max(met.values()) - min(met.values()) <= 2
    joint = asked[singles:]
    assert len({run.name for run in joint}) == len(joint) == round(share / 100 * pairs)
    assert [run.seed for run in joint] == [n // pairs for n in range(len(joint))]


def test_a_plan_counts_what_is_not_chosen_yet(tmp_path: Path) -> None:
    study = a_study(tmp_path)
    plan = study.plan(rounds("60%"))
    assert (len(plan.missing), len(plan.cached), plan.later) == (18, 0, 9)
    done(study, rounds("60%"), 20)
    plan = study.plan(rounds("60%"))
    assert (len(plan.missing), len(plan.cached), plan.later) == (4, 20, 3)
    assert plan.seconds_on(1) is not None


@pytest.mark.process
def test_a_matrix_of_some_runs(tmp_path: Path) -> None:
    """Two workers; cells without runs are unknown, both directions of a run are there."""
    study = a_study(tmp_path, seeds=(0, 1))
    told = []
    matrix = joint_training_gains(
        StudyInRounds(study, rounds("120%")),
        schedule=Schedule(("cpu",), jobs_per_device=2, threads=1),
        on_event=told.append,
    )
    count = np.isfinite(matrix.per_seed).sum(axis=0)
    assert (count == count.T).all()
    assert np.triu(count, 1).sum() == 18
    assert ((count == 0) == np.isnan(matrix.values)).all()
    assert ((count < 2) == np.isnan(matrix.standard_errors)).all()
    off = ~np.eye(6, dtype=bool)
    fewer = int((count[off] == 1).sum())
    assert (
        f"{fewer} of 30 gains have fewer than the 2 seeds of others."
        in (matrix.provenance["warnings"])
    )
    assert told[-1].done == told[-1].total == told[0].total == 36 + 18
    again = joint_training_gains(StudyInRounds(study, rounds("120%")))
    assert np.array_equal(again.values, matrix.values, equal_nan=True)
    assert len(Planted(tmp_path / "log").calls()) == 36 + 18

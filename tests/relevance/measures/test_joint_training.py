"""The measure as a whole: planted gains come out, and no kill, failure or new task costs a run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from sklearn.metrics import f1_score

from relevance.errors import RelevanceError
from relevance.gains.gain_choice import GainChoice
from relevance.interfaces.trainer import Result
from relevance.jobs.job import Event, Job, Schedule
from relevance.matrices.matrix import RelevanceMatrix, load_matrix
from relevance.measures.joint_training import JointTraining, joint_training_gains
from relevance.measures.measure import Inputs
from relevance.studies.store import JobStore
from relevance.studies.study import Study
from relevance.tasks.data import DataOptions
from relevance.tasks.find import find_tasks
from relevance.tasks.task import Task
from toys import toy

NAMES = ("A", "B", "C")
F_SINGLE = {"A": 0.5, "B": 0.8, "C": 0.25}
GAINS = np.array([[0.0, 0.05, -0.2], [0.1, 0.0, 0.4], [-0.3, 0.15, 0.0]])


@pytest.fixture(autouse=True, scope="module")
def _classes_here_travel_to_workers() -> Iterator[None]:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def a_task(name: str) -> Task:
    return toy(name, metrics=("accuracy", "f1"))


TASKS = tuple(a_task(name) for name in NAMES)


@dataclass(frozen=True)
class TableTrainer:
    """Scores as a planted table of gains says; writes down every call."""

    log: Path
    fingerprint: str = "table-1"
    names: tuple[str, ...] = NAMES
    broken: dict[str, str] = field(default_factory=dict)

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        with self.log.open("a") as file:
            file.write(json.dumps([*tasks, seed]) + "\n")
        what = self.broken.get("+".join(tasks))
        if what == "raise":
            raise ValueError("out of memory")
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return {
            target: self._result(target, [task for task in tasks if task != target], what)
            for target in tasks
            if what != "leave out"
        }

    def _result(self, target: str, sources: Sequence[str], what: str | None) -> Result:
        gain = sum(GAINS[NAMES.index(source), NAMES.index(target)] for source in sources)
        f = F_SINGLE[target] * (1 + gain)
        loss = float("nan") if what == "nan" else 2.0 * (1 - gain)
        return Result({"accuracy": f + 0.01, "f1": f - 0.01}, loss, [1.0, 0.0])

    def calls(self) -> list[str]:
        if not self.log.exists():
            return []
        lines = map(json.loads, self.log.read_text().splitlines())
        return [f"{' & '.join(tasks)}, seed {seed}" for *tasks, seed in lines]


@pytest.fixture
def trainer(tmp_path: Path) -> TableTrainer:
    return TableTrainer(tmp_path / "calls")


@pytest.fixture
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No workers, for tests of what is run rather than where."""

    def run(
        jobs: Sequence[Job], schedule: Schedule, *rest: object, **more: object
    ) -> dict[str, str]:
        for job in jobs:
            job.call(schedule.slots[0])
        return {}

    monkeypatch.setattr("relevance.studies.study.run_jobs", run)


without_workers = pytest.mark.usefixtures("_in_process")

SINGLE = [f"{name}, seed {seed}" for seed in (0, 1000, 2000) for name in NAMES]
JOINT = ["A & B, seed 0", "A & C, seed 0", "B & C, seed 0"]


@pytest.mark.process
@pytest.mark.parametrize(
    "schedule", [Schedule(), Schedule(jobs_per_device=2), Schedule(("cuda:0", "cuda:1", "cuda:2"))]
)
def test_planted_gains_come_out(trainer: TableTrainer, schedule: Schedule) -> None:
    matrix = joint_training_gains(Study.of(TASKS, trainer), schedule=schedule)
    np.testing.assert_allclose(matrix.values, GAINS, atol=1e-12)
    assert matrix.tasks == NAMES
    assert matrix.seeds == (0,)
    assert sorted(trainer.calls()) == sorted(SINGLE + JOINT)
    assert matrix.provenance["failed"] == {}
    assert matrix.provenance["warnings"] == []
    assert matrix.provenance["devices"] == [schedule.devices[0].partition(":")[0]]
    assert matrix.cost["seconds"] > 0
    assert matrix.cost["wall_seconds"] > 0


@without_workers
def test_metric_and_loss_are_both_kept(trainer: TableTrainer, tmp_path: Path) -> None:
    matrix = joint_training_gains(Study.of(TASKS, trainer), GainChoice("loss"))
    np.testing.assert_allclose(matrix.values, GAINS, atol=1e-12)
    matrix.save(tmp_path / "gains.json")
    matrix = load_matrix(tmp_path / "gains.json")
    assert matrix.single is not None
    assert matrix.joint is not None
    f = [list(F_SINGLE.values())] * 3
    np.testing.assert_allclose(matrix.single["gain"], f)
    np.testing.assert_allclose(matrix.single["primary"], np.array(f) + 0.01)
    np.testing.assert_allclose(matrix.single["loss"], 2.0)
    assert matrix.joint["primary"][0][0][1] == pytest.approx(0.8 * 1.05 + 0.01)
    assert matrix.joint["loss"][0][2][2] is None


@pytest.mark.process
def test_the_second_time_nothing_runs(trainer: TableTrainer) -> None:
    first = joint_training_gains(Study.of(TASKS, trainer))
    events: list[Event] = []
    second = joint_training_gains(Study.of(TASKS, trainer), on_event=events.append)
    assert len(trainer.calls()) == 12
    assert replace(second, cost={}) == replace(first, cost={})
    assert [event.kind for event in events] == ["begun"] + 12 * ["cached"]
    assert {(event.done, event.cached, event.total) for event in events} == {(12, 12, 12)}


@without_workers
def test_a_new_task_runs_only_its_own_jobs_whatever_the_order(trainer: TableTrainer) -> None:
    joint_training_gains(Study.of(TASKS[:2], trainer))
    before = trainer.calls()
    matrix = joint_training_gains(Study.of([TASKS[2], TASKS[0], TASKS[1]], trainer))
    new = trainer.calls()[len(before) :]
    own = [f"C, seed {seed}" for seed in (0, 1000, 2000)]
    assert sorted(new) == sorted([*own, "A & C, seed 0", "B & C, seed 0"])
    np.testing.assert_allclose(matrix.values, GAINS[np.ix_([2, 0, 1], [2, 0, 1])], atol=1e-12)


@without_workers
def test_a_new_seed_runs_only_its_own_jobs(trainer: TableTrainer) -> None:
    joint_training_gains(Study.of(TASKS[:2], trainer))
    before = trainer.calls()
    matrix = joint_training_gains(Study.of(TASKS[:2], trainer, seeds=(0, 1)))
    own = [f"{name}, seed {seed}" for seed in (1, 1001, 2001) for name in "AB"]
    assert sorted(trainer.calls()[len(before) :]) == sorted([*own, "A & B, seed 1"])
    assert matrix.per_seed is not None
    np.testing.assert_allclose(matrix.per_seed, [GAINS[:2, :2]] * 2, atol=1e-12)
    np.testing.assert_allclose(matrix.standard_errors, 0, atol=1e-12)


@without_workers
@pytest.mark.parametrize("change", ["trainer", "data", "definition"])
def test_what_could_change_results_runs_anew(trainer: TableTrainer, change: str) -> None:
    tasks, data = list(TASKS[:2]), {"A": "1", "B": "1"}
    joint_training_gains(Study.of(tasks, trainer, data=data))
    before = len(trainer.calls())
    changed = trainer
    if change == "trainer":
        changed = replace(trainer, fingerprint="table-2")
    elif change == "data":
        data["B"] = "2"
    else:
        tasks[1] = tasks[1].model_copy(update={"metrics": ("f1", "accuracy")})
    joint_training_gains(Study.of(tasks, changed, data=data))
    assert len(trainer.calls()) - before == {"trainer": 7, "data": 4, "definition": 4}[change]


@without_workers
def test_what_could_not_change_results_runs_nothing(trainer: TableTrainer) -> None:
    joint_training_gains(Study.of(TASKS[:2], trainer))
    other = [task.model_copy(update={"family": "other", "licence": "MIT"}) for task in TASKS[:2]]
    study = Study.of(other, trainer, costs={"A": 3.0})
    joint_training_gains(study, schedule=Schedule(("cuda:0",), threads=1))
    assert len(trainer.calls()) == 7


@pytest.mark.process
def test_long_runs_start_first(trainer: TableTrainer) -> None:
    joint_training_gains(
        Study.of(TASKS, trainer, single_seeds=1, costs={"A": 1.0, "B": 10.0, "C": 5.0})
    )
    assert trainer.calls() == [
        "B & C, seed 0",
        "A & B, seed 0",
        "B, seed 0",
        "A & C, seed 0",
        "C, seed 0",
        "A, seed 0",
    ]


@without_workers
def test_a_cut_result_is_not_believed(trainer: TableTrainer) -> None:
    store = JobStore(trainer.log.parent / "store")
    first = joint_training_gains(Study.of(TASKS, trainer, store=store))
    for path in store.root.rglob("result.json"):
        path.write_bytes(path.read_bytes()[:-20])
    again = joint_training_gains(Study.of(TASKS, trainer, store=store))
    assert len(trainer.calls()) == 24
    np.testing.assert_array_equal(again.values, first.values)


@pytest.mark.process
@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("raise", "ValueError: out of memory"),
        ("kill", "its worker was killed twice"),
        ("nan", "The held-out loss of task 'A' came out as nan."),
        ("leave out", "The trainer gave no result for task 'A'."),
    ],
)
def test_a_failed_run_is_recorded_and_retried_next_time(
    trainer: TableTrainer, what: str, error: str
) -> None:
    bad = replace(trainer, broken={"A+B": what})
    matrix = joint_training_gains(Study.of(TASKS, bad))
    assert matrix.provenance["failed"] == {"A & B, seed 0": error}
    unknown = np.zeros((3, 3), dtype=bool)
    unknown[0, 1] = unknown[1, 0] = True
    np.testing.assert_array_equal(np.isnan(matrix.values), unknown)
    np.testing.assert_allclose(matrix.values[~unknown], GAINS[~unknown], atol=1e-12)
    before = len(trainer.calls())
    whole = joint_training_gains(Study.of(TASKS, trainer))
    assert trainer.calls()[before:] == ["A & B, seed 0"]
    np.testing.assert_allclose(whole.values, GAINS, atol=1e-12)


SCRIPT = """
import os, sys, time
from pathlib import Path
from relevance.measures.joint_training import joint_training_gains
from relevance.studies.study import Study
from relevance.jobs.job import Schedule
from relevance.tasks.task import Task
from relevance.interfaces.trainer import Result

def log(file, *words):
    with open(Path(__file__).with_name(file), "a") as lines:
        print(*words, file=lines)

class Trainer:
    fingerprint = "slow"

    def __call__(self, tasks, seed, device):
        log("calls", *tasks, seed)
        time.sleep(0.2)
        log("ends", *tasks, seed)
        scores = {task: (ord(task) + seed + len(tasks)) % 7 / 10 + 0.1 for task in tasks}
        return {task: Result({"accuracy": f}, 1 - f) for task, f in scores.items()}

def task(name):
    return Task(name=name, family="f", kind="classification", text=["s"], labels=["n", "p"],
                metrics=["accuracy"])

if __name__ == "__main__":
    tasks = [task(name) for name in "ABC"]
    schedule = Schedule(jobs_per_device=2)
    joint_training_gains(Study.of(tasks, Trainer()), schedule=schedule).save(Path(sys.argv[1]))
"""


@dataclass(frozen=True)
class Script:
    """The same study as a process of its own, as often as it is started."""

    folder: Path

    def start(self, out: str, cache: str = "cache") -> "subprocess.Popen[bytes]":
        script = self.folder / "study.py"
        script.write_text(SCRIPT)
        environment = {**os.environ, "RELEVANCE_CACHE": str(self.folder / cache)}
        return subprocess.Popen([sys.executable, script, self.folder / out], env=environment)

    def lines(self, file: str) -> list[str]:
        path = self.folder / file
        return path.read_text().splitlines() if path.exists() else []

    def matrix(self, name: str) -> RelevanceMatrix:
        return replace(load_matrix(self.folder / name), cost={})


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


@pytest.mark.heavy
def test_a_study_killed_in_the_middle_runs_only_what_is_missing(script: Script) -> None:
    killed = script.start("gains.json")
    until = time.monotonic() + 60
    while len(script.lines("ends")) < 4:
        assert time.monotonic() < until
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    time.sleep(1)  # its workers follow within half a second
    finished = len(list(script.folder.rglob("result.json")))
    assert 3 <= finished < 12
    before = len(script.lines("calls"))

    assert script.start("gains.json").wait() == 0
    assert len(script.lines("calls")) - before == 12 - finished
    assert script.start("unbroken.json", cache="other").wait() == 0
    assert script.matrix("gains.json") == script.matrix("unbroken.json")


@pytest.mark.process
def test_two_studies_at_once_on_one_cache_do_no_harm(script: Script) -> None:
    both = [script.start(out) for out in ("one.json", "two.json")]
    assert [study.wait() for study in both] == [0, 0]
    assert script.matrix("one.json") == script.matrix("two.json")
    assert not np.isnan(script.matrix("one.json").values).any()
    assert len(script.lines("calls")) == 12


@pytest.mark.process
def test_a_traceback_is_kept(trainer: TableTrainer) -> None:
    store = JobStore(trainer.log.with_name("store"))
    joint_training_gains(Study.of(TASKS[:1], replace(trainer, broken={"A": "raise"}), store=store))
    tracebacks = [path.read_text() for path in store.root.rglob("error.txt")]
    assert len(tracebacks) == 3
    assert all('raise ValueError("out of memory")' in text for text in tracebacks)


@without_workers
def test_one_task_has_nothing_to_gain(trainer: TableTrainer) -> None:
    matrix = joint_training_gains(Study.of(TASKS[:1], trainer, single_seeds=1))
    assert matrix.values.tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": (0, 0)}, "Seeds must be given and all different, got 0, 0."),
        ({"seeds": ()}, "Seeds must be given and all different, got none."),
        (
            {"seeds": (0, 1), "single_seeds": 1},
            (
                "`single_seeds=1` is below the 2 seeds of joint runs: each joint run is paired with"
                " the single runs of its seed."
            ),
        ),
    ],
)
def test_bad_input(trainer: TableTrainer, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(RelevanceError) as error:
        joint_training_gains(Study.of(TASKS, trainer, **arguments))  # type: ignore[arg-type]
    assert str(error.value) == message
    assert trainer.calls() == []


def test_an_unwritable_cache_is_known_before_any_training(trainer: TableTrainer) -> None:
    file = trainer.log.with_name("file")
    file.write_text("")
    with pytest.raises(RelevanceError, match=r"inputs\.json cannot be written: Not a directory\."):
        joint_training_gains(Study.of(TASKS, trainer, store=JobStore(file)))
    assert trainer.calls() == []


# The measure on files


@pytest.fixture
def inputs(trainer: TableTrainer, tmp_path: Path) -> Inputs:
    for name in NAMES:
        folder = tmp_path / "data" / name.lower()
        folder.mkdir(parents=True)
        for split in ("train", "dev"):
            rows = [f"{name} {split} {i},{int(i % 5 == 0)}" for i in range(40)]
            rows[0] = "the same,1"
            (folder / f"{split}.csv").write_text("\n".join(["sentence,label", *rows]) + "\n")
    return Inputs(data=DataOptions(tmp_path / "data"), trainer=lambda: trainer)


def measure(inputs: Inputs) -> RelevanceMatrix:
    return JointTraining.build(inputs).measure(TASKS)


@without_workers
def test_the_measure_loads_what_it_needs(inputs: Inputs, trainer: TableTrainer) -> None:
    matrix = measure(replace(inputs, gain_split="dev"))
    np.testing.assert_allclose(matrix.values, GAINS, atol=1e-12)
    assert matrix.majority is not None
    assert matrix.majority["primary"] == pytest.approx([0.8] * 3)
    assert matrix.majority["gain"] == pytest.approx([0.4] * 3)
    assert matrix.provenance["shared_texts"]["A"] == {"B": 1, "C": 1}
    assert "A trains on 1 of the texts that B is scored on; " in matrix.provenance["warnings"][-1]
    dropped = measure(replace(inputs, gain_split="dev", drop_overlap=True))
    assert dropped.provenance["warnings"] == []
    assert matrix.provenance["gain_split"] == "dev"
    measure(replace(inputs, gain_split="dev"))
    assert len(trainer.calls()) == 12


@without_workers
def test_what_the_trainer_cannot_learn_is_told(inputs: Inputs, trainer: TableTrainer) -> None:
    def unlearned(tasks: tuple[str, ...]) -> dict[str, str]:
        return {"B": f"{len(tasks)} tasks, and B teaches nothing."}

    object.__setattr__(trainer, "unlearned", unlearned)
    warnings = measure(replace(inputs, gain_split="dev")).provenance["warnings"]
    assert warnings[-1] == "3 tasks, and B teaches nothing."


@dataclass(frozen=True)
class CoinTrainer:
    """Right on a share of the 40 rows that a planted gain raises, on others in each run."""

    fingerprint: str = "coin"

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        labels = np.array([int(i % 5 == 0) for i in range(40)])
        labels[0] = 1
        results = {}
        for target in tasks:
            gain = sum(GAINS[NAMES.index(task), NAMES.index(target)] for task in tasks)
            random = np.random.default_rng([seed, *map(ord, "".join(tasks))])
            wrong = random.random(40) > 0.7 * (1 + gain)
            predictions = np.where(wrong, 1 - labels, labels)
            metrics = {
                "accuracy": float(1 - wrong.mean()),
                "f1": float(f1_score(labels, predictions)),
            }
            losses = np.where(wrong, 1.2, 0.3)
            results[target] = Result(
                metrics, float(losses.mean()), (predictions * 1.0).tolist(), losses.tolist()
            )
        return results


@without_workers
@pytest.mark.parametrize("metric", ["gain", "loss"])
def test_one_seed_has_noise_over_examples_and_several_have_that_of_seeds(
    inputs: Inputs, metric: str
) -> None:
    coin = replace(inputs, trainer=CoinTrainer, gain_split="dev", metric=metric)
    one = measure(coin)
    assert one.provenance["noise"] == "examples"
    assert "they hold evaluation noise only" in one.provenance["warnings"][0]
    assert one.standard_errors is not None
    off = ~np.eye(3, dtype=bool)
    assert (one.standard_errors[off] > 0.02).all()
    assert (one.standard_errors[off] < 0.6).all()
    assert one.single is not None
    assert one.joint is not None
    assert not np.any(one.single["constant"])
    np.testing.assert_array_equal(np.isnan(one.joint["constant"][0]), ~off)
    single = measure(replace(coin, single_seeds=1)).provenance["baseline_noise"]
    assert single.keys() == {"gain", "primary", "loss"}
    assert 0.02 < single[metric]["A"] < 0.2
    again = measure(coin)
    np.testing.assert_array_equal(again.standard_errors, one.standard_errors)
    several = measure(replace(coin, seeds=(0, 1)))
    assert several.provenance["noise"] == "seeds"
    (shared,) = several.provenance["warnings"]
    assert "`drop_overlap=True` leaves these training rows out" in shared
    assert several.reliability is not None
    assert several.reliability[metric]["within_target"]["between_seeds"] is not None


@without_workers
def test_another_hold_out_runs_anew(inputs: Inputs, trainer: TableTrainer) -> None:
    measure(inputs)
    measure(replace(inputs, gain_split="dev"))
    measure(replace(inputs, data=replace(inputs.data, max_train=20)))
    assert len(trainer.calls()) == 36


@without_workers
def test_a_plan_runs_nothing(inputs: Inputs, trainer: TableTrainer) -> None:
    joint = JointTraining.build(inputs)
    plan = joint.plan(TASKS)
    assert (len(plan.missing), plan.cached, plan.durations, plan.disk_bytes) == (12, (), None, None)
    assert plan.missing[0] == "A & B, seed 0"
    joint.measure(TASKS[:2])
    plan = joint.plan(TASKS)
    assert (len(plan.missing), len(plan.cached)) == (5, 7)
    assert plan.durations is not None
    assert sum(plan.durations) > 0
    assert plan.seconds_on(1) == pytest.approx(sum(plan.durations))
    assert plan.memory_bytes is not None
    assert plan.memory_bytes > 2**20
    assert plan.disk_bytes is not None
    assert 1000 < plan.disk_bytes < 10000
    assert len(trainer.calls()) == 7


def test_without_a_trainer() -> None:
    with pytest.raises(RelevanceError) as error:
        JointTraining.build(Inputs())
    assert str(error.value) == (
        "Measure 'joint-training' needs a trainer. `relevance pairwise` brings one; from Python,"
        " hand one in as measure(..., trainer=...)."
    )


@without_workers
def test_on_real_data(data_dir: Path) -> None:
    real = find_tasks(["RTE", "CB"])

    @dataclass(frozen=True)
    class Constant:
        fingerprint: str = "constant"

        def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
            metrics = {"accuracy": 0.5, "macro_f1": 0.4}
            return {task: Result(metrics, 1.0) for task in tasks}

    matrix = JointTraining.build(Inputs(data=DataOptions(data_dir), trainer=Constant)).measure(real)
    assert matrix.values.tolist() == [[0, 0], [0, 0]]
    assert matrix.majority is not None
    assert matrix.majority["primary"][0] == pytest.approx(0.5, abs=0.01)

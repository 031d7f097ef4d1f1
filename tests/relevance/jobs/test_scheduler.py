"""Jobs run longest first, one per worker, and none takes another one down with it."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cloudpickle
import pytest

from relevance.errors import RelevanceError
from relevance.jobs.job import Event, Job, Schedule
from relevance.jobs.scheduler import run_jobs

TWO = Schedule(devices=("cuda:0", "cuda:1"))
pytestmark = pytest.mark.process


@pytest.fixture(autouse=True, scope="module")
def _functions_here_travel_to_workers() -> Iterator[None]:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@dataclass(frozen=True)
class Log:
    """One line per start and end of a job, from whichever process."""

    path: Path

    def add(self, *words: object) -> None:
        with self.path.open("a") as file:
            file.write(" ".join(map(str, words)) + "\n")

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.path.read_text().splitlines()]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


def work(log: Log, name: str, seconds: float, device: str) -> None:
    threads, waiting = os.environ["OMP_NUM_THREADS"], os.environ["OMP_WAIT_POLICY"]
    log.add("start", name, device, os.getpid(), threads, waiting)
    time.sleep(seconds)
    log.add("end", name, device)


def job(log: Log, name: str, cost: float = 1.0, seconds: float = 0.0) -> Job:
    return Job(name, partial(work, log, name, seconds), cost)


def fail(error: Exception, device: str) -> None:
    raise error


def kill_once(log: Log, device: str) -> None:
    killed_before = log.path.exists() and ["killed"] in log.lines()
    log.add("killed")
    if not killed_before:
        os.kill(os.getpid(), signal.SIGKILL)


def kill_always(device: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_job_runs_once_longest_first(log: Log) -> None:
    jobs = [
        job(log, name, cost) for name, cost in [("b", 2.0), ("c", 1.0), ("a", 3.0), ("also-a", 3.0)]
    ]
    assert run_jobs(jobs, Schedule()) == {}
    started = [line for line in log.lines() if line[0] == "start"]
    assert [line[1] for line in started] == ["a", "also-a", "b", "c"]
    assert len({line[3] for line in started}) == 1, "one worker is used again"


def test_a_schedule_without_a_worker() -> None:
    with pytest.raises(RelevanceError) as error:
        Schedule(jobs_per_device=0)
    assert str(error.value) == (
        "A schedule needs at least one device, one job on each and one thread for it, got 1, 0 and"
        " None."
    )


def test_no_jobs() -> None:
    assert run_jobs([], Schedule()) == {}


def test_one_job_at_a_time_on_every_device(log: Log) -> None:
    assert run_jobs([job(log, str(i), seconds=0.05) for i in range(12)], TWO) == {}
    busy: dict[str, str] = {}
    most = 0
    for kind, name, device, *_ in log.lines():
        if kind == "start":
            assert device not in busy
            busy[device] = name
            most = max(most, len(busy))
        else:
            assert busy.pop(device) == name
    assert most == 2


@pytest.mark.parametrize(("threads", "given", "got"), [(None, "", 4), (3, "1", 3), (None, "2", 2)])
def test_threads_are_shared_out(
    log: Log, monkeypatch: pytest.MonkeyPatch, threads: int | None, given: str, got: int
) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    schedule = Schedule(("cpu",), jobs_per_device=2, threads=threads)
    run_jobs([job(log, str(i), seconds=0.2) for i in range(2)], schedule)
    assert {line[4] for line in log.lines() if line[0] == "start"} == {str(got)}


@pytest.mark.parametrize(("given", "got"), [(None, "passive"), ("active", "active")])
def test_threads_wait_asleep_unless_the_user_wants_otherwise(
    log: Log, monkeypatch: pytest.MonkeyPatch, given: str | None, got: str
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if given:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    run_jobs([job(log, "one")], Schedule())
    assert log.lines()[0][5] == got


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("loss is\nnan"), "ValueError: loss is nan"),
        (RelevanceError("rte: no such file."), "rte: no such file."),
    ],
)
def test_an_error_is_recorded_and_the_others_go_on(log: Log, error: Exception, line: str) -> None:
    jobs = [Job("bad", partial(fail, error), 9.0), job(log, "good")]
    assert run_jobs(jobs, Schedule()) == {"bad": line}
    assert ["end", "good", "cpu"] in log.lines()


def test_a_call_that_cannot_travel_is_recorded(log: Log) -> None:
    lock = threading.Lock()
    jobs = [Job("bad", lambda device: print(lock, device), 9.0), job(log, "good")]
    errors = run_jobs(jobs, Schedule())
    assert list(errors) == ["bad"]
    assert "ickle" in errors["bad"]


def test_a_killed_worker_is_retried_alone_and_its_neighbour_goes_on(log: Log) -> None:
    events: list[Event] = []
    jobs = [
        Job("victim", partial(kill_once, Log(log.path.with_name("kills"))), 9.0),
        job(log, "neighbour", 8.0, seconds=1.5),
        job(log, "later", 1.0),
    ]
    assert run_jobs(jobs, TWO, events.append) == {}
    assert sum(line[:2] == ["start", "neighbour"] for line in log.lines()) == 1
    told = [(event.kind, event.job) for event in events]
    assert [kind for kind, name in told if name == "victim"] == [
        "started",
        "retried",
        "started",
        "done",
    ]
    assert told[-2:] == [("started", "victim"), ("done", "victim")]
    assert events[-2].running == 1


def test_a_job_that_kills_its_worker_twice_is_recorded(log: Log) -> None:
    jobs = [Job("bad", kill_always, 9.0), job(log, "good")]
    assert run_jobs(jobs, Schedule()) == {"bad": "its worker was killed twice"}
    assert ["end", "good", "cpu"] in log.lines()


def test_progress_counts_and_estimates(log: Log) -> None:
    events: list[Event] = []
    jobs = [
        job(log, "long", 2.0, 0.2),
        job(log, "short", 1.0, 0.1),
        Job("bad", partial(fail, KeyError("x")), 0.0),
    ]
    run_jobs(jobs, Schedule(), events.append, cached=[(job(log, "old", 4.0), 40.0)])
    assert [(event.kind, event.done, event.running, event.failed) for event in events] == [
        ("begun", 1, 0, 0),
        ("cached", 1, 0, 0),
        ("started", 1, 1, 0),
        ("done", 2, 0, 0),
        ("started", 2, 1, 0),
        ("done", 3, 0, 0),
        ("started", 3, 1, 0),
        ("failed", 3, 0, 1),
    ]
    assert {(event.total, event.cached, event.workers) for event in events} == {(4, 1, 1)}
    assert events[0].left_s == pytest.approx(30.0)
    assert events[-1].left_s == 0
    assert events[-1].error == "KeyError: 'x'"


def test_no_estimate_before_the_first_duration(log: Log) -> None:
    events: list[Event] = []
    run_jobs([job(log, "a"), job(log, "b")], Schedule(), events.append)
    assert [event.left_s is None for event in events] == [True, True, False, False, False]


def _wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_the_process_that_started_them(
    tmp_path: Path, sent: signal.Signals
) -> None:
    script = tmp_path / "study.py"
    script.write_text(
        textwrap.dedent(f"""
        import os, time
        from relevance.jobs.scheduler import run_jobs
        from relevance.jobs.job import Job, Schedule

        def sleep(device):
            with open({str(tmp_path / "pid")!r}, "w") as file:
                file.write(str(os.getpid()))
            time.sleep(60)

        if __name__ == "__main__":
            run_jobs([Job("sleep", sleep, 1.0)], Schedule())
        """)
    )
    study = subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, text=True)
    try:
        pid = tmp_path / "pid"
        _wait_until(lambda: pid.exists() and pid.read_text() != "")
        study.send_signal(sent)
        _, errors = study.communicate(timeout=120)
        _wait_until(lambda: not _alive(int(pid.read_text())))
    finally:
        study.kill()
    if sent == signal.SIGINT:
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert errors.count("Traceback") == 1

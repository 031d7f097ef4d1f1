"""What holds for every engine: each with real workers, one of which is killed in the middle."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import cloudpickle
import psutil
import pytest

from relevance.errors import RelevanceError
from relevance.jobs.attempts import HeldElsewhereError
from relevance.jobs.engines.engine import engines
from relevance.jobs.job import Event, Job, Schedule
from relevance.jobs.scheduler import run_jobs

PACKAGES = {"dask": "distributed", "ray": "ray"}
pytestmark = [
    pytest.mark.process,
    # Sockets and processes that Dask and Ray leave to the garbage collector when they shut down.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Tip. In future versions of Ray:FutureWarning"),
]


def needs(engine: str) -> None:
    package = PACKAGES.get(engine)
    if package is not None and find_spec(package) is None:
        pytest.skip(f'{package} is not installed: pip install -e ".[{engine}]"')


@pytest.fixture(autouse=True, scope="module")
def _functions_here_travel_to_workers() -> Iterator[None]:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def work(folder: Path, name: str, device: str) -> None:
    where = os.environ["RELEVANCE_CACHE"], str(Path.cwd())
    with (folder / "log").open("a") as log:
        print(name, device, os.environ["OMP_NUM_THREADS"], os.getpid(), *where, file=log)
    time.sleep(0.1)


def fail(device: str) -> None:
    raise ValueError("loss is\nnan")


def die_once(folder: Path, device: str) -> None:
    work(folder, "victim", device)
    if not (folder / "died").exists():
        (folder / "died").touch()
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)


def hold_once(folder: Path, device: str) -> None:
    if not (folder / "held").exists():
        (folder / "held").touch()
        raise HeldElsewhereError
    work(folder, "held", device)


def the_jobs(folder: Path) -> list[Job]:
    good = [Job(name, partial(work, folder, name), 1.0) for name in ("a", "b", "c")]
    return [
        *good,
        Job("bad", fail, 4.0),
        Job("stuck", partial(print, threading.Lock()), 3.5),
        Job("victim", partial(die_once, folder), 3.0),
        Job("held", partial(hold_once, folder), 2.0),
    ]


def listening() -> set[str]:
    """The addresses that this process and those it started listen at, as they are right now."""
    addresses = set()
    process = psutil.Process()
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):  # it may end meanwhile
            connections = each.net_connections("inet")
            addresses |= {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}
    return addresses


def check(folder: Path, schedule: Schedule) -> None:
    """Everything is done once, the killed job twice, and those that failed are known."""
    events: list[Event] = []
    addresses: set[str] = set()

    def on_event(event: Event) -> None:
        events.append(event)
        if event.kind == "done":
            addresses.update(listening())

    errors = run_jobs(the_jobs(folder), schedule, on_event)
    if schedule.address is None:  # no other machine reaches what was started here
        assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
        assert bool(addresses) == (schedule.engine != "local")
    assert "pickle" in errors.pop("stuck")
    assert errors == {"bad": "ValueError: loss is nan"}
    lines = [line.split() for line in (folder / "log").read_text().splitlines()]
    times = Counter(name for name, *_ in lines)
    assert times.pop("victim") == 2
    assert set(times) == {"a", "b", "c", "held"}
    # A Dask worker that dies may hold results nobody has fetched; a study finds them in its store.
    assert set(times.values()) == {1} or schedule.engine == "dask"
    assert {device for _, device, *_ in lines} == {"cpu"}
    assert {threads for _, _, threads, *_ in lines} == {"1"}
    assert {cache for *_, cache, _ in lines} == {os.environ["RELEVANCE_CACHE"]}
    assert {cwd for *_, cwd in lines} == {str(Path.cwd())}
    for name in times:
        kinds = [event.kind for event in events if event.job == name]
        assert (kinds[0], kinds[-1], kinds.count("done")) == ("started", "done", 1)
    victim = [event.kind for event in events if event.job == "victim"]
    assert victim == ["started", "retried", "started", "done"]
    last = events[-1]
    assert (last.done, last.cached, last.running, last.failed, last.total) == (5, 0, 0, 2, 7)
    assert last.left_s == 0


@pytest.mark.heavy
@pytest.mark.parametrize("engine", engines.names())
def test_two_workers_on_this_machine(engine: str, tmp_path: Path) -> None:
    needs(engine)
    check(tmp_path, Schedule(jobs_per_device=2, threads=1, engine=engine))


@pytest.mark.heavy
def test_a_dask_cluster_that_is_there(tmp_path: Path) -> None:
    needs("dask")
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        check(tmp_path, Schedule(engine="dask", address=address, all_workers=True))
        assert len(cluster.workers) == 2, "a cluster that was there stays there"


@pytest.fixture
def ray_head() -> Iterator[str]:
    """Address of a Ray cluster of this test's own; whatever else runs here is left alone."""
    needs("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    where = ["--node-ip-address=127.0.0.1", f"--port={port}"]
    head = subprocess.Popen(
        [*start, *where, "--num-cpus=2", "--include-dashboard=false"],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert head.stdout is not None
    try:
        assert any("Ray runtime started" in line for line in head.stdout)
        yield f"127.0.0.1:{port}"
    finally:
        head.terminate()
        head.communicate(timeout=60)


@pytest.mark.heavy
def test_a_ray_cluster_that_is_there(ray_head: str, tmp_path: Path) -> None:
    jobs = [Job(name, partial(work, tmp_path, name), 1.0) for name in ("a", "b")]
    assert run_jobs(jobs, Schedule(engine="ray", address=ray_head, all_workers=True)) == {}
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert sorted(name for name, *_ in lines) == ["a", "b"]


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_without_the_package(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES[engine], None)
    with pytest.raises(RelevanceError) as error:
        engines.find(engine).start(Schedule(engine=engine))
    assert str(error.value) == f'`engine="{engine}"` needs its extra: pip install -e ".[{engine}]"'


def test_no_scheduler_at_the_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    needs("dask")
    monkeypatch.setattr("relevance.jobs.engines.dask.CONNECT_S", 0.5)
    dask = engines.find("dask")
    with pytest.raises(
        RelevanceError,
        match=r"^`address='tcp://127\.0\.0\.1:9'`: no Dask scheduler answers \(.*\)\."
        r" Give what `dask scheduler` prints, such as tcp://host:8786, or its scheduler file\.$",
    ):
        dask.start(Schedule(engine="dask", address="tcp://127.0.0.1:9"))
    with pytest.raises(RelevanceError, match=r"^`address='.*cluster\.json'`: no such file\.$"):
        dask.start(Schedule(engine="dask", address=str(tmp_path / "cluster.json")))


STOPPED = """
import sys, time
from functools import partial
import typer
from cli.app import goes_on, run
from relevance.jobs.job import Job, Schedule
from relevance.jobs.scheduler import run_jobs

engine, log = sys.argv[1:]
sys.argv[1:] = []
app = typer.Typer()

def work(log, device):
    print("at work", file=open(log, "a"), flush=True)
    time.sleep(60)

@app.command()
def study():
    jobs = [Job(name, partial(work, log), 1.0) for name in "ab"]
    with goes_on("Go on."):
        run_jobs(jobs, Schedule(jobs_per_device=2, threads=1, engine=engine))

if __name__ == "__main__":
    run(app, "study")
"""


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("engine", "sent", "status", "word"),
    [
        ("dask", signal.SIGTERM, 143, "terminated"),
        ("ray", signal.SIGTERM, 143, "terminated"),
        ("ray", signal.SIGINT, 130, "interrupted"),
    ],
)
def test_a_study_that_is_stopped_ends_with_its_workers_and_one_line(
    engine: str, sent: signal.Signals, status: int, word: str, tmp_path: Path
) -> None:
    needs(engine)
    study = subprocess.Popen(
        [sys.executable, "-c", STOPPED, engine, str(tmp_path / "log")],
        stderr=subprocess.PIPE,
        text=True,
    )
    while study.poll() is None and not (tmp_path / "log").exists():
        time.sleep(0.05)
    study.send_signal(sent)
    _, said = study.communicate(timeout=60)
    assert (study.returncode, said) == (status, f"study: {word}. Go on.\n")


def test_no_jobs_start_no_workers() -> None:
    assert run_jobs([], Schedule(engine="ray", address="nowhere:1")) == {}

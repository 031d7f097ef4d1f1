"""Worker processes that die between two jobs, or cannot read one."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from relevance.jobs.attempts import Outcome
from relevance.jobs.workers import Worker, was_killed, why

pytestmark = pytest.mark.process


@pytest.fixture
def worker() -> Iterator[Worker]:
    one = Worker("cpu", 1)
    yield one
    one.stop()


def _write_number(path: Path, _: str) -> None:
    path.write_text(str(os.getpid()))


def test_a_process_that_is_killed_while_idle_is_replaced(worker: Worker, tmp_path: Path) -> None:
    file = tmp_path / "number"
    assert worker.submit(partial(_write_number, file)).result(60).kind == "done"
    first = int(file.read_text())
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while not worker._executor._flags.broken and time.monotonic() < deadline:
        time.sleep(0.02)
    assert worker.submit(partial(_write_number, file)).result(60).kind == "done"
    assert int(file.read_text()) != first


class _Unreadable:
    """A call that is sent as something else, as where a module changed in between."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return __import__, ("a_module_that_went",)

    def __call__(self, device: str) -> None:
        raise AssertionError(device)


def test_a_call_that_cannot_be_read_says_why(worker: Worker) -> None:
    error = worker.submit(_Unreadable()).exception(60)
    assert error is not None
    assert not was_killed(error)
    assert why(error).startswith(
        "its worker could not read it (ModuleNotFoundError: No module named 'a_module_that_went')."
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_a_process_has_its_call(
    worker: Worker, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def stop(*_: object) -> None:
        done.append("stopped")

    def take() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        signal.raise_signal(number)

    class Executor:
        def submit(self, *_: object) -> Future[Outcome]:
            # as another thread takes it, where no mask of this one holds it back
            other = threading.Thread(target=take)
            other.start()
            other.join()
            done.append("handed over")
            return Future()

        def shutdown(self, **_: object) -> None:
            """Nothing runs."""

    monkeypatch.setattr(worker, "_executor", Executor())
    before = signal.signal(number, stop)
    try:
        worker.submit(partial(_write_number, Path("unused")))
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)
    assert done == ["handed over", "stopped"]

"""The first worker of a study answers before there are jobs, and then does them."""

import os
import signal
import time
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from relevance.errors import RelevanceError
from relevance.jobs.asking import ask, dismiss
from relevance.jobs.job import Job, Schedule
from relevance.jobs.scheduler import run_jobs

pytestmark = pytest.mark.process

SCHEDULE = Schedule(("cpu",), 1, threads=1)


@pytest.fixture(autouse=True)
def _dismissed() -> Iterator[None]:
    yield
    dismiss()


def _write_number(path: Path, _: str) -> None:
    path.write_text(str(os.getpid()))


def is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_process_that_answered_does_the_first_job(tmp_path: Path) -> None:
    number = ask(SCHEDULE, "os:getpid")
    assert number != os.getpid()
    assert ask(SCHEDULE, "os:getpid") == number
    file = tmp_path / "number"
    assert run_jobs([Job("one", partial(_write_number, file), 1.0)], SCHEDULE) == {}
    assert int(file.read_text()) == number
    assert ask(SCHEDULE, "os:getpid") != number  # ended with the study


def test_a_worker_seldom_looks_for_cycles_among_what_libraries_made() -> None:
    assert ask(SCHEDULE, "gc:get_threshold") == (10_000, 10, 10)


def test_it_ends_where_there_are_no_jobs() -> None:
    number = ask(SCHEDULE, "os:getpid")
    dismiss()
    until = time.monotonic() + 20
    while is_alive(number) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_alive(number)


def test_errors_and_warnings_are_those_of_the_function() -> None:
    with pytest.raises(RelevanceError, match=r"^Unknown engine 'slurm'\."):
        ask(SCHEDULE, "relevance.jobs.engines.engine:engines.find", "slurm")
    with pytest.warns(UserWarning, match=r"^beware$"):
        ask(SCHEDULE, "warnings:warn", "beware")
    with warnings.catch_warnings(action="error"):
        ask(SCHEDULE, "os:getpid")


def test_a_killed_process_is_one_line() -> None:
    number = ask(SCHEDULE, "os:getpid")
    with pytest.raises(RelevanceError, match=r"^The process that was to look at tasks"):
        ask(SCHEDULE, "os:kill", number, int(signal.SIGKILL))
    assert ask(SCHEDULE, "os:getpid") != number

"""Ctrl-C and SIGTERM: one line that says how to go on, and nothing of the libraries beneath."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

import commands
from cli.app import goes_on, run
from relevance.errors import RelevanceError
from relevance.measures.measure import measures

STUDY = """
import sys
from cli.relevance import main
sys.argv[0] = "relevance"
main()
"""
pytestmark = pytest.mark.heavy


@pytest.mark.parametrize(
    ("sent", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_study_that_is_stopped_with_all_its_processes(
    quick: list[str], tmp_path: Path, sent: signal.Signals, status: int, word: str
) -> None:
    """As a terminal does it: every process of the group gets the signal, workers included."""
    options = [*quick, "--epochs", "500", "--jobs", "2"]
    study = subprocess.Popen(
        [sys.executable, "-c", STUDY, "pairwise", *options],
        env=os.environ | {"OMP_NUM_THREADS": "1", "RELEVANCE_CACHE": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert study.stderr is not None
    # told before the workers start, which are hit on their way
    first = study.stderr.readline().replace("relevance: loading ...\n", "")
    first = first or study.stderr.readline()
    assert first.startswith("0 of 18 jobs done, 0 running on 2 worker(s), 0 failed")
    time.sleep(0.2)
    os.killpg(study.pid, sent)
    shown, said = study.communicate(timeout=120)
    assert study.returncode == status, said
    assert shown == ""
    assert said.splitlines()[-1:] == [
        f"relevance: {word}. What is finished is kept: go on with the same command."
    ]
    assert len(said.splitlines()) <= 2, said  # another line of progress at most


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_handlers_are_as_before_afterwards(
    number: signal.Signals, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()

    @app.command()
    def stopped() -> None:
        with goes_on("Inner."), goes_on("Innermost."):
            signal.raise_signal(number)

    before = signal.getsignal(number)
    monkeypatch.setattr(sys, "argv", ["x"])
    with pytest.raises(SystemExit) as end:
        run(app, "x")
    assert end.value.code == 128 + number
    assert capsys.readouterr().err.endswith("ed. Innermost.\n")
    assert signal.getsignal(number) == before


class Dying:
    """Is stopped while it is taken down, where Python prints what is raised and drops it."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def dropped() -> None:
    Dying()
    time.sleep(20)


def made_another_error() -> None:
    """As an import of NumPy's C interface does it: it prints, and says that the import failed."""
    try:
        signal.raise_signal(signal.SIGTERM)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]  # there is an exception
        raise ImportError("numpy._core.multiarray failed to import") from None


@pytest.mark.parametrize("swallows", [dropped, made_another_error])
def test_a_library_that_swallows_the_signal_is_stopped_all_the_same(
    swallows: Callable[[], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = typer.Typer()
    app.command()(swallows)
    hooks = sys.unraisablehook, sys.excepthook
    monkeypatch.setattr(sys, "argv", ["x"])
    with pytest.raises(SystemExit) as end:
        run(app, "x")
    assert (end.value.code, capsys.readouterr().err) == (143, "x: terminated.\n")
    assert (sys.unraisablehook, sys.excepthook) == hooks


def test_what_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()

    @app.command()
    def goes_through() -> None:
        signal.raise_signal(signal.SIGINT)
        raise RelevanceError("after it")

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    monkeypatch.setattr(sys, "argv", ["x"])
    try:
        with pytest.raises(SystemExit) as end:
            run(app, "x")
        assert end.value.code == 2
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("measure", "advice"),
    [
        ("joint-training", " What is finished is kept: go on with the same command."),
        ("taxonomy", ""),
    ],
)
def test_an_estimate_says_how_to_go_on_where_something_is_kept(
    measure: str, advice: str, tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = lambda *_, **__: signal.raise_signal(signal.SIGTERM)  # noqa: E731
    monkeypatch.setattr(measures.find(measure), "measure", stopped)
    outcome = commands.run("relevance", "estimate", measure, "--tasks", tasks)
    assert (outcome.status, outcome.err) == (143, f"relevance: terminated.{advice}\n")

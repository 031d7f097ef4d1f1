"""What is shown on the way: at once, with the right counts, and nothing of it in a file."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from cli.app import loading
from cli.progress import RunsLines, StatusLine, StudyLine, TrainingLine
from hmnet.runs.telling import TrainingLog
from hmnet.runs.train import Note
from hmnet.training.hooks.progress import Progress
from relevance.jobs.job import Event, Job
from relevance.jobs.progress import JobProgress
from relevance.stages import counted


def test_counts_of_workers_and_cached_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [Job(name, print, 1.0) for name in "abc"]
    told: list[Event] = []
    progress = JobProgress(jobs[1:], [(jobs[0], 60.0)], told.append, workers=2)
    for job in jobs[1:]:
        progress.started(job)
    for job in jobs[1:]:
        progress.done(job)
    for event in told:  # a line of its own for each, as if 10 seconds lay between them
        StudyLine().on_event(event)
    assert capsys.readouterr().err.splitlines() == [
        "1 of 3 jobs done (1 cached), 0 running on 2 worker(s), 0 failed, 60 s left",
        "1 of 3 jobs done (1 cached), 0 running on 2 worker(s), 0 failed, 60 s left",
        "1 of 3 jobs done (1 cached), 1 running on 2 worker(s), 0 failed, 60 s left",
        "1 of 3 jobs done (1 cached), 2 running on 2 worker(s), 0 failed, 60 s left",
        "2 of 3 jobs done (1 cached), 1 running on 2 worker(s), 0 failed, 30 s left",
        "3 of 3 jobs done (1 cached), 0 running, 0 failed",
    ]


def test_a_file_is_told_once_and_of_workers_at_work(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [Job(name, print, 1.0) for name in "abcd"]
    line = StudyLine()
    JobProgress((), [(job, 60.0) for job in jobs], line.on_event)
    assert capsys.readouterr().err == "4 of 4 jobs done (4 cached), 0 running, 0 failed\n"
    line = StudyLine()
    told: list[Event] = []
    progress = JobProgress(jobs, (), told.append, workers=2)
    for job in jobs[:2]:
        progress.started(job)
    progress.done(jobs[0])
    line.on_event(told[-1])
    progress.started(jobs[2])
    line.on_event(told[-1])
    assert capsys.readouterr().err.startswith("1 of 4 jobs done, 2 running on 2 worker(s)")


def test_passing_notes_are_for_terminals_and_python(capsys: pytest.CaptureFixture[str]) -> None:
    """In a log file of the command line bad input has to stay one line."""
    with TrainingLine("run") as line:
        line.on_event(Note("reading", passing=True))
        line.on_event(Note("stays"))
    assert capsys.readouterr().err == "hmnet: note: stays\n"
    TrainingLog("run").on_event(Note("reading", passing=True))
    assert capsys.readouterr().err == "run: reading\n"


def test_from_python_training_speaks_before_torch_is_loaded() -> None:
    code = (
        "import sys, hmnet, hmnet.api\n"
        "hmnet.api.TrainingLog.say = lambda self, text: sys.exit(f'{text}, torch' * ('torch' in"
        " sys.modules) or text)\n"
        "hmnet.train(out='runs/multi', method='multi')"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.stderr == "runs/multi: loading\n"


def test_counted_work_is_told_in_a_log_file_once_it_takes_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 4.0, 4.0, 4.0])
    monkeypatch.setattr("cli.progress.time.monotonic", lambda: next(clock, 4.0))
    with StatusLine():
        for _ in counted(range(4), "tasks read"):
            pass
    assert capsys.readouterr().err == "tasks read: 2 of 4, 4 s left\n"
    with StatusLine():  # which listens no more
        pass
    for _ in counted(range(4), "tasks read"):
        pass
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_loading_is_wiped_off_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, shown in ((Terminal(), "loading ...\r\x1b[K"), (io.StringIO(), "")):
        monkeypatch.setattr(sys, "stderr", stream)
        with loading():
            pass
        assert stream.getvalue() == shown


def test_several_runs_tell_the_time_left_for_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("cli.progress.time.monotonic", lambda: now[0])
    lines = RunsLines(4)
    with lines.watch(Path("a")):  # finished before
        now[0] = 1.0
    for folder, seconds in (("b", 30.0), ("c", 60.0)):
        with lines.watch(Path(folder)) as on_event:
            now[0] += seconds / 2
            on_event(Progress("RTE", 5, 10, 0.5, 0.001, 10 / seconds))
            now[0] += seconds / 2
    told = [line.partition("steps/s, ")[2] for line in capsys.readouterr().err.splitlines()]
    # b: 15 s and two as long as it; c: 30 s and one as long as the mean of 30 and 60
    assert told == ["15 s left, 75 s for all runs", "30 s left, 75 s for all runs"]

"""stdout that is full, closed, of few characters, or read to its first line only; stderr too."""

import errno
import io
import os
import subprocess
import sys
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from cli.app import fail
from cli.output import Unread, show, stream
from cli.relevance import main
from cli.streams import begin_soon, standing_streams
from commands import refused, run
from relevance.errors import RelevanceError

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device"),
]
FULL = "stdout cannot be written: No space left on device."


def shell(line: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of bash in which `relevance` and `hmnet` are ours."""
    functions = "".join(
        f"{name}() {{ {sys.executable} -c 'from cli.{name} import main; main()' \"$@\"; }}\n"
        for name in ("relevance", "hmnet")
    )
    return subprocess.run(
        ["bash", "-c", f"{functions} set -o pipefail\n{line}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.csv").write_text("task,情,B\n情,1,.1\nB,.2,1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "name", "reason"),
    [
        ("relevance table m.csv > /dev/full", "relevance", FULL),
        ("relevance --help > /dev/full", "relevance", FULL),
        ("relevance table m.csv >&-", "relevance", "stdout cannot be written: it is closed."),
    ],
)
def test_one_line_where_results_are_lost(line: str, name: str, reason: str, folder: Path) -> None:
    lost = shell(line, folder)
    assert (lost.returncode, lost.stderr) == (2, f"{name}: {reason}\n")


def test_characters_that_stdout_lacks(folder: Path) -> None:
    lost = shell("relevance table m.csv", folder, PYTHONIOENCODING="ascii")
    assert lost.returncode == 2
    assert lost.stderr.startswith("relevance: stdout takes ascii only, which has no '\\u60c5'.")
    assert lost.stderr.count("\n") == 1


class Failing(io.StringIO):
    """A stream that takes nothing."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def flush(self) -> None:
        raise self.error


def ended(error: OSError, *arguments: str) -> tuple[object, str]:
    """Exit status and stderr of a command whose stdout fails."""
    noted = io.StringIO()
    with (
        redirect_stdout(Failing(error)),
        redirect_stderr(noted),
        patch.object(sys, "argv", list(arguments)),
        patch.object(warnings, "showwarning", warnings.showwarning),
        patch("cli.streams.LOADING_AFTER_S", 3600),
        pytest.raises(SystemExit) as end,
    ):
        main()
    return end.value.code, noted.getvalue()


def test_files_are_written_though_stdout_is_full(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("task,A,B,C\nA,1,.1,.2\nB,.2,1,.1\nC,.9,.8,1\n")
    cluster = ["relevance", "cluster", str(tmp_path / "m.csv"), "--k", "2", "--out"]
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert ended(full, *cluster, str(tmp_path / "a.json")) == (2, f"relevance: {FULL}\n")
    assert ended(BrokenPipeError(errno.EPIPE, ""), *cluster, str(tmp_path / "b.json")) == (0, "")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_nothing_is_answered_to_nobody() -> None:
    with standing_streams("relevance") as results:
        results.failure = BrokenPipeError()
        with pytest.raises(Unread):
            stream("answer")


def test_a_closed_stream_can_be_asked_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """As libraries do that would draw a bar of progress."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with standing_streams("relevance") as results:
        for each in (results, sys.stderr):
            assert (each.isatty(), each.encoding) == (False, "utf-8")
            assert each.fileno() > 2
        results.check()  # nothing was written, so that nothing is lost
        show("text")
        with pytest.raises(RelevanceError, match="stdout cannot be written: it is closed"):
            results.check()


def test_a_reader_that_has_enough_is_no_error(folder: Path) -> None:
    both = shell("relevance table m.csv | true; relevance table --help | true", folder)
    assert (both.returncode, both.stderr) == (0, "")


def test_a_stderr_that_fails_changes_no_exit_status(folder: Path) -> None:
    lines = [f"relevance table none.csv {where}" for where in ("2>&-", "2>/dev/full", ">&- 2>&-")]
    states = shell("\n".join(f"{line}; echo $? >> states" for line in lines), folder)
    assert states.stderr == ""
    assert (folder / "states").read_text().split() == ["2", "2", "2"]


def test_what_is_quoted_in_an_error_moves_no_cursor(tmp_path: Path) -> None:
    message = refused("relevance", "table", tmp_path / "a\x1b[2J\u202e\nb.csv")
    assert "a\\u001b[2J\\u202e b.csv" in message


def test_names_on_stdout_change_no_colours(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("A\x1b[31m.csv", "B.csv")]
    for path in paths:
        path.write_text("task,A,B,C\nA,1,.1,.2\nB,.2,1,.3\nC,.3,.4,1\n")
    shown = run("relevance", "compare", *paths, "--format", "csv").out
    assert "\x1b" not in shown
    assert "A\\u001b[31m" in shown


def test_the_suffix_of_a_table_decides_its_format(tmp_path: Path) -> None:
    begins = {"t.tex": "\\begin{tabular}", "t.csv": "source,MNLI", "t.md": "| source"}
    for name, words in begins.items():
        run("relevance", "table", "paper:table3", "--out", tmp_path / name)
        assert (tmp_path / name).read_text().startswith(words)
    run("relevance", "table", "paper:table3", "--out", tmp_path / "t.csv", "--format", "latex")
    assert (tmp_path / "t.csv").read_text().startswith("\\begin{tabular}")


def test_captions_and_labels_belong_to_latex(tmp_path: Path) -> None:
    options = ["--caption", "Gains in % & more", "--label", "tab:gains"]
    run("relevance", "table", "paper:table3", "--out", tmp_path / "t.tex", *options)
    text = (tmp_path / "t.tex").read_text()
    assert "\\caption{Gains in \\% \\& more}\n\\label{tab:gains}\n" in text
    assert text.endswith("\\end{table}\n")
    assert " $-$0.10 & " in text
    assert "belong to LaTeX" in refused("relevance", "table", "paper:table3", *options)
    bad = refused("relevance", "table", "paper:table3", "--format", "latex", "--label", "}\\x")
    assert "must be of letters" in bad


class Log(io.StringIO):
    """A stderr that is a terminal or not."""

    def __init__(self, terminal: bool = False) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def wait(self) -> None:
        """Return when something was written, or after five seconds."""
        until = time.monotonic() + 5
        while not self.getvalue() and time.monotonic() < until:
            time.sleep(0.001)


@pytest.mark.parametrize(
    ("terminal", "written", "expected"),
    [
        (False, ["step 1\n", "step 2\n"], "hmnet: loading ...\nstep 1\nstep 2\n"),
        (False, [], "hmnet: loading ...\n"),
        (True, ["step 1\n"], "hmnet: loading ...\r\x1b[Kstep 1\n"),
        (True, [], "hmnet: loading ...\r\x1b[K"),
    ],
)
def test_it_is_soon_known_that_a_command_has_begun(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, written: list[str], expected: str
) -> None:
    log = Log(terminal)
    monkeypatch.setattr("cli.streams.LOADING_AFTER_S", 0.0)
    monkeypatch.setattr(sys, "stderr", log)
    with standing_streams("hmnet"):
        begin_soon()
        log.wait()
        for text in written:
            sys.stderr.write(text)
    assert log.getvalue() == expected


def test_a_line_that_was_begun_ends_before_the_first_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = Log()  # as with 2>&1
    monkeypatch.setattr("cli.streams.LOADING_AFTER_S", 0.0)
    monkeypatch.setattr(sys, "stderr", both)
    monkeypatch.setattr(sys, "stdout", both)
    with standing_streams("hmnet"):
        begin_soon()
        both.wait()
        sys.stdout.write("a result\n")
    assert both.getvalue() == "hmnet: loading ...\na result\n"


@pytest.mark.parametrize(
    "command",
    [
        ("evaluate", "run"),
        ("predict", "run", "--task", "RTE", "--input", "in.jsonl"),
        ("export", "run", "--task", "RTE", "--out", "out"),
        ("compare", "run"),
        ("diagnose", "run", "--out", "out"),
        ("attention", "run", "other", "--task", "RTE"),
        ("similarity", "run"),
    ],
    ids=lambda command: command[0],
)
def test_commands_that_read_a_model_begin_before_they_load(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    begun = []
    monkeypatch.setattr("cli.streams.Notes.begin_soon", lambda _: begun.append(True))
    monkeypatch.chdir(tmp_path)
    refused("hmnet", *command)  # there is no such run
    assert begun == [True]


def test_an_error_is_a_line_of_its_own_in_a_log_file(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    monkeypatch.setattr("cli.streams.LOADING_AFTER_S", 0.0)
    monkeypatch.setattr(sys, "stderr", log)
    with standing_streams("hmnet"):
        begin_soon()
        log.wait()
        with pytest.raises(SystemExit):
            fail("hmnet", "no such task.")
    assert log.getvalue() == "hmnet: loading ...\nhmnet: no such task.\n"


def test_a_command_that_speaks_at_once_says_nothing_of_loading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = Log()
    monkeypatch.setattr("cli.streams.LOADING_AFTER_S", 0.05)
    monkeypatch.setattr(sys, "stderr", log)
    with standing_streams("hmnet"):
        begin_soon()
        sys.stderr.write("step 1\n")
        time.sleep(0.2)
    assert log.getvalue() == "step 1\n"

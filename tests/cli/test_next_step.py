"""The next command: for every command one, on terminals alone, ready to be pasted."""

import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import cli.hmnet
import cli.relevance
from cli.next_step import ENDS, NEXT
from cli.streams import begin_soon, standing_streams
from commands import done

APPS = {"relevance": cli.relevance.app, "hmnet": cli.hmnet.app}
COMING = {"relevance init", "relevance check"}


def commands() -> Iterator[tuple[str, Any]]:
    for name, app in APPS.items():
        group: Any = get_command(app)
        for command in group.commands.values():
            yield f"{name} {command.name}", command


def test_every_command_has_one_or_is_an_end() -> None:
    known = {name for name, _ in commands()}
    assert known - NEXT.keys() - ENDS == set()
    assert (NEXT.keys() | ENDS) - known <= COMING
    assert not NEXT.keys() & ENDS


def test_what_was_checked_is_what_comes_next() -> None:
    given = {"names": ["my tasks.toml"], "tasks": ("RTE",), "data_dir": Path("data")}
    assert NEXT["relevance check"](given) == (
        "relevance vocab --tasks 'my tasks.toml,RTE' --data-dir data --out vocab.json"
    )
    assert NEXT["relevance check"]({"names": None, "tasks": ()}) == (
        "relevance vocab --out vocab.json"
    )


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("name", NEXT)
def test_it_is_a_command_that_there_is(name: str, given: bool) -> None:
    """Whichever options are given, it names a command of ours and options that it takes."""
    by_name = dict(commands())
    if name not in by_name:
        pytest.skip("is not there yet")
    params: dict[str, Any] = {param.name: param.default for param in by_name[name].params}
    nasty = "it's $HOME <a>"
    several = {"tasks", "task", "clusters", "folders", "matrices", "runs", "seeds", "make", "names"}
    for param in by_name[name].params:
        if param.required or given:
            params[param.name] = [nasty] if param.name in several else nasty
    params |= {"dry_run": False, "quiet": False, "search": None}
    text = NEXT[name](params)
    if text is None or text.startswith("the same command with"):
        return
    program, command, *options = shlex.split(text)
    if f"{program} {command}" in COMING:
        return
    known = {flag for param in by_name[f"{program} {command}"].params for flag in param.opts}
    assert {word for word in options if word.startswith("--")} <= known
    assert not given or nasty in text.replace("'\"'\"'", "'")


def test_paths_of_the_user_are_in_it() -> None:
    params = {"out": Path("my gains.json"), "dry_run": False}
    assert NEXT["relevance pairwise"](params) == (
        "relevance cluster 'my gains.json' --k auto --out out.json"
    )
    assert NEXT["relevance pairwise"]({**params, "dry_run": True}) == (
        "the same command without --dry-run"
    )
    assert NEXT["relevance vocab"]({"out": None}) == "the same command with --out vocab.json"


def on_terminal(*arguments: str) -> str:
    """What stderr shows where it is a terminal."""
    keyboard, terminal = pty.openpty()
    code = f"import cli.relevance as c, sys; sys.argv = {['relevance', *arguments]!r}; c.main()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stderr=terminal, stdout=subprocess.DEVNULL
    ) as process:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(keyboard, 4096):
                shown += piece
        except OSError:  # Linux says so where the other end is closed
            pass
    os.close(keyboard)
    assert process.returncode == 0
    return shown.decode()


@pytest.mark.process
def test_it_is_said_on_a_terminal_and_not_when_quiet(tmp_path: Path) -> None:
    out = tmp_path / "a b.json"
    command = ("taxonomy", "--tasks", "RTE,CB", "--out", str(out))
    said = on_terminal(*command).splitlines()
    assert said[-1] == f"Next: relevance cluster '{out}' --out out.json"
    assert "Next:" not in on_terminal(*command, "--quiet")
    assert "Next:" not in done("relevance", *command).err


def test_quiet_shows_no_progress_and_says_what_matters(tmp_path: Path) -> None:
    outcome = done("relevance", "taxonomy", "--tasks", "RTE", "--out", tmp_path / "t", "--quiet")
    assert outcome.err == f"wrote {tmp_path / 't'}\n"
    assert "--quiet" in done("hmnet", "train", "--help").out


def test_a_command_that_is_not_quiet_follows_a_quiet_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[bool] = []
    monkeypatch.setattr("cli.streams.Notes.begin_soon", lambda self: begun.append(True))
    done("relevance", "taxonomy", "--tasks", "RTE", "--out", tmp_path / "t", "--quiet")
    with standing_streams("relevance"):
        begin_soon()
    assert begun == []
    done("relevance", "taxonomy", "--tasks", "RTE", "--out", tmp_path / "t")
    assert begun

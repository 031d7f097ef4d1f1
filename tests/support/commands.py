"""The two commands, run within the test's own process, which takes milliseconds and not seconds."""

import io
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it wrote."""

    status: int
    out: str
    err: str


def run(command: str, *arguments: object, stdin: bytes = b"") -> Outcome:
    """Run `relevance` or `hmnet` as its entry point does.

    Args:
        command: `relevance` or `hmnet`.
        *arguments: As on the command line; paths and numbers are made text.
        stdin: What it reads there.
    """
    import cli.hmnet
    import cli.relevance

    main = {"relevance": cli.relevance.main, "hmnet": cli.hmnet.main}[command]
    out, err = io.StringIO(), io.StringIO()
    status: object = None
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        patch.object(sys, "argv", [command, *map(str, arguments)]),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        patch.object(warnings, "showwarning", warnings.showwarning),
        patch("cli.streams.LOADING_AFTER_S", 3600),  # what is said must not hang on speed
        patch("cli.progress.SILENT_S", 3600),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code
    assert isinstance(status, int), "an entry point ends with an exit status"
    return Outcome(status, out.getvalue(), err.getvalue())


def done(command: str, *arguments: object, stdin: bytes = b"") -> Outcome:
    """Run a command that has to end well."""
    outcome = run(command, *arguments, stdin=stdin)
    assert outcome.status == 0, outcome.err
    return outcome


def refused(command: str, *arguments: object, stdin: bytes = b"") -> str:
    """Run a command on bad input; return what its one line on stderr says after `relevance: `."""
    outcome = run(command, *arguments, stdin=stdin)
    assert outcome.status == 2, outcome.err
    assert outcome.out == ""
    assert outcome.err.startswith(f"{command}: ")
    assert outcome.err.endswith("\n")
    assert outcome.err.count("\n") == 1, outcome.err
    return outcome.err.removeprefix(f"{command}: ").rstrip("\n")


def on_tasks(options: list[str], tasks: object) -> list[str]:
    """Options with other tasks in place of those they name, as a second `--tasks` adds to them."""
    place = options.index("--tasks")
    return [*options[:place], "--tasks", str(tasks), *options[place + 2 :]]


def quick_options(folder: Path, encoder: str, *, max_length: int = 20) -> list[object]:
    """Options for training the tasks of `folder/tasks.toml` with an encoder of that folder."""
    return [
        *("--tasks", folder / "tasks.toml", "--backbone", folder / encoder, "--batch-size", 16),
        *("--max-length", max_length, "--lr", 5e-3, "--precision", "fp32"),
    ]


def trained_on_all(folder: Path, options: list[object], *, epochs: int = 6) -> Path:
    """A run of `--method multi` in `folder/run`, its cache in `folder/cache`."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RELEVANCE_CACHE", str(folder / "cache"))
        done(
            *("hmnet", "train", *options, "--epochs", epochs, "--method", "multi"),
            *("--out", folder / "run"),
        )
    return folder / "run"

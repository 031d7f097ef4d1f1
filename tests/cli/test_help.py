"""Every command and option that is promised exists and explains itself."""

import subprocess
import sys

import pytest

from commands import done

TASKS = ("--tasks", "--data-dir", "--max-train", "--max-dev")
TRAINING = (
    *("--backbone", "--epochs", "--max-steps-per-task", "--batch-size", "--max-length", "--lr"),
    *("--seed", "--seeds", "--pooling", "--precision", "--device", "--config"),
    "--length-grouped",
)
STUDY = (
    *("--gpus", "--jobs", "--jobs-per-gpu", "--gain-split", "--metric", "--single-seeds"),
    *("--normalise", "--drop-overlap", "--dry-run"),
)
COMMANDS: dict[str, tuple[str, ...]] = {
    "relevance tasks": ("--stats",),
    "relevance init": ("--out", "--label", "--text", "--force", "DATA"),
    "relevance check": (*TASKS, "--max-length", "--tokenizer", "--out"),
    "relevance prepare": ("--tasks", "--data-dir"),
    "relevance vocab": (*TASKS, "--out", "--tokenizer", "--heatmap"),
    "relevance taxonomy": ("--tasks", "--out"),
    "relevance estimate": (*TASKS, "--out", "MEASURE"),
    "relevance pairwise": (*TASKS, *TRAINING, *STUDY, "--out"),
    "relevance check-groups": (*TASKS, *TRAINING, *STUDY, "--out", "--format"),
    "relevance merge": ("--out", "MATRIX"),
    "relevance cluster": (
        *("--k", "--method", "--max-k", "--linkage", "--overlap", "--out", "--seed", "MATRIX"),
        "--subsets",
        *("--consensus", "--curve", "--dendrogram"),
    ),
    "relevance heatmap": ("--out", "--clusters", "MATRIX"),
    "relevance bars": ("--task", "--out", "MATRIX"),
    "relevance table": ("--format", "MATRIX"),
    "relevance compare": ("--k", "MATRIX"),
    "relevance report": ("--clusters", "--runs", "--baseline", "--out", "MATRIX"),
    "relevance demo": ("--out",),
    "hmnet train": (
        *TASKS,
        *TRAINING,
        *("--clusters", "--out", "--method", "--layers", "--name", "--resume", "--sampler"),
    ),
    "hmnet evaluate": ("--split", "RUN"),
    "hmnet predict": ("--task", "--input", "RUN"),
    "hmnet export": ("--task", "--out", "RUN"),
    "hmnet submit": ("--benchmark", "--data-dir", "--out", "RUN"),
    "hmnet push": ("--task", "--all", "--public", "--accept-licences", "--replace", "RUN", "REPO"),
    "hmnet compare": ("--format", "RUN"),
    "hmnet count": ("--tasks", "--backbone", "--method", "--clusters", "--layers", "--pooling"),
}


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_and_every_option(command: str) -> None:
    outcome = done(*command.split(), "--help")
    assert outcome.err == ""
    assert f"Example: {command} " in outcome.out
    words = outcome.out.replace("│", " ").split()
    for option in COMMANDS[command]:
        assert option in words


@pytest.mark.parametrize("command", ["relevance", "hmnet"])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_every_command(command: str, option: str) -> None:
    words = done(command, option).out.split()
    for known in COMMANDS:
        if known.startswith(f"{command} "):
            assert known.removeprefix(f"{command} ") in words


@pytest.mark.process
@pytest.mark.parametrize("command", ["hmnet train", "relevance pairwise", "hmnet add-task"])
def test_help_shows_settings_without_what_reads_them(command: str) -> None:
    program, name = command.split()
    code = (
        f"import sys; sys.argv = [{program!r}, {name!r}, '--help']\n"
        f"from cli.{program} import main\n"
        "try: main()\n"
        "finally: print({'numpy', 'torch', 'transformers', 'pandas'} & {*sys.modules})"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "set()"

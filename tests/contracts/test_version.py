"""One version of the distribution, wherever it is told; and the commands as modules."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hmnet
import relevance
from commands import done

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", ["relevance", "hmnet"])
def test_commands_tell_the_version(command: str) -> None:
    assert done(command, "--version").out == f"{command} {relevance.__version__}\n"


@pytest.mark.parametrize("command", ["relevance", "hmnet"])
@pytest.mark.process
def test_packages_run_as_modules(command: str) -> None:
    arguments = [sys.executable, "-m", command]
    told = subprocess.run(
        [*arguments, "--version"], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert told.stdout == f"{command} {relevance.__version__}\n"
    wrong = subprocess.run(
        [*arguments, "nonsense"], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(f"{command}: No such command 'nonsense'.")


def test_there_is_one_version() -> None:
    assert hmnet.__version__ == relevance.__version__
    project = (REPO / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in project
    assert not re.search(r"^version =", project, re.MULTILINE)
    cited = re.search(r"^version: (.+)$", (REPO / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited
    assert cited[1] == relevance.__version__
    told = (REPO / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(relevance.__version__)}\b", told, re.MULTILINE)

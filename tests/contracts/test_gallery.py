"""The gallery shows every figure that a command draws, in small pictures."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import cli.hmnet
import cli.relevance

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "gallery.md"
MOST_BYTES = 60_000
FIGURES = {"--figure", "--figures", "--heatmap", "--consensus", "--curve", "--dendrogram"}


def commands(page: Path) -> list[str]:
    return re.findall(r"```\n(.*?)\n```", page.read_text(encoding="utf-8"))


def test_every_option_that_draws_is_there() -> None:
    shown = commands(PAGE)
    for name, app in (("relevance", cli.relevance.app), ("hmnet", cli.hmnet.app)):
        for command, each in get_command(app).commands.items():  # type: ignore[attr-defined]
            for option in each.params:
                flag = option.opts[-1]
                draws = flag in FIGURES or (flag == "--out" and ".svg" in (option.help or ""))
                found = [line for line in shown if line.startswith(f"{name} {command} ")]
                assert not draws or any(f" {flag} " in line for line in found), (command, flag)


def test_every_picture_is_there_once_and_small() -> None:
    pictures = re.findall(r"\]\((gallery/[\w-]+\.png)\)", PAGE.read_text(encoding="utf-8"))
    kept = sorted(f"gallery/{path.name}" for path in (DOCS / "gallery").iterdir())
    assert sorted(pictures) == kept
    assert max((DOCS / path).stat().st_size for path in kept) < MOST_BYTES


@pytest.mark.heavy
def test_the_script_draws_all_of_it(tmp_path: Path) -> None:
    script = [sys.executable, str(DOCS / "gallery.py"), str(tmp_path)]
    done = subprocess.run(script, check=False, capture_output=True, text=True, cwd=DOCS.parent)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / PAGE.name).read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")
    drawn = {path.name: path.stat().st_size for path in (tmp_path / "gallery").iterdir()}
    assert set(drawn) == {path.name for path in (DOCS / "gallery").iterdir()}
    assert max(drawn.values()) < MOST_BYTES

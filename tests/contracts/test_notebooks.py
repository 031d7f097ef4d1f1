"""The example notebooks run from the first cell to the last, with public names alone."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import hmnet
import relevance

REPO = Path(__file__).resolve().parents[2]
NOTEBOOKS = {path.stem: path for path in sorted((REPO / "docs" / "notebooks").glob("*.ipynb"))}

by_name = pytest.mark.parametrize("name", NOTEBOOKS)


def code(name: str) -> str:
    cells = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def shown(cell: Any) -> set[str]:
    """Types of what a cell that has run shows."""
    return {kind for output in cell.get("outputs", ()) for kind in output.get("data", ())}


def test_both_parts_and_the_whole_way_have_one() -> None:
    assert list(NOTEBOOKS) == ["hmnet", "relevance", "tutorial"]


@pytest.mark.heavy
@pytest.mark.filterwarnings("default")  # of the kernel and of who talks to it
@by_name
def test_it_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    book = nbformat.read(NOTEBOOKS[name], as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(book, timeout=300, kernel_name="python3", resources=resources).execute()
    kinds = set().union(*map(shown, book.cells))
    assert "text/html" in kinds  # a matrix, a spec or a comparison shows itself
    assert ("image/png" in kinds) == (name != "hmnet")
    said = "".join(
        output.text
        for cell in book.cells
        for output in cell.get("outputs", ())
        if output.get("name") == "stderr"
    )
    assert not said or "ipywidgets" in said  # which tqdm would like to have


@by_name
def test_it_is_kept_without_what_it_shows(name: str) -> None:
    for cell in json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@by_name
def test_it_uses_public_names_only(name: str) -> None:
    text = code(name)
    used = set(re.findall(r"\b(relevance|hmnet)\.(\w+)", text)) - {("hmnet", "ipynb")}
    public = {"relevance": relevance.__all__, "hmnet": hmnet.__all__}
    assert used
    assert [f"{package}.{each}" for package, each in used if each not in public[package]] == []
    assert not re.findall(r"^from (?:relevance|hmnet)", text, flags=re.MULTILINE)

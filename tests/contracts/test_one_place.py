"""Files that others made are opened, and models made, in few places, which make the checks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
OWN = "MultiTaskModel"  # reads what `save_pretrained` wrote, by the project's own reader
PLACES = {
    "from_pretrained": {"hmnet/backbones/pretrained.py"},
    "load_dataset": {"relevance/tasks/prepare.py"},
    "snapshot_download": {"hmnet/backbones/folder.py"},
    # what publishing fetches is what it has sent, and is read by the checks of all others
    "hf_hub_download": {"relevance/text/tokenizer_files.py", "hmnet/publishing/hub.py"},
}
NOWHERE = {("torch", "load"), ("pickle", "load"), ("pickle", "loads"), ("joblib", "load")}
IN_MEMORY = {"relevance/tasks/packed.py"}  # unpickles what it has pickled itself, no file


def calls(file: Path) -> Iterator[tuple[str, str]]:
    """Owner and name of each function called or handed on in a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node.value), node.attr
        elif isinstance(node, ast.Name):
            yield "", node.id


@pytest.fixture(scope="module")
def found() -> dict[str, set[tuple[str, str]]]:
    """What is called, by file."""
    folders = ("relevance", "hmnet", "cli", "benchmarks")
    files = [file for folder in folders for file in (REPO / folder).rglob("*.py")]
    return {file.relative_to(REPO).as_posix(): set(calls(file)) for file in files}


@pytest.mark.parametrize("name", PLACES)
def test_only_the_places_that_check_open_files_of_others(
    found: dict[str, set[tuple[str, str]]], name: str
) -> None:
    callers = {
        file
        for file, called in found.items()
        if any(each == name and owner != OWN for owner, each in called)
    }
    assert callers == PLACES[name]


@pytest.mark.parametrize("part", ["MultiTaskModel", "SkillLayer", "copy_layer", "copy_outside"])
def test_one_place_makes_the_parts_of_models_and_puts_them_together(part: str) -> None:
    makers = {
        file.relative_to(REPO).as_posix()
        for folder in ("hmnet", "cli", "benchmarks")
        for file in (REPO / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == part
    }
    assert makers == {"hmnet/models/build.py"}


def test_no_file_is_unpickled(found: dict[str, set[tuple[str, str]]]) -> None:
    assert {file for file, called in found.items() if called & NOWHERE} == IN_MEMORY


def test_no_call_trusts_code(found: dict[str, set[tuple[str, str]]]) -> None:
    source = (REPO / "hmnet/backbones/pretrained.py").read_text(encoding="utf-8")
    openings = [
        {key.arg: ast.unparse(key.value) for key in node.keywords}
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "from_pretrained"
    ]
    assert len(openings) == 3
    assert all(settings["trust_remote_code"] == "False" for settings in openings)

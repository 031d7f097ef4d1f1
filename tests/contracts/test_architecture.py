"""What documents say about the code is so: the tree's layers, every path and name they tell."""

import re
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TREE = (REPO / "docs" / "architecture.md").read_text(encoding="utf-8")
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{name}.md" for name in ("architecture", "guide", "slurm")),
)
TOLD = re.compile(r"`((?:relevance|hmnet|cli)[./][\w./]*\w)")


def layers_told(package: str) -> list[set[str]]:
    """The groups of the tree in the document, from the top."""
    block = TREE.partition(f"\n{package}/\n")[2].partition("```")[0]
    block = re.split(r"\n(?=\w)", block)[0]
    groups = [re.findall(r"^  (\w+)", group, re.MULTILINE) for group in block.split("\n\n")]
    return [set(group) for group in groups if group]


@pytest.mark.parametrize("package", ["relevance", "hmnet"])
def test_the_tree_has_the_layers_that_the_linter_proves(package: str) -> None:
    settings = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == [package]
    ]
    assert layers_told(package) == [set(layer.split(" | ")) for layer in layers]


def exists(told: str) -> bool:
    """Whether a path, a schema of files, a module or a name in a module is there."""
    if "/" in told:
        return bool(re.fullmatch(r"\w+\.\w+/\d+", told)) or (REPO / told).exists()
    parts = told.split(".")
    for count in range(len(parts), 0, -1):
        place = REPO.joinpath(*parts[:count])
        files = (place.with_suffix(".py"), place / "__init__.pyi", place / "__init__.py")
        file = next(filter(Path.is_file, files), None)
        if file is not None:
            text = file.read_text(encoding="utf-8")
            return count == len(parts) or bool(re.search(rf"\b{parts[count]}\b", text))
    return False


@pytest.mark.parametrize("where", [*DOCUMENTS, "relevance", "hmnet", "cli", "benchmarks"])
def test_every_path_and_name_that_is_told_exists(where: str) -> None:
    files = [REPO / where] if where in DOCUMENTS else (REPO / where).rglob("*.py")
    told = {(file.name, name) for file in files for name in TOLD.findall(file.read_text("utf-8"))}
    assert told or where == "docs/slurm.md"
    assert sorted((file, name) for file, name in told if not exists(name)) == []

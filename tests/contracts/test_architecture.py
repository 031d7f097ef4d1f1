"""What documents say about the code is so: the tree's layers, every path and name they tell."""

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parents[2]
TREE = (REPO / "docs" / "architecture.md").read_text(encoding="utf-8")
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{name}.md" for name in ("architecture", "guide", "slurm")),
)
TOLD = r"`((?:relevance|hmnet|cli)[./][\w./]*\w)"


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


def resolved(name: str) -> Any:
    """The module, or what it holds, that a dotted name stands for."""
    module, found = name, []
    while module:
        try:
            value: Any = importlib.import_module(module)
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            found.insert(0, last)
            continue
        for each in found:
            value = getattr(value, each)
        return value
    raise AttributeError(name)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_and_name_that_is_told_exists(document: str) -> None:
    for told in re.findall(TOLD, (REPO / document).read_text(encoding="utf-8")):
        if "/" in told:
            schema = re.fullmatch(r"\w+\.\w+/\d+", told)  # of a file, such as `hmnet.plan/1`
            assert schema or (REPO / told).exists(), told
        else:
            resolved(told)

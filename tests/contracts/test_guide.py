"""The guide's tables say what the code has: keys of a task, and members of kinds that are there."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from relevance.registry import members_of
from relevance.tasks.find import read_tasks
from relevance.tasks.source import Source
from relevance.tasks.task import Task

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide.md"
TABLES = {
    "| name | what is computed | trained |": "relevance.measures",
    "| `--method` | groups |": "relevance.clustering.methods",
    "| `--method` | what tasks share |": "hmnet.methods",
    "| sampler | an epoch is |": "hmnet.samplers",
    "| head | task | on the pooled vectors |": "hmnet.heads",
}


def rows_of(model: type[BaseModel], before: str = "") -> list[str]:
    """The rows of a table, as this test would write them."""
    rows = []
    for name, field in model.model_fields.items():
        needed = " (required)" if field.is_required() else ""
        rows.append(f"| `{before}{name}`{needed} | {field.description} |")
    return rows


def table_under(header: str) -> list[str]:
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    start = lines.index(header) + 2
    return lines[start : lines.index("", start)]


def test_every_key_stands_in_the_table_as_it_is_described() -> None:
    rows = [*rows_of(Task), *rows_of(Source, "source.")]
    assert table_under("| key | what it says |") == rows


@pytest.mark.parametrize(("header", "package"), TABLES.items())
def test_a_table_of_members_names_none_that_is_not_there(header: str, package: str) -> None:
    """Members of a kind need no row, so that adding one is a file and its test."""
    first_cells = [row.split("|")[1] for row in table_under(header)]
    named = re.findall(r"`([^`]+)`", "".join(first_cells))
    assert named
    assert set(named) <= set(members_of(package))


def test_the_reference_lists_the_members_of_every_kind() -> None:
    kinds = {
        ".".join(folder.relative_to(ROOT).parts)
        for package in ("relevance", "hmnet")
        for folder in (ROOT / package).rglob("*")
        if (kind := folder / f"{folder.name.removesuffix('s')}.py").is_file()
        and "Registry(" in kind.read_text(encoding="utf-8")
    }
    assert {"relevance.measures", "hmnet.heads"} <= kinds
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (shown,) = re.findall(r"^KINDS := (.+)$", makefile, flags=re.MULTILINE)
    assert kinds <= set(shown.split())


def test_the_guides_own_definition_can_be_read(tmp_path: Path) -> None:
    section = GUIDE.read_text(encoding="utf-8").partition("## Tasks of your own")[2]
    own = tmp_path / "own.toml"
    own.write_text(section.partition("```toml\n")[2].partition("```")[0])
    (task,) = read_tasks(own)
    assert task.source is not None
    assert task.source.share == 0.2
    assert task.source.files["test"] == str(tmp_path / "reviews" / "test.tsv")

"""The guide's table of a task's keys is made of the fields that are read."""

from pathlib import Path

from pydantic import BaseModel

from relevance.tasks.find import read_tasks
from relevance.tasks.source import Source
from relevance.tasks.task import Task

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"


def rows_of(model: type[BaseModel], before: str = "") -> list[str]:
    """The rows of a table, as this test would write them."""
    rows = []
    for name, field in model.model_fields.items():
        needed = " (required)" if field.is_required() else ""
        rows.append(f"| `{before}{name}`{needed} | {field.description} |")
    return rows


def test_every_key_stands_in_the_table_as_it_is_described() -> None:
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    start = lines.index("| key | what it says |") + 2
    end = lines.index("", start)
    assert lines[start:end] == [*rows_of(Task), *rows_of(Source, "source.")]


def test_the_guides_own_definition_can_be_read(tmp_path: Path) -> None:
    section = GUIDE.read_text(encoding="utf-8").partition("## Tasks of your own")[2]
    own = tmp_path / "own.toml"
    own.write_text(section.partition("```toml\n")[2].partition("```")[0])
    (task,) = read_tasks(own)
    assert task.source is not None
    assert task.source.share == 0.2
    assert task.source.files["test"] == str(tmp_path / "reviews" / "test.tsv")

"""Finding tasks: the built-in catalogue, and users' own TOML files in the same format."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from relevance.disk.files import read_toml, validated, write_text
from relevance.errors import RelevanceError, shown, unknown_name
from relevance.names import fault, place
from relevance.tasks.groups import GROUPS, ungrouped
from relevance.tasks.groups import PAPER_TASKS as PAPER_TASKS
from relevance.tasks.task import Source, Task

CATALOG = Path(__file__).parent / "catalog"
RESERVED = frozenset({"all", "average", "majority", "nearest", "parts.json", "random", "xavier"})
"""Folder names that tasks of users cannot have, as options and tables take them for others."""


def catalogue() -> dict[str, Task]:
    """The built-in tasks by name: the paper's 13 in its order, then the others."""
    return {task.name: task for task in _built_in()}


def diagnostic_sets() -> dict[str, Task]:
    """The built-in sets by name that have rows to score and none to train on."""
    return {task.name: task for task in _built_in() if task.diagnoses}


@cache
def _built_in() -> tuple[Task, ...]:
    found = [task for path in sorted(CATALOG.glob("*.toml")) for task in read_tasks(path)]
    order = {name: place for place, name in enumerate(PAPER_TASKS)}
    return tuple(sorted(found, key=lambda task: order.get(task.name, len(order))))


def find_tasks(names: Sequence[str]) -> tuple[Task, ...]:
    """The tasks that a list of names means.

    Args:
        names: Names of the catalogue or of its groups (`glue`, `camtl24`) in any case, or paths of
            `.toml` files with `[[task]]` tables.

    Returns:
        The tasks in the order of the names; all those of a file at its place.

    Raises:
        RelevanceError: If there is no name, one is unknown, a file cannot be read or is wrong, or
            two tasks share a name (or a folder name: `SST-2` and `sst2` do).
    """
    if not names:
        raise RelevanceError('No task is named. Give at least one, such as `tasks=["RTE", "CB"]`.')
    by_lower = {name.lower(): task for name, task in catalogue().items()}
    found: dict[str, tuple[Task, str]] = {}
    for name in ungrouped(names):
        if name.lower().endswith(".toml"):
            origin, tasks = name, read_tasks(Path(name))
        elif name.lower() in by_lower:
            origin, tasks = "the catalogue", (by_lower[name.lower()],)
        else:
            raise unknown_name("task", name, [*catalogue(), *GROUPS])
        for task in tasks:
            # Folders are told apart by slugs, and on some file systems not by case.
            if (key := place(task.slug)) in found:
                raise _listed_twice(task, origin, *found[key])
            found[key] = (task, origin)
    return tuple(task for task, _ in found.values())


def settled_names(names: Sequence[str], tasks: Sequence[Task]) -> tuple[str, ...]:
    """A list of names that means the same wherever it is read.

    Args:
        names: Names that `find_tasks` takes.
        tasks: Tasks that it found by them.

    Returns:
        Names of the catalogue as it writes them, those of a group one by one; paths of files as
        they are.

    >>> settled_names(["rte", "my.toml"], find_tasks(["rte"]))
    ('RTE', 'my.toml')
    """
    by_lower = {task.name.lower(): task.name for task in tasks}
    return tuple(by_lower.get(name.lower(), name) for name in ungrouped(names))


def _listed_twice(task: Task, origin: str, first: Task, first_origin: str) -> RelevanceError:
    also = "" if first.name == task.name else f" (as '{first.name}')"
    if origin == first_origin:
        return RelevanceError(f"Task '{task.name}' is listed twice{also}. Name each task once.")
    return RelevanceError(
        f"Task '{task.name}' is listed twice: in {first_origin}{also} and in {origin}."
        " Rename one of them, or leave one out."
    )


def read_tasks(path: Path) -> tuple[Task, ...]:
    """The tasks that a TOML file defines.

    Args:
        path: A file with one `[[task]]` table per task.

    Returns:
        The tasks in the order of the file, paths of their files made absolute.

    Raises:
        RelevanceError: If the file cannot be read, or a table is not a task.
    """
    content = read_toml(path)
    tables = content.pop("task", None)
    if content or not isinstance(tables, list) or not tables:
        raise RelevanceError(f"{path}: {_no_tables(content, tables)}")
    tasks = tuple(_task(path, number, table) for number, table in enumerate(tables, start=1))
    found: dict[str, Task] = {}
    for task in tasks:
        first = found.setdefault(place(task.slug), task)
        if first is not task:
            also = "" if first.name == task.name else f" (as '{first.name}')"
            raise RelevanceError(
                f"{path}: task '{task.name}' is defined twice{also}. Rename one, or take it out."
            )
    return tasks


def _no_tables(content: Mapping[str, Any], tables: Any) -> str:
    """Tell what is wrong with a file whose top level is not a list of `[[task]]` tables."""
    expected = "expected one [[task]] table per task"
    if isinstance(tables, dict):
        return f"{expected}, found [task]. Write it with double brackets: [[task]]."
    if misspelt := [name for name in content if name.lower() in {"tasks", "task"}]:
        return f"{expected}, found {misspelt[0]}. Call it 'task': [[task]]."
    if stray := [name for name in content if name in Task.model_fields]:
        return f"{expected}, found '{stray[0]}' outside of one. Put [[task]] above it."
    if content:
        return f"{expected}, found {', '.join(shown(name)[1:-1] for name in content)}."
    return f"{expected}, found {'no task' if tables is None or tables == [] else shown(tables)}."


def write_tasks(path: Path, tasks: Sequence[Task]) -> None:
    """Write definitions as `read_tasks` reads them.

    Args:
        path: A TOML file; an older one is replaced.
        tasks: One task or more.

    Raises:
        RelevanceError: If it cannot be written.
    """
    import tomli_w

    tables = [task.model_dump(mode="json", exclude_defaults=True) for task in tasks]
    write_text(path, tomli_w.dumps({"task": tables}))


def _task(path: Path, number: int, table: Any) -> Task:
    name = table.get("name") if isinstance(table, dict) else None
    where = f"{path}: task number {number}" if fault(name) else f"{path}: task '{name}'"
    task = validated(Task, table, where)
    if place(task.slug) in RESERVED or place(task.slug).endswith(".toml"):
        raise RelevanceError(
            f"{where}: the name means something else on the command line. Take another one than"
            f" {', '.join(sorted(RESERVED))}, and none that ends in .toml."
        )
    if task.diagnoses and path.parent != CATALOG:
        raise RelevanceError(
            f"{where}: `diagnoses` is of the catalogue's diagnostic sets. Score rows of your own as"
            " a further split of the task that answers them: `extra`."
        )
    if task.source is None or task.source.hub is not None:
        return task
    return task.model_copy(update={"source": absolute(task.source, path.resolve().parent)})


def absolute(source: Source, folder: Path) -> Source:
    """A copy whose paths do not depend on the working directory."""
    paths = {key: getattr(source, key) for key in ("train", "dev", "test")}
    return source.model_copy(
        update={
            **{key: str(folder / path) for key, path in paths.items() if isinstance(path, str)},
            "extra": {name: str(folder / file) for name, file in source.extra.items()},
        }
    )

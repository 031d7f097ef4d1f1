"""What the shell completes: names of tasks and of members of a kind, in lists with commas too."""

import tomllib
from collections.abc import Callable, Sequence
from importlib.resources import files

from relevance.registry import members_of
from relevance.tasks.groups import GROUPS

Completer = Callable[[str], list[str]]


def completes(names: Callable[[], Sequence[str]]) -> Completer:
    """Make a completer of the last name in a list with commas, in any case.

    Args:
        names: Gives what there is, when it is asked for.

    Returns:
        A function from what was typed, which stays as it is, to what it may become.

    >>> completes(lambda: ["RTE", "CB", "CoLA"])("RTE,C"), completes(lambda: ["CoLA"])("co")
    (['RTE,CB', 'RTE,CoLA'], ['coLA'])
    """

    def complete(incomplete: str) -> list[str]:
        before, _, last = incomplete.rpartition(",")
        taken = {name.lower() for name in before.split(",")}
        return [
            f"{incomplete}{name[len(last) :]}"
            for name in names()
            if name.lower().startswith(last.lower()) and name.lower() not in taken
        ]

    return complete


def task_names() -> list[str]:
    """Names of the catalogue's tasks and groups, read without what checks the definitions."""
    folder = files("relevance.tasks") / "catalog"
    tables = (tomllib.loads(each.read_text("utf-8")) for each in folder.iterdir())
    return sorted([*GROUPS, *(task["name"] for table in tables for task in table["task"])])


def completer(name: str, members: str | None) -> Completer | None:
    """The completer of a setting's option; None where nothing is known of its values."""
    if name == "tasks":
        return completes(task_names)
    return None if members is None else completes(lambda: members_of(members))

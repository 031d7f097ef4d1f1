"""A component registers by living in its kind's folder.

A kind is a package whose one file in the singular says what the kind is (`measures/measure.py`
holds `Measure`); every other module of the folder is a member and defines one subclass of it, but
for those whose name begins with `_`, which help members.
Adding a member is adding a file: it then has a name on the command line, a place in the "did you
mean" hint and in the contract tests.
"""

import inspect
import pkgutil
from importlib import import_module
from typing import Generic, TypeVar

from relevance.errors import unknown_name

T = TypeVar("T")


def members_of(package: str) -> list[str]:
    """Names of a kind's members, without importing any of them or what the kind is.

    So the help of a command can list them and still appear at once.

    Args:
        package: The folder, such as `relevance.measures`.

    Returns:
        Names in alphabetical order, hyphens for underscores.

    >>> members_of("relevance.tasks.kinds")
    ['classification', 'cloze', 'marked-words', 'multiple-choice', 'regression', 'span', 'tokens']
    """
    # Names of files alone are read: importing members would load torch for the help of a command.
    own = package.rpartition(".")[2].removesuffix("s")
    modules = (found.name for found in pkgutil.iter_modules(import_module(package).__path__))
    members = (name for name in modules if name != own and not name.startswith("_"))
    return sorted(name.replace("_", "-") for name in members)


class Registry(Generic[T]):
    """The members of one kind, found by listing a folder and imported only when asked for.

    Args:
        kind: Word for a member in messages, such as `measure`.
        base: Base class of every member. The folder is the one that its own module stands in, which
            is no member.
    """

    def __init__(self, kind: str, base: type[T]) -> None:
        self.kind = kind
        self._package = base.__module__.rpartition(".")[0]
        self._base = base
        self._found: dict[str, type[T]] = {}

    def names(self) -> list[str]:
        """Names in alphabetical order, hyphens for underscores, without importing any member."""
        return members_of(self._package)

    def find(self, name: str) -> type[T]:
        """The class registered under a name.

        Args:
            name: A name as `names` gives it.

        Returns:
            The only subclass of the kind's base that the member's module defines.

        Raises:
            RelevanceError: If there is no such member; the message has the nearest name.
            TypeError: If the module does not define exactly one member.
        """
        if name in self._found:
            return self._found[name]
        if name not in self.names():
            raise unknown_name(self.kind, name, self.names())
        module = import_module(f"{self._package}.{name.replace('-', '_')}")
        members = [
            value
            for value in vars(module).values()
            if inspect.isclass(value)
            and issubclass(value, self._base)
            and value.__module__ == module.__name__
        ]
        if len(members) != 1:
            raise TypeError(f"{module.__name__} must define one {self._base.__name__}: {members}.")
        self._found[name] = members[0]
        return members[0]

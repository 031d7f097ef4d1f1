"""Names of a package that are imported when they are first asked for (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

NamesOf = tuple[Callable[[str], Any], Callable[[], list[str]]]


def lazy_names(package: str, places: Mapping[str, str]) -> NamesOf:
    """Make the functions with which a package offers names without importing them beforehand.

    Args:
        package: The package's own name.
        places: Module of every public name; `module:attribute` where it has another name there.

    Returns:
        The package's `__getattr__` and `__dir__`.
    """

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module '{package}' has no attribute '{name}'", name=name)
        found = resolve(places[name], name)
        setattr(sys.modules[package], name, found)  # asked for once
        return found

    # Completion in shells and notebooks goes by `dir`, which would not know names not yet imported.
    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places})

    return get, names


def shown_by(place: str, *arguments: object) -> str:
    """HTML by a function of a layer above the caller's: `module:function`, imported only now."""
    return str(resolve(place, "")(*arguments))


def resolve(place: str, name: str) -> Any:
    """The object that a place names.

    Args:
        place: A module, or `module:attribute`.
        name: The attribute, where the place names none.

    Returns:
        The attribute of the module, which is imported.

    >>> resolve("math", "pi") == resolve("math:pi", "circle")
    True
    """
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute or name)

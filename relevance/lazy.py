"""Names of a package that are imported when they are first asked for (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

NamesOf = tuple[Callable[[str], Any], Callable[[], list[str]]]


def lazy_names(package: str, places: Mapping[str, str]) -> NamesOf:
    """What a package needs to offer names without importing anything beforehand.

    Args:
        package: The package's own name.
        places: For every public name the module that has it; `module:attribute` where it has
            another name there.

    Returns:
        The package's `__getattr__` and `__dir__`.
    """

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module '{package}' has no attribute '{name}'", name=name)
        found = resolve(places[name], name)
        setattr(sys.modules[package], name, found)  # asked for once
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places})

    return get, names


def shown_by(place: str, *arguments: object) -> str:
    """What a notebook shows of an object, drawn by a layer above the object's own.

    Args:
        place: `module:function`; imported only when a notebook asks.
        *arguments: What the function takes, the object first.

    Returns:
        HTML.
    """
    return str(resolve(place, "")(*arguments))


def resolve(place: str, name: str) -> Any:
    """What stands in a place.

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

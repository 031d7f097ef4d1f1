"""Names of a package that are imported when they are first asked for (PEP 562)."""

import gc
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

NamesOf = tuple[Callable[[str], Any], Callable[[], list[str]]]


def stub_places(file: str) -> dict[str, str]:
    """The public names of a package, as its stub imports them.

    Args:
        file: The package's `__init__.py`; the stub beside it, `__init__.pyi`, is what type checkers
            read, so that a name is written down once.

    Returns:
        Module by name; private names and `__version__` are left out.
    """
    # Neither paths nor a parser of Python: these take longer to import than all else here. The
    # linter keeps every name on a line of its own, `from package.module import name as name`.
    with open(f"{file}i", encoding="utf-8") as stub:  # noqa: PTH123 - see above
        imports = [line.split() for line in stub if line.startswith("from ")]
    return {name: module for _, module, _, name, *_ in imports if not name.startswith("_")}


def lazy_names(package: str, places: Mapping[str, str]) -> NamesOf:
    """Make the functions with which a package offers names without importing them beforehand.

    Args:
        package: The package's own name.
        places: Module of every public name.

    Returns:
        The package's `__getattr__` and `__dir__`.
    """

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module '{package}' has no attribute '{name}'", name=name)
        found = getattr(import_module(places[name]), name)
        setattr(sys.modules[package], name, found)  # asked for once
        return found

    # Completion in shells and notebooks goes by `dir`, which would not know names not yet imported.
    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places})

    return get, names


def collect_seldom() -> None:
    """Let Python look for cycles a tenth as often as it does by itself.

    Libraries such as torch make hundreds of thousands of objects that stay, and each look goes over
    them, which is a tenth of the time that they take to import.
    """
    gc.set_threshold(10_000, 10, 10)


def shown_by(place: str, *arguments: object) -> str:
    """HTML by a function of a layer above the caller's: `module:function`, imported only now."""
    module, _, function = place.partition(":")
    return str(getattr(import_module(module), function)(*arguments))

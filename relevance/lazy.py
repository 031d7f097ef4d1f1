"""Names of a package that are imported when they are first asked for (PEP 562)."""

import ast
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
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
    stub = ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        each.name: str(node.module)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for each in node.names
        if not each.name.startswith("_")
    }


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


def shown_by(place: str, *arguments: object) -> str:
    """HTML by a function of a layer above the caller's: `module:function`, imported only now."""
    return str(resolve_name(place)(*arguments))

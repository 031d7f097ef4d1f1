"""No function takes more than seven parameters: who needs more lacks an object."""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import typer

from cli import hmnet, relevance
from hmnet.inserts.insert import adapter_modules
from hmnet.regularizers.regularizer import regularizers
from hmnet.samplers.sampler import samplers
from hmnet.surgery.surgery import surgeries

REPO = Path(__file__).resolve().parents[2]
MOST = 7
FOLDERS = ("relevance", "hmnet", "cli")
CHOSEN = (adapter_modules, regularizers, samplers, surgeries)
"""Kinds whose members a user chooses as `NAME:parameter=value`, parameters being what has defaults
in the constructor; those are settings."""

Place = tuple[str, str]
"""A file, and the qualified name of a function in it."""


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, bound: bool) -> list[str]:
    """Names of all parameters but that of the object or class."""
    of = node.args
    named = [each.arg for each in (*of.posonlyargs, *of.args)][bound:]
    more = [each.arg for each in (of.vararg, of.kwarg) if each is not None]
    return [*named, *(each.arg for each in of.kwonlyargs), *more]


def functions(tree: ast.AST, inside: str = "", of_class: bool = False) -> Iterator[Any]:
    """Qualified name and parameters of every function, however deep it stands."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            static = any(ast.unparse(each) == "staticmethod" for each in node.decorator_list)
            yield inside + node.name, parameters(node, of_class and not static)
        name = getattr(node, "name", "")
        below = f"{inside}{name}." if name else inside
        yield from functions(node, below, isinstance(node, ast.ClassDef))


def place(function: Callable[..., Any]) -> Place:
    """Where a function is defined, below its decorators."""
    inner = inspect.unwrap(function)
    file = Path(inspect.getfile(inner)).relative_to(REPO).as_posix()
    return file, inner.__qualname__


def commands(app: typer.Typer) -> Iterator[Place]:
    """Where the commands of an application are."""
    for command in app.registered_commands:
        assert command.callback is not None
        yield place(command.callback)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance)


def settings() -> dict[Place, set[str]]:
    """Parameters that a user types, by constructor."""
    members = [registry.find(name) for registry in CHOSEN for name in registry.names()]
    return {
        place(member.__init__): {
            name
            for name, each in inspect.signature(member).parameters.items()
            if each.default is not inspect.Parameter.empty
        }
        for member in members
        if "__init__" in vars(member) and not is_dataclass(member)
    }


def test_no_function_has_more_than_seven_parameters() -> None:
    typed = settings()
    exempt = {*commands(hmnet.app), *commands(relevance.app)}
    seen: dict[Place, list[str]] = {}
    for folder in FOLDERS:
        for file in (REPO / folder).rglob("*.py"):
            where = file.relative_to(REPO).as_posix()
            for name, taken in functions(ast.parse(file.read_text(encoding="utf-8"))):
                seen[where, name] = [
                    one for one in taken if one not in typed.get((where, name), ())
                ]
    assert exempt <= seen.keys()  # what is exempt is found, so that no name is stale
    assert typed.keys() <= seen.keys()
    many = {each: taken for each, taken in seen.items() if len(taken) > MOST and each not in exempt}
    assert not many, "\n".join(f"{where}: {name}{tuple(many[where, name])}" for where, name in many)


def test_the_count_sees_what_there_is() -> None:
    source = """
class A:
    @staticmethod
    def still(a, b): ...
    async def f(self, a, /, b, *c, d=1, **e):
        def inner(self): ...
if True:
    def late(): ...
"""
    assert list(functions(ast.parse(source))) == [
        ("A.still", ["a", "b"]),
        ("A.f", ["a", "b", "d", "c", "e"]),
        ("A.f.inner", ["self"]),
        ("late", []),
    ]

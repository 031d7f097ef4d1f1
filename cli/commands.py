"""Commands whose options are made when they are asked for, so that `--help` appears at once."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol, TypeVar, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand
from typer.main import get_command

from cli.flags import in_flags, options_of, runs

Function = TypeVar("Function", bound=Callable[..., Any])


class Group(Protocol):
    """Several options of a command that come as one argument, annotated with the group."""

    def parameters(self) -> list[inspect.Parameter]:
        """The options, as parameters that typer reads."""

    def value(self, options: Mapping[str, Any]) -> Any:
        """What the command gets for them.

        Args:
            options: Values by the parameters' names, as typer parsed them.

        Returns:
            The argument.
        """


class OfDataclass:
    """A group with an option for every field of a dataclass, of which the command gets one.

    Args:
        kind: The dataclass; the annotations of its fields say what the options are.
    """

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind

    def parameters(self) -> list[inspect.Parameter]:
        """The options, as parameters that typer reads."""
        hints = get_type_hints(self._kind, include_extras=True)
        return [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=hints[field.name],
            )
            for field in dataclasses.fields(self._kind)
        ]

    def value(self, options: Mapping[str, Any]) -> Any:
        """An instance of the dataclass."""
        return self._kind(**options)


class LateCommand(TyperCommand):
    """A command that reads the options of its function when it is run or explains itself.

    The list of all commands needs none of them, and another command none of this one's, while the
    settings that options are generated from take time to import.
    """

    _made: list[Any] | None = None

    @property
    def params(self) -> list[Any]:
        """Its options and arguments."""
        if self._made is None:
            self._make()
        return self._made or []

    @params.setter
    def params(self, _: list[Any]) -> None:
        """What typer found in the function that stands in for the real one."""

    def _make(self) -> None:
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(self.name)(expanded(inspect.unwrap(self.callback or expanded)))
        made = get_command(single)
        own = options_of(made.params)
        for option in made.params:
            for said in ("help", "show_default"):
                if isinstance(text := getattr(option, said, None), str):
                    setattr(option, said, in_flags(text, own))
        self._made, self.callback = made.params, made.callback

    def invoke(self, ctx: Any) -> Any:
        """Run it; what it says of settings from now on names its options."""
        runs(options_of(self.params))
        return super().invoke(ctx)


def parameters_of(app: typer.Typer) -> list[Any]:
    """The options and arguments of all commands of an app, which takes some time.

    Args:
        app: The app.

    Returns:
        Those of one command after another.
    """
    group: Any = get_command(app)
    return [parameter for each in group.commands.values() for parameter in each.params]


def command(app: typer.Typer, name: str | None = None) -> Callable[[Function], Function]:
    """Add a command to an app.

    Args:
        app: The app.
        name: What the command is called; None for the function's name.

    Returns:
        A decorator of the command's function, whose parameters may be groups of options: those
        annotated with a dataclass, or with `Annotated[..., group]`.
    """

    def add(function: Function) -> Function:
        @functools.wraps(function)
        def later() -> None:
            """Stands in for the function, as it has no options yet."""

        later.__signature__ = inspect.Signature()  # type: ignore[attr-defined]
        later.__annotations__ = {}
        app.command(name, cls=LateCommand)(later)
        return function

    return add


def expanded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command's function with every option in its signature.

    Args:
        function: As `command` takes it.

    Returns:
        The function with the options of its groups in place of the groups.
    """
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, tuple[Group, list[str]]] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        group = _group(hints[name])
        if group is None:
            parameters.append(parameter.replace(annotation=hints[name]))
            continue
        members = group.parameters()
        groups[name] = group, [member.name for member in members]
        parameters += members

    @functools.wraps(function)
    def call(**options: Any) -> Any:
        for name, (group, members) in groups.items():
            options[name] = group.value({member: options.pop(member) for member in members})
        return function(**options)

    ordered = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    call.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in ordered}
    return call


def _group(annotation: Any) -> Group | None:
    """The group that a parameter stands for, None for a single option."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return OfDataclass(annotation)
    if get_origin(annotation) is Annotated:
        return next((each for each in get_args(annotation) if hasattr(each, "parameters")), None)
    return None

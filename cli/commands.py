"""Commands whose options are made when they are asked for, so that `--help` appears at once."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand
from typer.main import get_command

from cli.flags import in_flags, options_of, runs
from cli.generated import SettingsOf
from cli.next_step import say_next
from cli.quiet import with_quiet
from relevance.numerals import integer

Function = TypeVar("Function", bound=Callable[..., Any])


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
        function = expanded(inspect.unwrap(self.callback or expanded))
        single.command(self.name)(with_quiet(function))
        made = get_command(single)
        own = options_of(made.params)
        option: Any
        for option in made.params:
            option.process_value = _strict(option)
            for said in ("help", "show_default"):
                if isinstance(text := getattr(option, said, None), str):
                    setattr(option, said, in_flags(text, own))
        self._made, self.callback = made.params, made.callback

    def invoke(self, ctx: Any) -> Any:
        """Run it; what it says of settings from now on names its options."""
        runs(options_of(self.params))
        status = super().invoke(ctx)
        say_next(ctx.command_path, ctx.params, status)
        return status


def _strict(option: Any) -> Callable[[Any, Any], Any]:
    """The reading of an option's value, with whole numbers as digits alone.

    typer reads `3.0` as 3 and `1_0` as 10.
    """
    read: Callable[[Any, Any], Any] = option.process_value

    def process_value(context: Any, value: Any) -> Any:
        found = read(context, value)
        if isinstance(value, str) and type(found) is int and integer(value) is None:
            raise typer.BadParameter(f"'{value}' is no whole number.", context, option)
        return found

    return process_value


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
        A decorator of the command's function, whose parameters may be groups of options, annotated
        `Annotated[Given, SettingsOf(...)]`.
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
    groups: dict[str, SettingsOf] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        said = get_args(hints[name]) if get_origin(hints[name]) is Annotated else ()
        group = next((each for each in said if isinstance(each, SettingsOf)), None)
        if group is None:
            parameters.append(parameter.replace(annotation=hints[name]))
            continue
        groups[name] = group
        parameters += group.parameters()

    @functools.wraps(function)
    def call(**options: Any) -> Any:
        for name, group in groups.items():
            options[name] = group.value({field: options.pop(field) for field in group.fields()})
        return function(**options)

    ordered = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    call.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in ordered}
    return call

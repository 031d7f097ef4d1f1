"""Whether the command that runs was asked to be quiet: no progress, no next step."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

_quiet = False

QuietOption = Annotated[
    bool, typer.Option("--quiet", help="No progress and no next step; notes and errors stay.")
]


def is_quiet() -> bool:
    """Whether progress is not to be shown."""
    return _quiet


def with_quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option `--quiet`.

    Args:
        function: The command's function, with every option in its signature.

    Returns:
        The function with one option more, which it is not told of.
    """

    @functools.wraps(function)
    def call(*, quiet: bool = False, **options: Any) -> Any:
        global _quiet
        _quiet = quiet
        return function(**options)

    own = inspect.signature(function)
    option = inspect.Parameter(
        "quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=QuietOption
    )
    call.__signature__ = own.replace(parameters=[*own.parameters.values(), option])  # type: ignore[attr-defined]
    call.__annotations__ = {**function.__annotations__, "quiet": QuietOption}
    return call

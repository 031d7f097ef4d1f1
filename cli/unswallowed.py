"""Exceptions that destructors and C libraries print and drop, handed to whoever waits for them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

Kind = TypeVar("Kind", bound=BaseException)


@contextmanager
def unswallowed(kind: type[Kind], found: Callable[[Kind], None]) -> Iterator[None]:
    """Hand on exceptions of a kind that Python would print and drop while the block runs.

    It drops what is raised in `__del__`, in callbacks of weak references and the garbage collector,
    and in Python functions that C calls, such as readers of fonts; `PyErr_Print`, as in the imports
    of libraries built on NumPy, prints as if the program ended.

    Args:
        kind: Exceptions that nobody shall swallow.
        found: Function that is given each; what it raises would be dropped as well.

    Yields:
        Nothing.
    """
    unraisable, uncaught = sys.unraisablehook, sys.excepthook

    def dropped(args: "UnraisableHookArgs") -> None:
        if isinstance(args.exc_value, kind):
            found(args.exc_value)
        else:
            unraisable(args)

    def printed(of: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        if isinstance(value, kind):
            found(value)
        else:
            uncaught(of, value, trace)

    sys.unraisablehook, sys.excepthook = dropped, printed
    try:
        yield
    finally:
        sys.unraisablehook, sys.excepthook = unraisable, uncaught

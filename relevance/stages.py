"""How far a long computation is, for whoever shows it: a stage counts, and a listener is told.

Nobody need listen, and then counting costs next to nothing. Stages may stand in one another, such
as batches in a task; the listener is told of all of them.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(eq=False)
class Stage:
    """Part of a computation.

    Attributes:
        what: Name of what is counted, in the plural, such as `tasks`.
        total: Number of them; None where it is not known before the end.
        done: Number of those that are done.
    """

    what: str
    total: int | None
    done: int = 0


Listener = Callable[[tuple[Stage, ...]], None]

_stages: list[Stage] = []
_listeners: list[tuple[Listener, tuple[Stage, ...]]] = []
"""With the stages that were there before: a loop that an error ended lives as long as the error."""


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have a function told whenever a stage begins or goes on.

    Args:
        listener: Function that takes the stages, the outermost first; it is called often and must
            return at once. Of several the last one is told, of what began after it.

    Yields:
        Nothing.
    """
    own = listener, tuple(_stages)
    _listeners.append(own)
    try:
        yield
    finally:
        _listeners.remove(own)


@contextmanager
def stage(what: str, total: int | None = None, *, every: int = 1) -> Iterator[Callable[[], None]]:
    """Begin a stage.

    Args:
        what: Name of what is counted.
        total: Number of them, None where it is not known.
        every: Number of them that are told at once, where one takes no time to speak of.

    Yields:
        A function to call whenever one more is done.
    """
    own = Stage(what, total)
    _stages.append(own)
    _tell()

    def advance() -> None:
        own.done += 1
        if own.done % every == 0:
            _tell()

    try:
        yield advance
    finally:
        _stages.remove(own)


def counted(items: Collection[Item], what: str, *, every: int = 1) -> Iterator[Item]:
    """Go through items as a stage.

    Args:
        items: What is gone through.
        what: Name of what they are, in the plural.
        every: Number of them that are told at once.

    Yields:
        The items.
    """
    with stage(what, len(items), every=every) as advance:
        for item in items:
            yield item
            advance()


def share_done(stages: tuple[Stage, ...]) -> float | None:
    """Share of the outermost stage that is done, counting what inner ones have done of it.

    Args:
        stages: The outermost first.

    Returns:
        A number in [0, 1]; None where the outermost has no total.

    >>> share_done((Stage("tasks", 4, 1), Stage("batches", 10, 5)))
    0.375
    """
    share, part = 0.0, 1.0
    for each in stages:
        if not each.total:
            return None if each is stages[0] else share
        share += part * each.done / each.total
        part /= each.total
    return min(share, 1.0)


def _tell() -> None:
    if _listeners:
        listener, before = _listeners[-1]
        if stages := tuple(each for each in _stages if each not in before):
            listener(stages)

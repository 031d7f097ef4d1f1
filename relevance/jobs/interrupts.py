"""Ctrl-C and SIGTERM that wait for the end of what must not be left half done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handlers = dict[signal.Signals, Any]


class Held:
    """The signal that came while it was held back, if any."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextmanager
def handled_interrupts(handler: Callable[[int, FrameType | None], None]) -> Iterator[Handlers]:
    """Let a function of ours have Ctrl-C and SIGTERM; those that are ignored stay ignored.

    Args:
        handler: The function, as `signal.signal` takes it.

    Yields:
        The handlers by signal that the block took the place of, and that it gives way to again.
        None outside the main thread, where Python handles no signals.
    """
    former = {n: own for n, own in _handlers().items() if own != signal.SIG_IGN}
    try:
        set_handlers(dict.fromkeys(former, handler))
        yield former
    finally:
        set_handlers(former)


@contextmanager
def kept_handlers() -> Iterator[None]:
    """Put back what handles Ctrl-C and SIGTERM, whatever a library sets in the block."""
    former = _handlers()
    try:
        yield
    finally:
        set_handlers(former)


def _handlers() -> Handlers:
    """What handles each signal; none outside the main thread, and where it is not Python's."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    known = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    return {number: own for number, own in known.items() if own is not None}


def set_handlers(handlers: Handlers) -> None:
    """Set what handles each signal."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


@contextmanager
def held_interrupts() -> Iterator[Held]:
    """Hold back the first Ctrl-C or SIGTERM; a second one takes effect at once.

    Yields:
        The signal that came so far. When the block ends, the signal is raised again and does what
        it would have done: `KeyboardInterrupt` for Ctrl-C, the end of the process for SIGTERM.
        Outside the main thread, where Python handles no signals, nothing is held back.
    """
    held = Held()

    def hold(number: int, _: FrameType | None) -> None:
        held.signal = number
        set_handlers(former)

    with handled_interrupts(hold) as former:
        yield held
    # After the former handlers are back, so that it does what it would have done without the block.
    if held.signal is not None:
        signal.raise_signal(held.signal)

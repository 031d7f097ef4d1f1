"""Ctrl-C and SIGTERM that wait for the end of what must not be left half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Held:
    """The signal that came while it was held back, if any."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextmanager
def held_interrupts() -> Iterator[Held]:
    """Hold back the first Ctrl-C or SIGTERM; a second one takes effect at once.

    Yields:
        The signal that came so far. When the block ends, the signal is raised again and does what
        it would have done: `KeyboardInterrupt` for Ctrl-C, the end of the process for SIGTERM.
        Outside the main thread, where Python handles no signals, nothing is held back.
    """
    held = Held()
    if threading.current_thread() is not threading.main_thread():
        yield held
        return
    former = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if (handler := signal.getsignal(number)) not in (None, signal.SIG_IGN)
    }

    def restore() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)

    def hold(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature is Python's
        held.signal = number
        restore()

    for number in former:
        signal.signal(number, hold)
    try:
        yield held
    finally:
        restore()
    # After `restore`, so that it does what it would have done without the block.
    if held.signal is not None:
        signal.raise_signal(held.signal)

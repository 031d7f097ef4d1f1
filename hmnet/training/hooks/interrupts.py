"""Ctrl-C and SIGTERM wait for the end of a step, so that weights are never half updated."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hmnet.training.hooks.hook import Hook
from hmnet.training.state import TrainingState, Update


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
        What came so far. When the block ends, the signal is raised again and does what it would
        have done: `KeyboardInterrupt` for Ctrl-C, the end of the process for SIGTERM. Outside the
        main thread, where Python handles no signals, nothing is held back.
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
    if held.signal is not None:
        signal.raise_signal(held.signal)


class Interrupts(Hook):
    """Stops training after the step in which Ctrl-C or SIGTERM came.

    It stands before what keeps checkpoints, so that there is one of that step. Where several
    processes train together it does nothing: one that stopped after its step would leave the others
    waiting in the next.
    """

    def __init__(self) -> None:
        self._held = Held()

    @contextmanager
    def around(self, state: TrainingState) -> Iterator[None]:
        """Hold signals back."""
        if state.ranks.count > 1:
            yield
            return
        with held_interrupts() as self._held:
            yield

    def step(self, state: TrainingState, update: Update) -> None:  # noqa: ARG002
        """Stop if a signal came."""
        state.interrupted = bool(self._held)

    def epoch(self, state: TrainingState) -> None:
        """Stop if a signal came meanwhile, as scoring an epoch takes long."""
        state.interrupted = bool(self._held)

"""stdout and stderr that may be full, closed, or read to the first lines only."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from cli.quiet import is_quiet
from relevance.errors import RelevanceError
from relevance.escaping import for_line


class _Stream:
    """A text stream that does not raise; what cannot be written is dropped.

    Work goes on, so that files which are still to be written are written.

    Args:
        stream: The one beneath, None where it is closed.
        nowhere: What stands in for a closed one, as libraries ask whether it is a terminal.
    """

    def __init__(self, stream: TextIO | None, nowhere: TextIO) -> None:
        self._stream = stream or nowhere
        self.failure: Exception | None = None if stream else OSError("it is closed")
        self._was_used = stream is not None  # a closed stream is missed once something is written

    def write(self, text: str) -> int:
        """Take a text; dropped once a write has failed."""
        self._was_used = True
        if self.failure is None:
            try:
                self._stream.write(text)
            except (OSError, ValueError) as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Pass on what was taken."""
        if self.failure is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.failure = error
        if not isinstance(error, UnicodeError):
            _drop_what_is_left(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Results(_Stream):
    """stdout. That it fails is told at the end; that nobody reads on is no failure.

    Args:
        stream: The one beneath, None where it is closed.
        nowhere: What stands in for a closed one.
        notes: stderr, where a line that was begun is wiped off before the first result.
    """

    def __init__(self, stream: TextIO | None, nowhere: TextIO, notes: "Notes") -> None:
        super().__init__(stream, nowhere)
        self._notes = notes

    def write(self, text: str) -> int:
        """Take a text; dropped once a write has failed."""
        self._notes.go_on()
        return super().write(text)

    @property
    def is_lost(self) -> bool:
        """Whether what is written from now on reaches nobody."""
        return self.failure is not None

    def check(self) -> None:
        """Say that results are lost.

        Raises:
            RelevanceError: If something could not be written, but to a reader who has gone.
        """
        self.flush()
        error = self.failure
        if error is None or isinstance(error, BrokenPipeError) or not self._was_used:
            return
        if isinstance(error, UnicodeEncodeError):
            character = error.object[error.start]
            raise RelevanceError(
                f"stdout takes {error.encoding} only, which has no {for_line(ascii(character))}."
                " Set PYTHONIOENCODING=utf-8, or write a file where the command has --out."
            )
        reason = getattr(error, "strerror", None) or error
        raise RelevanceError(f"stdout cannot be written: {reason}.")


LOADING_AFTER_S = 1.0
"""How long a command may be silent while it loads libraries."""


class Notes(_Stream):
    """stderr. It has a line on loading where that takes long, before there are results.

    Whatever is written next wipes the line off a terminal; in a log file it is a whole line.

    Args:
        stream: The one beneath, None where it is closed.
        nowhere: What stands in for a closed one.
        name: What the line begins with.
    """

    def __init__(self, stream: TextIO | None, nowhere: TextIO, name: str) -> None:
        super().__init__(stream, nowhere)
        self._name = name
        self._lock = threading.RLock()
        self._waiting: threading.Timer | None = None
        self._untouched, self._has_begun = True, False

    def begin_soon(self) -> None:
        """Begin the line in a moment, unless something else is written before that."""
        if self._untouched and self._waiting is None:
            self._waiting = threading.Timer(LOADING_AFTER_S, self._begin)
            self._waiting.daemon = True
            self._waiting.start()

    def _begin(self) -> None:
        with self._lock:
            if self._untouched:
                self._has_begun, self._untouched = self._stream.isatty(), False
                super().write(f"{self._name}: loading ..." + "\n" * (not self._has_begun))
                super().flush()

    def write(self, text: str) -> int:
        """Take a text, on a line of its own."""
        self.go_on()
        return super().write(text)

    def go_on(self) -> None:
        """Wipe off what was begun, so that something else can be written."""
        with self._lock:
            self._untouched = False
            if self._waiting is not None:
                self._waiting.cancel()
            if self._has_begun:
                self._has_begun = False
                super().write("\r\x1b[K")
                super().flush()


def begin_soon() -> None:
    """Say in a moment that a command has begun; of several processes one does."""
    from hmnet.training.launch import is_main_process

    if isinstance(sys.stderr, Notes) and not is_quiet() and is_main_process():
        sys.stderr.begin_soon()


@contextmanager
def standing_streams(name: str) -> Iterator[Results]:
    """Put streams that do not raise in the place of `sys.stdout` and `sys.stderr`.

    Args:
        name: The command's.

    Yields:
        The one for stdout.
    """
    _occupy_closed_descriptors()
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - it is no path
        notes = Notes(sys.stderr, nowhere, name)
        results = Results(sys.stdout, nowhere, notes)
        sys.stdout, sys.stderr = results, notes
        try:
            yield results
        finally:
            notes.go_on()
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = before


def _occupy_closed_descriptors() -> None:
    """Keep files that are opened later from becoming stdin, stdout or stderr by their number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _drop_what_is_left(stream: TextIO) -> None:
    """Let the interpreter's last flush succeed: what is still buffered goes nowhere."""
    with suppress(OSError, ValueError):  # streams in memory have no number
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)

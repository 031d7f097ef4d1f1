"""What is going on, on stderr: one live line on a terminal, now and then a plain line elsewhere."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from relevance.escaping import for_line

if TYPE_CHECKING:
    from hmnet.runs.train import Note
    from hmnet.training.hooks.progress import Progress
    from relevance.jobs.job import Event

PLAIN_EVERY_S = 10.0


class StatusLine:
    """One line that changes in place on a terminal and is repeated now and then in a log file."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._live = Live(
            Text("loading ..."), console=self._console, refresh_per_second=4, transient=True
        )
        self._printed, self._printed_at = "", float("-inf")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def update(self, text: str, *, last: bool = False) -> None:
        """Show where things stand.

        Args:
            text: The line.
            last: Print it in a log file whenever the one before was printed.
        """
        if self._console.is_terminal:
            self._live.update(Text(for_line(text), no_wrap=True, overflow="ellipsis"))
        elif text != self._printed and (
            last or time.monotonic() - self._printed_at >= PLAIN_EVERY_S
        ):
            self._printed, self._printed_at = text, time.monotonic()
            self._print(text)

    def pass_by(self, text: str) -> None:
        """Show on a terminal what goes on; a log file, where bad input is one line, goes without.

        Args:
            text: The line.
        """
        if self._console.is_terminal:
            self.update(text)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(Text(for_line(text)), soft_wrap=True, highlight=False)


class StudyLine(StatusLine):
    """Jobs done, running and failed, and the time left."""

    def on_event(self, event: "Event") -> None:
        """Show what happened to a job.

        Args:
            event: As the scheduler tells it.
        """
        if event.kind == "failed":
            self.say(f"failed: {event.job}: {event.error}")
        elif event.kind == "retried":
            self.say(f"{event.job}: its worker was killed; it runs once more at the end")
        to_do = event.total - event.done - event.failed
        ended = to_do == 0
        left = "" if ended else f", {duration(event.left_s)} left"
        cached = f" ({event.cached} cached)" if event.cached else ""
        on = f" on {event.workers} worker(s)" if event.workers and not ended else ""
        free = event.running < min(event.workers or 1, to_do)
        if event.kind == "done" and free and not self._console.is_terminal:
            return  # its worker begins another at once, and is told to work in the next line
        self.update(
            f"{event.done} of {event.total} jobs done{cached}, {event.running} running{on},"
            f" {event.failed} failed{left}",
            last=ended and event.kind != "begun",
        )


class TrainingLine(StatusLine):
    """Steps done, loss, steps per second, and the time left.

    Args:
        run: How to name the run.
    """

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def on_event(self, event: "Progress | Note") -> None:
        """Show a step, or pass on a note.

        Args:
            event: As training tells it.
        """
        from hmnet.runs.train import Note

        if isinstance(event, Note) and event.passing:
            self.pass_by(f"{self._run}: {event.text}")
            return
        if isinstance(event, Note):
            self.say(f"hmnet: note: {event.text}")
            return
        term = "" if event.term is None else f" + {event.term:.4f}"
        self.update(
            f"{self._run}: step {event.step} of {event.total}, {event.task},"
            f" loss {event.loss:.4f}{term}, {event.steps_per_s:.2f} steps/s,"
            f" {duration(event.left_s)} left",
            last=event.step == event.total,
        )


def duration(seconds: float | None) -> str:
    """A time left in words.

    >>> duration(None), duration(42.3), duration(3661)
    ('?', '42 s', '1 h 01 min')
    """
    if seconds is None:
        return "?"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"

"""How a study goes, in words; as plain lines on stderr where nothing else shows them."""

import sys
import time

from relevance.escaping import for_line
from relevance.jobs.job import Event

EVERY_S = 10.0


class PlainLine:
    """What goes on, as lines on stderr: the first at once, then one every ten seconds."""

    live = False
    """Whether what is shown gives way to the next; plain lines stay."""

    def __init__(self) -> None:
        self._printed, self._printed_at = "", float("-inf")

    def update(self, text: str, *, last: bool = False) -> None:
        """Print where things stand, unless a line was printed a moment ago.

        Args:
            text: The line.
            last: Whether nothing comes after it, so that it is printed in any case.
        """
        if text != self._printed and (last or time.monotonic() - self._printed_at >= EVERY_S):
            self._printed, self._printed_at = text, time.monotonic()
            self.say(text)

    def pass_by(self, text: str) -> None:
        """Print what goes on before there is anything to count, such as loading.

        Args:
            text: The line.
        """
        self.say(text)

    def say(self, text: str) -> None:
        """Print a line that stays.

        Args:
            text: The line; control characters are spelt out.
        """
        sys.stderr.write(f"{for_line(text)}\n")


class StudyLog(PlainLine):
    """Jobs done, running and failed, and the time left."""

    def on_event(self, event: Event) -> None:
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
        if event.kind == "done" and free and not self.live:
            return  # its worker begins another at once, and is told to work in the next line
        self.update(
            f"{event.done} of {event.total} jobs done{cached}, {event.running} running{on},"
            f" {event.failed} failed{left}",
            last=ended and event.kind != "begun",
        )


def duration(seconds: float | None) -> str:
    """A time left in words.

    Args:
        seconds: The time; None where it is not known.

    Returns:
        Words of a few characters.

    >>> duration(None), duration(42.3), duration(3661.0)
    ('?', '42 s', '1 h 01 min')
    """
    if seconds is None:
        return "?"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"

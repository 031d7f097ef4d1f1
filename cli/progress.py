"""What is going on, on stderr: one live line on a terminal, now and then a plain line elsewhere."""

import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.flags import in_flags
from cli.quiet import is_quiet
from cli.streams import begin_soon
from hmnet.runs.telling import TrainingLog
from relevance.escaping import for_line
from relevance.jobs.telling import PlainLine, StudyLog, duration
from relevance.stages import Stage, listening, share_done

SILENT_S = 2.0
"""Work that takes no longer than this is not counted in a log file."""


class StatusLine(PlainLine):
    """One line that changes in place on a terminal and is repeated now and then in a log file.

    Args:
        *named: What the lines of a log are made with.
    """

    def __init__(self, *named: str) -> None:
        super().__init__(*named)
        self._console = Console(stderr=True)
        self._live = Live(
            Text("loading ..."), console=self._console, refresh_per_second=4, transient=True
        )
        self.live = self._console.is_terminal and not is_quiet()
        self._listening = ExitStack()
        self._began: tuple[Stage | None, float] = None, 0.0

    def __enter__(self) -> Self:
        if self.live:
            self._live.start()
        else:
            begin_soon()
        self._listening.enter_context(listening(self.on_stages))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.close()
        self._live.stop()

    def update(self, text: str, *, last: bool = False) -> None:
        """Show where things stand.

        Args:
            text: The line.
            last: Print it in a log file whenever the one before was printed.
        """
        if self.live:
            self._live.update(Text(for_line(text), no_wrap=True, overflow="ellipsis"))
        elif not is_quiet():
            super().update(text, last=last)

    def on_stages(self, stages: tuple[Stage, ...]) -> None:
        """Show how far counted work is, and how long it will take at the pace so far.

        Args:
            stages: The outermost first.
        """
        now = time.monotonic()
        if self._began[0] is not stages[0]:
            self._began = stages[0], now
        passed_s = now - self._began[1]
        if not self.live and passed_s < SILENT_S:
            return
        counts = (
            f"{each.what}: {each.done}" + (f" of {each.total}" if each.total else "")
            for each in stages
        )
        share = share_done(stages)
        left = f", {duration(passed_s * (1 / share - 1))} left" if share else ""
        self.update(", ".join(counts) + left)

    def pass_by(self, text: str) -> None:
        """Show on a terminal what goes on; a log file, where bad input is one line, goes without.

        Args:
            text: The line.
        """
        if self.live:
            self.update(text)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(Text(for_line(in_flags(text))), soft_wrap=True, highlight=False)


class StudyLine(StatusLine, StudyLog):
    """Jobs done, running and failed, and the time left."""


class TrainingLine(StatusLine, TrainingLog):
    """Steps done, loss, steps per second, and the time left."""

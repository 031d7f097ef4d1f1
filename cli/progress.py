"""What is going on, on stderr: one live line on a terminal, now and then a plain line elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

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

if TYPE_CHECKING:
    from hmnet.runs.train import Note
    from hmnet.training.hooks.progress import Progress

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


class RunLine(TrainingLine):
    """Training of one of several runs, and the time left for all of them.

    Args:
        run: How to name the run.
        after: Number of runs that are to be trained after it.
        took_s: Seconds that runs before it took, to which its own are added.
    """

    def __init__(self, run: str, after: int, took_s: list[float]) -> None:
        super().__init__(run)
        self._after, self._took_s = after, took_s
        self._begun_at, self._was_trained = time.monotonic(), False

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        if self._was_trained:  # one that was finished before takes no time
            self._took_s.append(time.monotonic() - self._begun_at)

    def left(self, event: "Progress") -> str:
        """The time left in words, for this run and for all.

        Args:
            event: A step that is done.

        Returns:
            What the line on it ends with.
        """
        self._was_trained = True
        own_s = time.monotonic() - self._begun_at + event.left_s
        all_s = event.left_s + self._after * fmean([*self._took_s, own_s])
        return super().left(event) + (f", {duration(all_s)} for all runs" if self._after else "")


class RunsLines:
    """A line for each of several runs that are trained one after the other.

    Args:
        total: Number of runs.
    """

    def __init__(self, total: int) -> None:
        self._total, self._begun = total, 0
        self._took_s: list[float] = []

    @contextmanager
    def watch(self, folder: Path) -> Iterator[Callable[["Progress | Note"], None]]:
        """The line of the next run.

        Args:
            folder: Folder of the run.

        Yields:
            A function that is told about its steps.
        """
        self._begun += 1
        name = f"run {self._begun} of {self._total}, {folder}"
        with RunLine(name, self._total - self._begun, self._took_s) as line:
            yield line.on_event

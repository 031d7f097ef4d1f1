"""What a run writes down while it trains: `log.jsonl`, and a tracker where it is asked for."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOBase
from pathlib import Path
from typing import Any

from hmnet.runs.folder import LOG
from hmnet.runs.tracker import Log, open_tracker
from hmnet.settings.config import TrackerName
from hmnet.training.hooks.progress import Progress
from relevance.disk.files import read_text, unwritable, write_text
from relevance.disk.parsing import parse_json
from relevance.errors import RelevanceError


@dataclass(frozen=True)
class RunLog:
    """Takes down every step.

    Attributes:
        path: Path of the `log.jsonl`, for messages.
        file: The log, open.
        tracker: Function that takes values too, or None.
    """

    path: Path
    file: TextIOBase
    tracker: Log | None = None

    def step(self, progress: Progress) -> None:
        """Write a step, as one JSON line with the time in UTC.

        Args:
            progress: The step.
        """
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "task": progress.task,
            "step": progress.step,
            "loss": progress.loss,
            "lr": progress.lr,
            "steps_per_s": round(progress.steps_per_s, 3),
            "rows": progress.rows,
        }
        if progress.uncertainty is not None:
            line["uncertainty"] = progress.uncertainty
        if progress.term is not None:
            line["term"] = progress.term
        if progress.objectives:
            line["objectives"] = {
                name: score._asdict() for name, score in progress.objectives.items()
            }
        self._write(line)
        if self.tracker is not None:
            values = {f"loss/{progress.task}": progress.loss, "lr": progress.lr}
            if progress.term is not None:
                values[f"term/{progress.task}"] = progress.term
            for name, (loss, accuracy) in progress.objectives.items():
                values |= {f"{name}/loss": loss, f"{name}/accuracy": accuracy}
            self.tracker(values, progress.step)

    def scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Write scores on dev, as one JSON line.

        Args:
            step: Number of steps done.
            scores: Values by name.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._write({"time": time, "step": step, "dev": dict(scores)})
        if self.tracker is not None:
            values = {f"dev/{name}": value for name, value in scores.items()}
            self.tracker(values, step)

    def _write(self, line: Mapping[str, Any]) -> None:
        with _writing(self.path):
            self.file.write(json.dumps(line) + "\n")


@contextmanager
def open_log(
    folder: Path,
    tracker: TrackerName | None,
    device: str,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[RunLog]:
    """Open the log of a run; a resumed one goes on where its last line stands.

    Args:
        folder: Folder of the run.
        tracker: Where values go besides the log; None for nowhere.
        device: The run's, for accelerate.
        settings: What a tracker shows beside the run.

    Yields:
        The log.

    Raises:
        RelevanceError: If the file cannot be written, or the tracker cannot begin.
    """
    path = folder / LOG
    with _writing(path):
        file = path.open("a", encoding="utf-8", buffering=1)
    on_cpu = device == "cpu"
    with (
        file,
        open_tracker(tracker, folder, _name(folder), on_cpu=on_cpu, settings=settings) as track,
    ):
        yield RunLog(path, file, track)


def _name(folder: Path) -> str:
    """What a run is called in a tracker: its folder, and the one above where that says a seed."""
    folder = folder.absolute()
    return "/".join(folder.parts[-2:] if folder.name.startswith("seed-") else folder.parts[-1:])


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say in one line that a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def truncate_log(log: Path, step: int) -> None:
    """Take out the lines of steps that a resumed run will train once more.

    Args:
        log: The `log.jsonl`; none is no error, and a line cut off by a kill is taken out too.
        step: The last step that stays.

    Raises:
        RelevanceError: If the file cannot be read or written.
    """
    if log.exists():
        steps = range(1, step + 1)
        lines = read_text(log).splitlines(keepends=True)
        write_text(log, "".join(line for line in lines if _is_of(line, steps)))


def _is_of(line: str, steps: range) -> bool:
    try:
        return parse_json(line, row=True)["step"] in steps
    except (RelevanceError, KeyError, TypeError):
        return False

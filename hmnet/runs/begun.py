"""A run's folder in the hands of one process, and what a killed one left in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hmnet.runs.folder import CHECKPOINT, LOG, SCORES
from hmnet.training.checkpoint import discard_checkpoint
from relevance.disk.folders import LOCK, alone, discard, drafts, remove_drafts
from relevance.disk.manifest import MANIFEST
from relevance.errors import RelevanceError


@contextmanager
def begun(out: Path, begin: Callable[[Path], None]) -> Iterator[bool]:
    """Have a run's folder to oneself.

    Args:
        out: The folder. If it is begun now and the block fails before anything was trained, it goes
            again. What killed processes left unfinished in it is taken away.
        begin: Puts into a new folder what makes it one that can be resumed.

    Yields:
        Whether it is begun now.

    Raises:
        RelevanceError: If another process has it, or it cannot be written.
    """
    with alone(out, begin, doing="trained") as is_new:
        remove_drafts(out)
        if not (out / SCORES).exists():
            (out / MANIFEST).unlink(missing_ok=True)  # what it is about may still change
        try:
            yield is_new
        except Exception:
            if is_new and not _has_progress(out):
                discard(out)
            raise


def _has_progress(out: Path) -> bool:
    """Whether a step of a run was written down, or anything kept of it."""
    log = out / LOG
    kept = (out / CHECKPOINT).exists() or (out / "model").exists()
    return kept or (log.exists() and log.stat().st_size > 0)


def tidy(out: Path) -> None:
    """Take away what a kill left of the last moments of a run, if the folder may be written.

    Args:
        out: Folder of a finished run.
    """
    left = (out / LOCK, out / CHECKPOINT, *drafts(out))
    if any(path.exists() for path in left):
        with suppress(RelevanceError), alone(out):
            remove_drafts(out)
            discard_checkpoint(out / CHECKPOINT)

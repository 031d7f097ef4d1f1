"""A run's folder in the hands of one process, and what a killed one left in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hmnet.runs.folder import CHECKPOINT, LOG, SCORES, START
from hmnet.training.checkpoint import discard_checkpoint
from relevance.disk.files import read_json, write_json
from relevance.disk.folders import LOCK, alone, discard, drafts, remove_drafts
from relevance.disk.manifest import MANIFEST
from relevance.errors import RelevanceError

START_SCHEMA = "hmnet.start/1"


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


def keep_start(folder: Path, backbone: str, digest: str) -> None:
    """Write down what weights a run begins with, or refuse to go on with it from others.

    Args:
        folder: The run's. One that was begun by an older version says nothing yet.
        backbone: Name of the backbone, for the message.
        digest: Of the weights as they are now.

    Raises:
        RelevanceError: If the run was begun with other weights.
    """
    path = folder / START
    if not path.exists():
        write_json(path, START_SCHEMA, {"weights": digest})
    elif read_json(path, START_SCHEMA).get("weights") != digest:
        raise RelevanceError(
            f"{folder} was started with other weights or word vectors than {backbone} has now. Put"
            " the old ones back to resume, or give another `out`."
        )


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
    left = (out / LOCK, out / CHECKPOINT, out / START, *drafts(out))
    if any(path.exists() for path in left):
        with suppress(RelevanceError), alone(out):
            remove_drafts(out)
            discard_start(out)


def discard_start(out: Path) -> None:
    """Take away what resuming needs, as nothing is left to be trained.

    Args:
        out: The run's folder.

    Raises:
        RelevanceError: If it cannot be removed.
    """
    discard_checkpoint(out / CHECKPOINT)
    (out / START).unlink(missing_ok=True)

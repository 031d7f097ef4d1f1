"""Folders that are whole or not there, and that one process writes at a time.

What is written first goes to a hidden folder beside the place, whose name ends in `.tmp` and in
which a file is locked for as long as the process lives. So whoever comes next can tell what a
killed process left behind, and takes it away.
"""

import errno
import glob
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from relevance.disk.files import RANDOM, link_target, unwritable, usual_mode
from relevance.errors import RelevanceError

LOCK = ".lock"
CONTENT = "content"
ATTEMPTS = 100
# What renaming a draft says where another process has put a folder with files there meanwhile.
TAKEN = frozenset({errno.ENOTEMPTY, errno.EEXIST})


def _nothing(_: Path) -> None:
    """Put nothing into a new folder."""


@contextmanager
def alone(
    folder: Path, begin: Callable[[Path], None] = _nothing, *, doing: str = "written"
) -> Iterator[bool]:
    """Keep other processes out of a folder; one that is not there appears with its lock held.

    Nothing is written into the folder before this process has it. A process loses its lock when it
    ends in whichever way, so a killed one leaves nothing locked.

    Args:
        folder: The place; parents are made.
        begin: Puts the first files into the folder that it is given, which then takes the place of
            a missing or empty one. It is not called for a folder with something in it.
        doing: Participle for what another process would do to the folder, for the message.

    Yields:
        Whether the folder was begun now. Folders that were made for it and are empty when the
        block ends go again.

    Raises:
        RelevanceError: If another process has the folder, or it cannot be written.
    """
    made: list[Path] = []
    try:
        place = link_target(folder)
        made = _make_parents(place)
        lock, is_new = _begun(place, begin) or (_lock(place), False)
    except BaseException as error:
        _remove_empty(made)
        if isinstance(error, Timeout):
            raise RelevanceError(
                f"{folder} is being {doing} by another process. Wait for it, or give another place."
            ) from None
        if isinstance(error, OSError):
            locking = folder.is_dir() and Path(error.filename or "").name == LOCK
            raise unwritable(folder / LOCK if locking else folder, error) from error
        raise
    try:
        yield is_new
    finally:
        # While the lock is held: whoever has the file open sees that it has gone, and makes a new
        # one, which nobody else has then.
        with suppress(OSError):
            (place / LOCK).unlink()
        lock.release()
        _remove_empty([place, *made] if is_new else made)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder that takes its place when the block ends well.

    Args:
        folder: A place where there is nothing, or an empty folder; parents are made.

    Yields:
        A folder to write into.

    Raises:
        RelevanceError: If there is something at the place, or it cannot be written.
    """
    made: list[Path] = []
    try:
        place = link_target(folder)
        made = _make_parents(place)
        with drafted(place) as draft:
            yield draft
            draft.rename(place)
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        _remove_empty(made)


@contextmanager
def drafted(place: Path) -> Iterator[Path]:
    """A folder to write into before it is renamed to its place, and gone if it is not.

    Args:
        place: Place that it will go to; the parent exists. Drafts of killed processes for the same
            place are taken away.

    Yields:
        The folder, on the same file system as the place.

    Raises:
        OSError: If it cannot be made.
    """
    with hidden(place) as draft:
        # The content is a folder of its own, so that the lock beside it does not move to the place.
        (draft / CONTENT).mkdir()
        yield draft / CONTENT


@contextmanager
def hidden(place: Path) -> Iterator[Path]:
    """A hidden folder beside a place, which this process has to itself and which goes at the end.

    Args:
        place: As in `drafted`.

    Yields:
        The folder, with nothing in it but the lock.

    Raises:
        OSError: If it cannot be made.
    """
    draft, lock = _draft(place)
    try:
        yield draft
    finally:
        _remove(draft, lock)


def discard(folder: Path) -> None:
    """Take a folder away at once: a kill leaves all of it or none of it at its place.

    Args:
        folder: The folder; that there is none is no error.

    Raises:
        RelevanceError: If it cannot be taken away.
    """
    if not folder.is_dir():
        return
    try:
        # One rename takes it from its place; removing its files one by one comes after that.
        with drafted(folder) as draft:
            folder.rename(draft / CONTENT)
    except OSError as error:
        raise RelevanceError(f"{folder} cannot be removed: {error.strerror or error}.") from error


def drafts(folder: Path) -> list[Path]:
    """All unfinished files and folders in a folder, of killed processes or living ones."""
    return list(folder.rglob(f".*{RANDOM}.tmp*"))


def remove_drafts(folder: Path) -> None:
    """Remove unfinished files and folders from one that this process has to itself (`alone`)."""
    for path in drafts(folder):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def remove_dead_drafts(folder: Path) -> None:
    """Remove drafts of folders in a folder whose processes have ended, whatever their places.

    Args:
        folder: The folder, in which living processes may write.
    """
    _remove_dead(folder.glob(f".*{RANDOM}.tmp"))


def _begun(place: Path, begin: Callable[[Path], None]) -> tuple[BaseFileLock, bool] | None:
    """Begin a folder that is missing or empty; None where there is something at its place."""
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        return None
    draft, lock = _draft(place)
    try:
        begin(draft)
        draft.rename(place)
    except BaseException as error:
        _remove(draft, lock)
        if isinstance(error, OSError) and error.errno in TAKEN:
            return None
        raise
    return lock, True


def _draft(place: Path) -> tuple[Path, BaseFileLock]:
    """A new hidden folder beside a place, and the lock in it that says that we live."""
    # Drafts of this place whose process has ended.
    _remove_dead(place.parent.glob(f".{glob.escape(place.name)}{RANDOM}.tmp"))
    for attempt in range(ATTEMPTS):
        name = tempfile.mkdtemp(prefix=f".{place.name}-", suffix=".tmp", dir=place.parent)
        draft = Path(name)
        try:
            draft.chmod(usual_mode(0o777))  # mkdtemp makes private folders
            return draft, _lock(draft)
        except (Timeout, FileNotFoundError, FileExistsError, NotADirectoryError):
            # Another process took the folder away before it was locked, for one left by a kill;
            # the last two come of filelock, which makes it anew and finds that it was there.
            shutil.rmtree(draft, ignore_errors=True)
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


def _remove_dead(found: Iterable[Path]) -> None:
    """Take away those of some drafts whose process has ended."""
    for draft in found:
        with suppress(Timeout, OSError):
            if (draft / LOCK).exists():
                _remove(draft, _lock(draft))
            else:
                draft.rmdir()


def _remove(draft: Path, lock: BaseFileLock) -> None:
    """Remove a draft whose lock is held; the lock goes last, as it tells what the folder is."""
    for path in draft.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        (draft / LOCK).unlink()
        draft.rmdir()
    lock.release()


def _lock(folder: Path) -> BaseFileLock:
    """Lock a folder, which fails at once with `Timeout` if another process has it."""
    lock = FileLock(folder / LOCK, timeout=0)
    lock.acquire()
    return lock


def _make_parents(place: Path) -> list[Path]:
    """Make the folders above a place; return those that were missing, the lowest first."""
    # Asked before they are made, so that those that stay empty can go again.
    missing = [parent for parent in place.parents if not parent.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders in which there is nothing, from the lowest on."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()

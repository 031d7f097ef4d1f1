"""Finished jobs on disk: found by what went into them, written whole, never trusted unchecked."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relevance.disk.files import canonical_json, digest, unreadable, unwritable, write_text
from relevance.disk.parsing import parse_json
from relevance.errors import RelevanceError

SCHEMA = "relevance.job/1"
# Errors of file systems without locks; waiting or trying again would not help.
NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP})


@dataclass(frozen=True)
class JobStore:
    """Results of jobs under `jobs/<key>/{inputs.json, result.json}`, key = sha256 of the inputs.

    Any number of processes may use one folder at once: a result appears by rename, whoever comes
    second with the same inputs leaves the first one's result where it is, and `claim` keeps two
    from doing the same job.

    Attributes:
        root: The cache folder; need not exist yet.
    """

    root: Path

    def key(self, inputs: Mapping[str, Any]) -> str:
        """Hexadecimal sha256 of the inputs, which hold all that could change the result."""
        return digest(inputs)

    def folder(self, inputs: Mapping[str, Any]) -> Path:
        """The folder of a job's files, which need not exist yet."""
        return self.root / "jobs" / self.key(inputs)

    def read(self, inputs: Mapping[str, Any]) -> Any | None:
        """The result of a finished job.

        Args:
            inputs: All that went into the job.

        Returns:
            The result, or None where there is none that is whole: a file that is missing, cut
            short, garbled or another job's counts as none.

        Raises:
            RelevanceError: If a file is there and the system refuses to read it.
        """
        path = self.folder(inputs) / "result.json"
        try:
            content = parse_json(path.read_bytes(), row=True)
            result = content["result"]
            return result if content == _sealed(self.key(inputs), result) else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (RelevanceError, ValueError, TypeError, KeyError):  # no JSON, or not of this form
            return None
        except OSError as error:
            raise unreadable(path, error) from None

    def size(self, inputs: Mapping[str, Any]) -> int:
        """Bytes on disk of a job's files, 0 where there are none."""
        return sum(path.stat().st_size for path in self.folder(inputs).glob("*.json"))

    @contextmanager
    def claim(self, inputs: Mapping[str, Any]) -> Iterator[bool]:
        """Keep other processes from a job while the block runs.

        The system takes the claim back when the process ends in whichever way, so a killed process
        leaves nothing locked. Between machines this needs a file system with locks.

        Args:
            inputs: All that goes into the job.

        Yields:
            Whether this process has it; if not, another one does.

        Raises:
            RelevanceError: If the folder cannot be written, or its file system has no locks.
        """
        from filelock import FileLock, Timeout

        # Lock files are kept: a process that opened one before it is removed would still hold it.
        path = self.root / "locks" / self.key(inputs)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path, timeout=0, fallback_to_soft=False)
            lock.acquire()
        except Timeout:
            yield False
            return
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise unwritable(path, error) from error
            raise RelevanceError(
                f"{path} cannot be locked: {error.strerror or error}. Put the cache"
                " ($RELEVANCE_CACHE) on a file system that has locks."
            ) from error
        try:
            yield True
        finally:
            lock.release()

    def held(self, inputs: Mapping[str, Any]) -> bool:
        """Whether another process has claimed the job of these inputs."""
        with self.claim(inputs) as free:
            return not free

    def reserve(self, inputs: Mapping[str, Any]) -> None:
        """Write down the inputs of a job, before it runs; a whole file stays as it is.

        Args:
            inputs: All that goes into the job.

        Raises:
            RelevanceError: If the folder cannot be written, better known before hours of training.
        """
        path = self.folder(inputs) / "inputs.json"
        text = canonical_json(inputs) + "\n"
        if not path.is_file() or path.read_bytes() != text.encode():
            write_text(path, text)

    def write(self, inputs: Mapping[str, Any], result: Any) -> None:
        """Keep a job's result, unless a whole one is there already.

        Args:
            inputs: All that went into the job.
            result: A JSON value, not None and without NaN.

        Raises:
            RelevanceError: If the folder cannot be written or the disk is full.
        """
        # The result is written last: a folder with inputs alone is a job that has yet to be done.
        if self.read(inputs) is None:
            self.reserve(inputs)
            sealed = _sealed(self.key(inputs), result)
            write_text(self.folder(inputs) / "result.json", canonical_json(sealed))


def _sealed(key: str, result: Any) -> dict[str, Any]:
    return {"schema": SCHEMA, "key": key, "sha256": digest(result), "result": result}

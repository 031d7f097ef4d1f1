"""One attempt at a job, in whichever process and on whichever machine it runs."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from relevance.disk.files import cache_dir
from relevance.errors import RelevanceError


class HeldElsewhereError(Exception):
    """Raised by a job that another process is doing: it is put back and looked at again later."""


class Outcome(NamedTuple):
    """The end of an attempt.

    Attributes:
        kind: `held` where another process is doing the job.
        error: Error of a failed job, in one line.
    """

    kind: Literal["done", "held", "failed"]
    error: str | None = None


def attempt(call: Callable[[str], None], device: str) -> Outcome:
    """Do a job on a device, and tell its error as text: not every exception survives pickling."""
    try:
        call(device)
    except HeldElsewhereError:
        return Outcome("held")
    except Exception as error:
        return Outcome("failed", one_line(error))
    return Outcome("done")


def one_line(error: BaseException) -> str:
    """An error in one line: its type, unless it is a user's to act on, and its message."""
    text = " ".join(str(error).split())
    return text if isinstance(error, RelevanceError) else f"{type(error).__name__}: {text}"


@dataclass(frozen=True)
class RemoteCall:
    """A job on its way to another machine, which sees the same files under the same names.

    Attributes:
        pickled: The call.
        folder: Folder in which the study was started; names of files may be relative to it.
        cache: The study's cache folder.
    """

    pickled: bytes
    folder: str
    cache: str

    @classmethod
    def pack(cls, call: Callable[[str], None]) -> "RemoteCall":
        """Pack a call, which must be picklable; functions of the main script are."""
        import cloudpickle

        return cls(cloudpickle.dumps(call), str(Path.cwd()), str(cache_dir().absolute()))

    def __call__(self, device: str) -> None:
        """Do the job on a device."""
        import cloudpickle

        # The worker was started elsewhere, with a cache folder of its own or none.
        os.chdir(self.folder)
        os.environ["RELEVANCE_CACHE"] = self.cache
        call: Any = cloudpickle.loads(self.pickled)
        call(device)

"""The Hugging Face hub: what may be written there, sending, fetching, and errors in one line."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from hmnet.runs.card import TAG
from relevance.errors import RelevanceError, shown

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Files: TypeAlias = dict[str, Path | bytes]
"""What is sent, by the place in the repository: a file, or its content."""

OF_THE_HUB = {".gitattributes"}


class Place(NamedTuple):
    """A repository that may be written.

    Attributes:
        repo: Its full name.
        commit: Its last commit; None where the repository does not exist yet.
        private: Whether it exists and others cannot see it.
        files: What an earlier push left there.
    """

    repo: str
    commit: str | None = None
    private: bool = False
    files: frozenset[str] = frozenset()


def connect(repo: str) -> "HfApi":
    """Open the way to the hub.

    Args:
        repo: Name that a repository there is to have.

    Returns:
        The hub's client.

    Raises:
        RelevanceError: If the name is none, the hub is switched off, or there is no token.
    """
    from huggingface_hub import HfApi, constants, get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise RelevanceError(
            f"{shown(repo)} is no name of a repository. Give one such as me/my-model: letters,"
            " digits, '-', '_' and '.', 96 at most."
        ) from None
    if constants.HF_HUB_OFFLINE:
        raise RelevanceError("HF_HUB_OFFLINE is set, so nothing can be uploaded. Unset it.")
    if get_token() is None:
        raise RelevanceError(
            "There is no token of the Hugging Face hub. Log in with `hf auth login`, or set"
            " HF_TOKEN, with a token that may write."
        )
    return HfApi()


def find_place(api: "HfApi", repo: str, *, public: bool, replace: bool) -> Place:
    """Look whether a repository may be written; nothing is changed there.

    Args:
        api: The hub's client.
        repo: Name of the repository, with or without its owner.
        public: Whether everybody may see what is sent.
        replace: Whether an earlier push may give way.

    Returns:
        The repository, which is new, empty, or holds an earlier push.

    Raises:
        RelevanceError: If it holds other files, an earlier push that is not to give way, or is more
            visible than asked for.
    """
    from huggingface_hub.errors import HfHubHTTPError

    if "/" not in repo:
        repo = f"{api.whoami()['name']}/{repo}"
    try:
        info = api.model_info(repo)
    except HfHubHTTPError as error:
        if getattr(error.response, "status_code", None) != 404:
            raise
        return Place(repo)
    files = frozenset(file.rfilename for file in info.siblings or ()) - OF_THE_HUB
    if files and TAG not in (info.tags or ()):
        raise RelevanceError(
            f"{repo} exists on the hub and has files that were not pushed by this toolkit: its card"
            f" has no tag {TAG}. Give another name, or delete it there."
        )
    if files and not replace:
        raise RelevanceError(
            f"{repo} holds an earlier push. Add `replace=True` to put this one in its place (the"
            " hub's history keeps the old files), or give another name."
        )
    if not public and not info.private:
        raise RelevanceError(
            f"{repo} exists on the hub and is public. Add `public=True` if that is meant, or give"
            " another name."
        )
    return Place(repo, info.sha, bool(info.private), files)


def upload(api: "HfApi", place: Place, files: Files, *, public: bool) -> str:
    """Send all files in one commit, in which files of an earlier push go.

    Args:
        api: The hub's client.
        place: The repository; it is made where it does not exist.
        files: What is sent.
        public: Whether everybody may see a new repository.

    Returns:
        Name of the commit.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    if place.commit is None:
        api.create_repo(place.repo, private=not public)
    changes: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(name, str(file) if isinstance(file, PurePath) else file)
        for name, file in files.items()
    ]
    changes += [
        CommitOperationDelete(name, is_folder=False) for name in sorted(place.files - files.keys())
    ]
    done = api.create_commit(
        place.repo,
        changes,
        commit_message="Upload with relevance-hmnet",
        parent_commit=place.commit,  # whatever others send meanwhile is not lost
    )
    return str(done.oid)


def fetch(api: "HfApi", repo: str, names: Iterable[str], revision: str, folder: Path) -> None:
    """Fetch files as others get them.

    Args:
        api: The hub's client.
        repo: Full name of the repository.
        names: Places of the files in it.
        revision: A commit.
        folder: Where they go.
    """
    for name in names:
        api.hf_hub_download(repo, name, revision=revision, local_dir=folder)


@contextmanager
def told(repo: str) -> Iterator[None]:
    """Say in one line what the hub, or the way to it, has against an upload.

    Args:
        repo: Name of the repository, for the message.

    Yields:
        Nothing; what is done meanwhile is watched.

    Raises:
        RelevanceError: If the hub refuses something or is not reached.
    """
    from huggingface_hub.errors import HfHubHTTPError

    # of whichever library the hub's client uses
    http_error: type[Exception] = HfHubHTTPError.__mro__[1]
    try:
        yield
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        reason = {
            401: "the token is not valid. Log in again with `hf auth login`",
            403: "the token may not write there. Take one that may, or another name",
            404: "there is no such user or organization, or the token may not see it",
            412: "somebody wrote there meanwhile. Look at it, then run the same command again",
        }.get(status or 0, f"{_first_line(error)}. The same command tries again")
        raise RelevanceError(f"{repo} cannot be uploaded: {reason}.") from None
    except (http_error, OSError) as error:
        raise RelevanceError(
            f"{repo} cannot be uploaded: the hub is not reached ({_first_line(error)})."
            " Look at the network, then run the same command again."
        ) from None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"\s+", " ", lines[0])[:200].rstrip(".")

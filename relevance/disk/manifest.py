"""Digests of a folder's files, kept beside them, so that a changed byte is told and never used."""

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from relevance.disk.files import file_digest, read_json, unreadable, validated, write_json
from relevance.errors import RelevanceError

# The schema has the name of the package that wrote it first; files on disk hold it.
MANIFEST, SCHEMA = "manifest.json", "hmnet.manifest/1"


class _Manifest(BaseModel):
    """The file's content: sha256 in hexadecimal by the name of the file."""

    sha256: dict[str, str]


def write_manifest(
    folder: Path,
    names: Iterable[str] | None = None,
    coming: Mapping[str, str] | None = None,
    schema: str = SCHEMA,
) -> None:
    """Write down digests of the files of a folder.

    Args:
        folder: The folder.
        names: Names of files in it; those that are not there are left out. None for all of them.
        coming: Texts of files that are written next, by name.
        schema: Schema of the manifest.

    Raises:
        RelevanceError: If a file cannot be read, or the folder cannot be written.
    """
    paths = folder.iterdir() if names is None else (folder / name for name in names)
    found = {
        path.name: file_digest(path)
        for path in sorted(paths)
        if path.is_file() and path.name != MANIFEST
    }
    found |= {n: hashlib.sha256(text.encode()).hexdigest() for n, text in (coming or {}).items()}
    write_json(folder / MANIFEST, schema, {"sha256": found})


def is_whole(folder: Path, names: Iterable[str], schema: str = SCHEMA) -> bool:
    """Whether a folder of the cache is there and what was written; else it is made anew.

    Args:
        folder: The folder.
        names: Names of all its files but the manifest.
        schema: Schema of the manifest.

    Returns:
        False too where a file cannot be read.
    """
    try:
        found = read_json(folder / MANIFEST, schema)["sha256"]
        return all(found[name] == file_digest(folder / name) for name in names)
    except (RelevanceError, OSError, KeyError, TypeError):
        return False


def check_file(path: Path) -> None:
    """Refuse a file that is not what was written, where its folder has a manifest that names it.

    Args:
        path: The file; whoever reads it says that it is missing.

    Raises:
        RelevanceError: If it, or the manifest, is damaged.
    """
    check_files(path.parent, [path.name])


def check_files(folder: Path, names: Iterable[str] | None = None) -> None:
    """Refuse files that are not what was written, where their folder has a manifest.

    Args:
        folder: The folder; files that its manifest does not name are not looked at.
        names: Names of the files; None for all.

    Raises:
        RelevanceError: If a file or the manifest is damaged, or a file cannot be read.
    """
    for path in _changed(folder, names):
        raise RelevanceError(
            f"{path} is damaged: it is not what was written, as {MANIFEST} beside it says."
            " Put a copy of it back or train again; to read it as it is, delete"
            f" {folder / MANIFEST}."
        )


def note_changed(path: Path) -> None:
    """Tell that a file which people may edit is not what was written, and is read as it is.

    Args:
        path: The file; whoever reads it says that it is missing.

    Raises:
        RelevanceError: If the manifest is damaged, or the file cannot be read.
    """
    for changed in _changed(path.parent, [path.name]):
        warnings.warn(
            f"{changed} is not what training wrote, as {MANIFEST} beside it says: it was edited or"
            " damaged, and is read as it is now.",
            stacklevel=2,
        )


def _changed(folder: Path, names: Iterable[str] | None) -> Iterator[Path]:
    """Files that the folder's manifest knows by another digest."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return
    expected = validated(_Manifest, read_json(manifest, SCHEMA), str(manifest)).sha256
    for name in expected if names is None else names:
        path = folder / name
        if name not in expected or not path.is_file():
            continue
        try:
            found = file_digest(path)
        except OSError as error:
            raise unreadable(path, error) from None
        if found != expected[name]:
            yield path


def note_unchecked(folder: Path) -> None:
    """Warn that the files of a folder are read unchecked, where an older version wrote them."""
    if folder.is_dir() and not (folder / MANIFEST).is_file():
        warnings.warn(
            f"{folder} has no {MANIFEST}, as runs of older versions; that its files are what was"
            " written is not checked.",
            stacklevel=2,
        )

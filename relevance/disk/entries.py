"""Folders of the cache that any number of processes may ask for at once."""

from collections.abc import Callable, Collection
from pathlib import Path

from relevance.disk.files import begin_cache
from relevance.disk.folders import discard, new_folder
from relevance.disk.manifest import is_whole
from relevance.errors import RelevanceError


def ensure_entry(
    folder: Path, names: Collection[str], schema: str, write: Callable[[Path], None]
) -> None:
    """Write a folder of the cache, unless it is there whole or another process was the first.

    Args:
        folder: The folder; one that is damaged is replaced.
        names: Names of all its files but the manifest.
        schema: Schema of the manifest.
        write: Writes the files and the manifest into the folder that it is handed.

    Raises:
        RelevanceError: If `write` raises it, or the cache cannot be written.
    """
    if is_whole(folder, names, schema):
        return
    discard(folder)
    try:
        with new_folder(folder) as draft:
            write(draft)
            begin_cache()
    except RelevanceError:
        if not is_whole(folder, names, schema):
            raise

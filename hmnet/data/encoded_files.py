"""Encoded rows in files, mapped into memory: of their tokens memory has those being read alone."""

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Int32, Int64

from hmnet.data.template import Alignment, Sequences, Template, boundaries

FILES = TOKENS, ROWS = "tokens.bin", "rows.npy"
Places: TypeAlias = Int64[np.ndarray, " _"] | slice


def write_sequences(folder: Path, blocks: Iterable[Sequences]) -> None:
    """Write sequences as they come; all are aligned or none is.

    Args:
        folder: A folder, which gets `FILES`.
        blocks: Sequences, block by block, of rows that are numbered through.

    Raises:
        OSError: If the folder cannot be written.
    """
    found = []
    with (folder / TOKENS).open("wb") as file:
        for block in blocks:
            of_tokens, of_rows = [block.ids], [block.lengths, block.first]
            if block.alignment is not None:
                of_tokens += [block.alignment.begins, block.alignment.ends]
                of_rows.append(block.alignment.rows)
            np.stack(of_tokens, axis=1).astype(np.int32).tofile(file)
            found.append(np.stack(of_rows, axis=1).astype(np.int64))
    np.save(folder / ROWS, np.concatenate(found))


def read_sequences(folder: Path, template: Template) -> Sequences:
    """Map what was written into memory.

    Args:
        folder: A folder with `FILES`.
        template: The special ids.

    Returns:
        The sequences; `gathered` reads their tokens.
    """
    lengths, first, *row = np.ascontiguousarray(np.load(folder / ROWS).T)
    path, columns = folder / TOKENS, 3 if row else 1
    # a file of nothing cannot be mapped
    flat = np.memmap(path, np.int32, "r") if path.stat().st_size else np.empty(0, np.int32)
    ids, *places = np.asarray(flat).reshape(-1, columns).T
    alignment = Alignment(*row, *places) if row else None
    return Sequences(ids, boundaries(lengths), first, template=template, alignment=alignment)


def gathered(tokens: Int32[np.ndarray, " token"], places: Places) -> Int32[np.ndarray, " _"]:
    """Read values of some tokens, in memory or mapped from a file.

    What is read of a mapped file would stay in the memory of the process, which in the end had all
    of it, so it is handed back to the system at once; that keeps it as long as there is room.

    Args:
        tokens: A value for each token.
        places: Numbers of the tokens to read.

    Returns:
        The values; a slice of what is in memory is no copy.
    """
    base: object = tokens
    while isinstance(base, np.ndarray):
        base = base.base
    if not isinstance(base, mmap.mmap):
        return tokens[places]
    found = np.array(tokens[places])
    if hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
    return found

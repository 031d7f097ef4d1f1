"""Windows: a text that does not fit is read in parts that overlap."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Int64

from hmnet.data.alignment import aligned
from hmnet.data.template import Sequences

OVERLAP = 128  # tokens that two windows share, at most half of a window
Windows: TypeAlias = Int64[np.ndarray, " window"]


def windows(
    lengths: Int64[np.ndarray, " row"], room: Int64[np.ndarray, " row"]
) -> tuple[Windows, Windows, Windows]:
    """Starts and lengths of the windows of texts.

    Args:
        lengths: Tokens of each text.
        room: Tokens that fit into each of its windows, at least 1.

    Returns:
        Row, first token and number of tokens of each window; one of no tokens for an empty text.

    >>> [part.tolist() for part in windows(np.array([7, 2]), np.array([4, 4]))]
    [[0, 0, 0, 1], [0, 2, 4, 0], [4, 4, 3, 2]]
    """
    step = room - np.minimum(OVERLAP, room // 2)
    counts = 1 + np.maximum(0, -((room - lengths) // step))
    rows = np.repeat(np.arange(len(lengths)), counts)
    numbers = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = numbers * step[rows]
    return rows, starts, np.minimum(room[rows], lengths[rows] - starts)


def windows_of_rows(sequences: Sequences) -> list[Windows]:
    """Numbers of the sequences that each row was made into, row by row.

    Args:
        sequences: Aligned sequences, at least one for every row.

    Returns:
        Numbers in rising order.
    """
    of_row = aligned(sequences).rows
    order = np.argsort(of_row, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(of_row[order])) + 1)

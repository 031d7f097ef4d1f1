"""Rows of two texts taken apart, for heads whose encoder reads them one by one."""

import numpy as np
from jaxtyping import Int

from hmnet.data.template import Pieces, Sequences, assemble


def texts_apart(encoded: Sequences, rows: Int[np.ndarray, " row"]) -> Sequences:
    """The first text of each row and the rest of it, as inputs of their own.

    What gave way when the row was made stays out, so both fit where the row does. Of three texts
    the second and third stay together; where a row has one, the rest of it is an empty text.

    Args:
        encoded: The rows.
        rows: Numbers of the rows to take, in this order; at least one.

    Returns:
        Two sequences for each row, its first text's and the other's, as the tokenizer makes them of
        single texts.
    """
    template = encoded.template
    begin = encoded.offsets[:-1][rows]
    end = begin + encoded.lengths[rows] - len(template.suffix)
    is_pair = encoded.first[rows] < encoded.lengths[rows]
    rest = np.where(is_pair, begin + encoded.first[rows], end)
    starts = np.stack([begin + len(template.prefix), rest], axis=1)
    ends = np.stack([np.where(is_pair, rest - len(template.middle), end), end], axis=1)
    lengths = (ends - starts).ravel()
    longest = int(lengths.max()) + template.special_count(1)
    return assemble(template, [Pieces(encoded.ids, starts.ravel(), lengths)], longest)

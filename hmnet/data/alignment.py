"""Putting texts together without losing sight of where the last one's tokens come from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int32, Int64

from hmnet.data.encoder import Located
from hmnet.data.template import Alignment, Pieces, Sequences, Template, assemble

NOWHERE = -1


def assemble_aligned(
    template: Template,
    before: Sequence[Pieces],
    last: Located,
    rows: Int64[np.ndarray, " row"],
    max_length: int,
) -> Sequences:
    """Put the texts of each sequence together; the last one is that which labels speak of.

    Args:
        template: The special ids.
        before: The first text of every sequence, then the second, and so on; there may be none.
        last: The last one, with the places of its tokens.
        rows: Row of the split that each sequence is made of.
        max_length: Most tokens of one sequence.

    Returns:
        The sequences, aligned; special ids and the other texts are nowhere.
    """
    nowhere = Template(
        *((NOWHERE,) * len(ids) for ids in (template.prefix, template.middle, template.suffix))
    )
    blank = [replace(pieces, ids=np.full_like(pieces.ids, NOWHERE)) for pieces in before]

    def placed(values: Int32[np.ndarray, " _"]) -> Int32[np.ndarray, " token"]:
        return assemble(nowhere, [*blank, replace(last.pieces, ids=values)], max_length).ids

    sequences = assemble(template, [*before, last.pieces], max_length)
    alignment = Alignment(rows, placed(last.begins), placed(last.ends))
    return replace(sequences, alignment=alignment)


def aligned(sequences: Sequences) -> Alignment:
    """The alignment of sequences.

    Args:
        sequences: Of a kind of task that labels parts of a text.

    Returns:
        What was given to them when they were encoded.

    Raises:
        ValueError: If they were encoded for another kind.
    """
    if sequences.alignment is None:
        raise ValueError("These rows were encoded for a kind of task with one label for each.")
    return sequences.alignment

"""Putting texts together without losing sight of where the last one's tokens come from."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, takewhile

import numpy as np
from jaxtyping import Int32, Int64

from hmnet.data.encoder import Located
from hmnet.data.template import Alignment, Pieces, Sequences, Template, assemble
from relevance.tasks.answers import is_invisible

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


def with_dropped(texts: Sequence[str], located: Located) -> Located:
    """Give characters that the tokenizer dropped to the tokens beside them.

    An uncased BERT drops accents, vowel signs and invisible characters, and an answer that ends in
    one would end before it. A mark belongs to the letter before it, or where it begins a word to
    the one behind it. What is dropped at an edge of a text belongs to its first or last token.

    Args:
        texts: One for each row.
        located: Tokens of the texts.

    Returns:
        The tokens with other ends and beginnings.
    """
    begins, ends = located.begins.copy(), located.ends.copy()
    pieces = located.pieces
    # equal texts have one place; an empty one has that of the text behind it
    for text, start, length in set(
        zip(texts, pieces.starts.tolist(), pieces.lengths.tolist(), strict=True)
    ):
        if text.isascii() and text.isprintable():
            continue
        own = np.arange(start, start + length)
        tokens = own[ends[own] > begins[own]].tolist()
        for token, following in pairwise(tokens):
            gap = text[ends[token] : begins[following]]
            if gap and not gap.isspace():
                marks = _marks(gap)
                ends[token] += marks
                begins[following] -= _marks(gap[marks:][::-1])
        if tokens and all(map(is_unseen, text[: begins[tokens[0]]])):
            begins[tokens[0]] = 0
        if tokens and all(map(is_unseen, text[ends[tokens[-1]] :])):
            ends[tokens[-1]] = len(text)
    return located._replace(begins=begins, ends=ends)


def is_unseen(character: str) -> bool:
    """Whether a character takes no place of its own: white space, a mark, or an invisible one."""
    return is_invisible(character) or unicodedata.category(character).startswith("M")


def _marks(gap: str) -> int:
    """Number of characters at the start of a gap that belong to the letter there: up to a mark."""
    run = list(takewhile(lambda each: is_unseen(each) and not each.isspace(), gap))
    while run and not unicodedata.category(run[-1]).startswith("M"):
        run.pop()
    return len(run)


def aligned(sequences: Sequences) -> Alignment:
    """The alignment of sequences.

    Args:
        sequences: Sequences for a kind of task that labels parts of a text.

    Returns:
        The alignment that the sequences were given when they were encoded.

    Raises:
        ValueError: If they were encoded for another kind.
    """
    if sequences.alignment is None:
        raise ValueError("These rows were encoded for a kind of task with one label for each.")
    return sequences.alignment

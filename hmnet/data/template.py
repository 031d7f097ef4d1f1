"""Templates: the texts of one input become one sequence, and one gives way if it is too long.

Rows of unequal length stand one after another in a flat array, so that nothing here loops over
rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from jaxtyping import Int, Int32, Int64

OfRow: TypeAlias = Int64[np.ndarray, " row"]  # a place or a length
Parts: TypeAlias = Int64[np.ndarray, "row part"]  # lengths of the texts of rows


@dataclass(frozen=True)
class Template:
    """Special ids of one tokenizer: BERT's are [CLS] before, [SEP] between, [SEP] after the texts.

    Attributes:
        prefix: Before the first text.
        middle: Between two texts; RoBERTa has two separators here.
        suffix: After the last text.
    """

    prefix: tuple[int, ...]
    middle: tuple[int, ...]
    suffix: tuple[int, ...]

    def special_count(self, parts: int) -> int:
        """Number of special ids in an input of so many texts."""
        return len(self.prefix) + (parts - 1) * len(self.middle) + len(self.suffix)


@dataclass(frozen=True)
class Pieces:
    """The token ids of one text per row, wherever they stand in a flat array.

    Attributes:
        ids: Token ids of all texts; several rows may point at the same ones.
        starts: Place at which each row's text begins.
        lengths: Number of its tokens.
    """

    ids: Int32[np.ndarray, " token"]
    starts: OfRow
    lengths: OfRow


@dataclass(frozen=True)
class Alignment:
    """The row of every sequence, and the place in the row of each of its tokens.

    Places are counted as labels count them: words for tags, characters for answers.

    Attributes:
        rows: Row of the split, for each sequence.
        begins: Place at which a token begins; -1 for tokens that labels say nothing about.
        ends: Place behind it.
    """

    rows: OfRow
    begins: Int32[np.ndarray, " token"]
    ends: Int32[np.ndarray, " token"]


@dataclass(frozen=True)
class Sequences:
    """Model inputs of unequal length, one after another.

    Attributes:
        ids: Token ids of all rows, special ids included.
        offsets: Row `i` is `ids[offsets[i]:offsets[i + 1]]`.
        first: Tokens of a row that belong to segment 0: the first text and the special ids around
            it.
        template: The special ids.
        alignment: Places of the tokens, for kinds of tasks that label parts of a text.
    """

    ids: Int32[np.ndarray, " token"]
    offsets: Int64[np.ndarray, " boundary"]
    first: OfRow
    template: Template = field(kw_only=True)
    alignment: Alignment | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def lengths(self) -> OfRow:
        """Tokens per row, special ids included."""
        return np.diff(self.offsets)


def boundaries(lengths: Int[np.ndarray, " row"]) -> Int64[np.ndarray, " boundary"]:
    """Where rows of these lengths begin and end when they stand one after another.

    >>> boundaries(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    # 64 bits: all rows of a split together may have more tokens than 32 bits count.
    ends = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=ends[1:])
    return ends


def spans(starts: OfRow, lengths: OfRow) -> Int64[np.ndarray, " token"]:
    """Positions `start, start + 1, ...` of every row, one row after another.

    >>> spans(np.array([10, 20]), np.array([2, 3])).tolist()
    [10, 11, 20, 21, 22]
    """
    ends = boundaries(lengths)
    return np.repeat(starts - ends[:-1], lengths) + np.arange(ends[-1])


def kept_lengths(lengths: Parts, budget: int, truncate: int | None) -> Parts:
    """How many tokens of each text stay, counted from its beginning.

    Args:
        lengths: Tokens of each text, without special ids.
        budget: Tokens that fit into one input, without special ids; at least 0.
        truncate: The text that gives way. The others lose tokens only where they alone exceed the
            budget; then nothing of this one is left, and the longest of them gives way first. None:
            the longest first, token by token.

    Returns:
        Lengths whose row sums are at most the budget; rows that fit are left as they are.
    """
    kept = lengths.copy()
    rows = np.flatnonzero(lengths.sum(axis=1) > budget)
    if truncate is None:
        kept[rows] = _fair_shares(lengths[rows], budget)
    else:
        others = np.delete(np.arange(lengths.shape[1]), truncate)
        kept[np.ix_(rows, others)] = _fair_shares(lengths[np.ix_(rows, others)], budget)
        kept[rows, truncate] = budget - kept[np.ix_(rows, others)].sum(axis=1)
    return kept


def _fair_shares(lengths: Parts, budget: int) -> Parts:
    """Lengths after the longest text lost its last token again and again until all fits.

    From the shortest text to the longest, each takes what it needs, at most an even share of the
    rest.
    """
    kept = np.empty_like(lengths)
    left = np.full(len(lengths), budget)
    rows = np.arange(len(lengths))
    # What a short text does not need of its share goes to the longer ones after it.
    by_length = np.argsort(lengths, axis=1, kind="stable")
    for place in range(lengths.shape[1]):
        part = by_length[:, place]
        kept[rows, part] = np.minimum(lengths[rows, part], left // (lengths.shape[1] - place))
        left -= kept[rows, part]
    return kept


def assemble(
    template: Template, parts: Sequence[Pieces], max_length: int, truncate: int | None = None
) -> Sequences:
    """Put the texts of each row together, as `[CLS] a [SEP] b [SEP]` for two texts and BERT.

    Args:
        template: The special ids.
        parts: The first text of every row, then the second, and so on.
        max_length: Most tokens of one sequence, at least the special ids.
        truncate: Text that gives way, see `kept_lengths`.

    Returns:
        One sequence per row.
    """
    lengths = np.stack([part.lengths for part in parts], axis=1)
    special = template.special_count(len(parts))
    kept = kept_lengths(lengths, max_length - special, truncate)
    offsets = boundaries(kept.sum(axis=1) + special)
    ids = np.empty(offsets[-1], dtype=np.int32)
    # Writes all rows at once, one column of the template after another.
    cursor = offsets[:-1].copy()
    first = offsets[1:] - offsets[:-1]
    for place, part in enumerate(parts):
        _write_special(ids, cursor, template.middle if place else template.prefix)
        if place == 1:
            first = cursor - offsets[:-1]
        ids[spans(cursor, kept[:, place])] = part.ids[spans(part.starts, kept[:, place])]
        cursor += kept[:, place]
    _write_special(ids, cursor, template.suffix)
    return Sequences(ids, offsets, first, template=template)


def _write_special(
    ids: Int32[np.ndarray, " token"], cursor: OfRow, special: tuple[int, ...]
) -> None:
    """Write the same ids into every row and move the cursor behind them."""
    for token in special:
        ids[cursor] = token
        cursor += 1

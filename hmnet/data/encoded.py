"""The rows of a split as the model reads them."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from hmnet.data.encoded_files import gathered
from hmnet.data.template import Alignment, Sequences, boundaries, spans
from relevance.disk.files import digest

TOKENS_AT_ONCE = 2**20


@dataclass(frozen=True)
class Encoded(Sequences):
    """The rows of a split as the model reads them, in the split's order.

    Where sequences are aligned, `labels` and `groups` are those of rows of the split, of which one
    may have several sequences; else every sequence is a row.

    Attributes:
        ids: Token ids of all rows, special ids included.
        offsets: Row `i` is `ids[offsets[i]:offsets[i + 1]]`.
        first: Tokens of a row that belong to segment 0.
        template: The special ids.
        labels: Labels of the split.
        groups: Equal numbers for rows that are scored together, None where there are none.
        fingerprint: Changes whenever ids, labels or groups could.
    """

    labels: Shaped[np.ndarray, " row_of_split"]
    groups: Int[np.ndarray, " row_of_split"] | None
    fingerprint: str

    def take(self, rows: Int[np.ndarray, " taken"]) -> "Encoded":
        """The given sequences in the given order."""
        lengths = self.lengths[rows]
        tokens = spans(self.offsets[:-1][rows], lengths)
        own = self.alignment
        kept = rows if own is None else np.arange(len(self.labels))
        return Encoded(
            ids=gathered(self.ids, tokens),
            offsets=boundaries(lengths),
            first=self.first[rows],
            template=self.template,
            alignment=own
            and Alignment(own.rows[rows], gathered(own.begins, tokens), gathered(own.ends, tokens)),
            labels=self.labels[kept],
            groups=None if self.groups is None else self.groups[kept],
            fingerprint=digest([self.fingerprint, rows.tolist()]),
        )

    def vocabulary(self) -> frozenset[int]:
        """Ids of all tokens, special ones included."""
        starts = range(0, len(self.ids), TOKENS_AT_ONCE)
        some = (gathered(self.ids, slice(n, n + TOKENS_AT_ONCE)) for n in starts)
        return frozenset(chain.from_iterable(np.unique(ids).tolist() for ids in some))

    def sequences_of(self, rows: Int[np.ndarray, " row"]) -> Int[np.ndarray, " _"]:
        """Numbers of the sequences that some rows of the split were made into."""
        if self.alignment is None:
            return rows
        return np.flatnonzero(np.isin(self.alignment.rows, rows))

    def row_means(
        self,
        values: Float[np.ndarray, " sequence"],
        counted: Bool[np.ndarray, " sequence"] | None = None,
    ) -> Float[np.ndarray, " _"]:
        """A number for each row of the split: the mean over its sequences.

        Args:
            values: A number for each sequence.
            counted: Sequences that count; None for all.

        Returns:
            Means; 0 where none counts.
        """
        if self.alignment is None:
            return values
        weights = np.ones(len(values)) if counted is None else counted.astype(np.float64)
        counts = np.bincount(self.alignment.rows, weights)
        return np.bincount(self.alignment.rows, weights * values) / np.maximum(counts, 1)

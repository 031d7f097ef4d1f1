"""Cloze: a score for the query with each of a row's candidates in its gap."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Int, Int32, Int64
from torch import Tensor, where

from hmnet.data.alignment import aligned, with_dropped
from hmnet.data.encoded import Encoded
from hmnet.data.encoded_files import gathered
from hmnet.data.encoder import Columns, Encoder
from hmnet.data.template import Parts, boundaries, spans
from hmnet.data.windows import OVERLAP, windows, windows_of_rows
from hmnet.kinds.kind import ModelOutputs, Rows
from hmnet.kinds.multiple_choice import NONE, MultipleChoice, PartsRead, probabilities
from relevance.errors import RelevanceError, shown
from relevance.tasks.data import Labels, as_rows
from relevance.tasks.kinds.cloze import asked, right_places

AT_ONCE = 1024  # sequences whose targets are looked at
SHORTEST = (
    16  # tokens of the passage in a window; where fewer are left, its beginning alone is read
)


class Cloze(MultipleChoice):
    """Classes are a row's own candidates, each read in the gap of the query, behind the passage.

    The loss is minus the logarithm of what all right candidates have together of the probability. A
    passage that is too long is read in windows that overlap, as a span's context is; the query with
    its candidate stays whole in each. A candidate has its highest score of all windows. A window
    learns the right candidates that stand in its part of the passage, those that stand in none of
    the windows too; from one without any nothing is learned.
    """

    noun: ClassVar = "candidate"

    def layout(self, parts: int) -> str:
        """An input for each candidate, and what stands for the gap."""
        return (
            f"cloze of {parts}, windows of {self._truncated(parts)}, {OVERLAP} in common and from"
            f" {SHORTEST} on, {self.task.placeholder}"
        )

    def parts_read(self, lengths: Parts, room: int) -> PartsRead:
        """Windows of the passage; its beginning alone where they would be too short."""
        cut, one = self._truncated(lengths.shape[1]), super().parts_read(lengths, room)
        if cut is None:
            return one
        left = room - np.delete(lengths, cut, axis=1).sum(axis=1)
        passages = lengths[:, cut]
        long = left >= SHORTEST
        rows, starts, sizes = windows(passages, np.where(long, left, np.maximum(passages, 1)))
        found = PartsRead(rows, one.starts[rows], one.lengths[rows])
        found.starts[:, cut] = starts
        found.lengths[long[rows], cut] = sizes[long[rows]]
        return found

    def shown(
        self, texts: Columns, encoder: Encoder, read: PartsRead
    ) -> Int32[np.ndarray, " input"]:
        """1 for candidates that stand in the window, or whole in no window of their row."""
        cut = self._truncated(len(texts))
        candidates = [asked(text)[1] or [""] for text in texts[-1]]
        counts = np.bincount(read.rows)
        several = np.flatnonzero(counts > 1).tolist()
        if cut is None or not several:
            return super().shown(texts, encoder, read)
        passages = [texts[cut][row] for row in several]
        located = with_dropped(passages, encoder.located(passages))
        found = [np.ones((1, len(own)), dtype=np.int32) for own in candidates]
        starts, behind = read.starts[:, cut], boundaries(counts)
        for passage, row, begin in zip(passages, several, located.pieces.starts, strict=True):
            own = slice(behind[row], behind[row + 1])
            first = begin + starts[own]
            last = first + read.lengths[own, cut] - 1
            parts = map(slice, located.begins[first].tolist(), located.ends[last].tolist())
            stand = np.array(
                [[each in passage[part] for each in candidates[row]] for part in parts]
            )
            found[row] = (stand | ~stand.any(axis=0)).astype(np.int32)
        return np.concatenate([of_row.ravel() for of_row in found])

    def check_room(
        self, lengths: Int64[np.ndarray, "row part"], room: int, joined: Sequence[str]
    ) -> None:
        """Refuse rows of which more than the text that gives way would be cut."""
        cut = self._truncated(lengths.shape[1])
        whole = (lengths if cut is None else np.delete(lengths, cut, axis=1)).sum(axis=1)
        for row in np.flatnonzero(whole > room).tolist():
            query, found = asked(joined[row])
            if found:
                raise RelevanceError(
                    f"Task '{self.task.name}': what is read whole, among it the query"
                    f" {shown(query)} with its longest candidate, has {whole[row]} tokens, and"
                    f" `max_length` leaves {room}. Choose a larger `max_length`, or leave the row"
                    " out."
                )

    def targets(self, encoded: Encoded, rows: Rows) -> Int64[np.ndarray, "row place"]:
        """1 at the places of right candidates that a window shows, 0 at all others of its row."""
        alignment, lengths = aligned(encoded), encoded.lengths[rows]
        tokens = spans(encoded.offsets[:-1][rows], lengths)
        begins, ends = (gathered(each, tokens) for each in (alignment.begins, alignment.ends))
        right, shown = np.zeros((2, len(rows), int(begins.max()) + 1), dtype=np.int64)
        for place, row in enumerate(alignment.rows[rows].tolist()):
            right[place, right_places(encoded.labels[row])] = 1
        shown[np.repeat(np.arange(len(rows)), lengths), begins] = ends > begins
        return right * shown

    def row_losses(
        self, encoded: Encoded, losses: Float[np.ndarray, " sequence"]
    ) -> Float[np.ndarray, " _"]:
        """The mean over the windows that something is learned from; 0 where there is none."""
        every = np.arange(len(encoded))
        some = (every[n : n + AT_ONCE] for n in range(0, len(every), AT_ONCE))
        learned = [self.targets(encoded, rows).max(axis=1) > 0 for rows in some]
        return encoded.row_means(losses, np.concatenate(learned))

    def unlearned(self, encoded: Encoded) -> str | None:
        """Rows without a right candidate."""
        golds = encoded.labels[np.unique(aligned(encoded).rows)]
        count = sum(not right_places(each) for each in golds)
        if not count:
            return None
        what = (
            f"Task '{self.task.name}': in {count} of {len(golds)} training rows no candidate is an"
            " answer"
        )
        if count == len(golds):
            raise RelevanceError(
                f"{what}. '{self.task.label}' holds answers as text, one or a list, and"
                f" {' and '.join(self.task.choices)} the candidates."
            )
        return f"{what}, so that nothing is learned from them."

    def losses(
        self,
        logits: Float[Tensor, "row place"],
        targets: Int[Tensor, "row place"],
        label_smoothing: float = 0.0,  # noqa: ARG002  there are no labels
    ) -> Float[Tensor, " row"]:
        """Minus the logarithm of the summed probability of right candidates; 0 where none is."""
        scores, right = logits.float(), targets > 0
        some = right.any(dim=1, keepdim=True)
        # the difference of a sum and itself is 0, and so is its gradient
        chosen = where(some, scores.masked_fill(~right, NONE), scores)
        return scores.logsumexp(dim=1) - chosen.logsumexp(dim=1)

    def predictions(self, said: ModelOutputs) -> Labels:
        """The text of the candidate with the highest score, over all windows."""
        best = super().predictions(_over_windows(said)).tolist()
        return as_rows(
            [
                (asked(text)[1] or [""])[place]
                for text, place in zip(said.texts[-1], best, strict=True)
            ]
        )

    def answers(self, said: ModelOutputs) -> list[dict[str, Any]]:
        """The candidate, and the probabilities of all by their texts, from their highest scores."""
        return [
            {
                "label": label,
                "probabilities": dict(
                    zip(asked(text)[1] or [""], probabilities(logits).tolist(), strict=True)
                ),
            }
            for label, text, logits in zip(
                self.predictions(said), said.texts[-1], _over_windows(said).logits, strict=True
            )
        ]

    def _truncated(self, parts: int) -> int | None:
        """The text that gives way: the first where none is named, and none where there is one."""
        named = super()._truncated(parts)
        return (0 if parts > 1 else None) if named is None else named


def _over_windows(said: ModelOutputs) -> ModelOutputs:
    """The highest score of each candidate, row by row."""
    best = [
        np.max([said.logits[window] for window in of_row], axis=0)
        for of_row in windows_of_rows(said.sequences)
    ]
    return said._replace(logits=best)

"""Cloze: a score for the query with each of a row's candidates in its gap."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Int, Int64
from torch import Tensor, where

from hmnet.data.alignment import aligned
from hmnet.data.encoded import Encoded
from hmnet.data.template import spans
from hmnet.kinds.kind import ModelOutputs, Rows
from hmnet.kinds.multiple_choice import NONE, MultipleChoice, probabilities
from relevance.errors import RelevanceError, shown
from relevance.tasks.data import Labels, as_rows
from relevance.tasks.kinds.cloze import asked, right_places


class Cloze(MultipleChoice):
    """Classes are a row's own candidates, each read in the gap of the query, behind the passage.

    The loss is minus the logarithm of what all right candidates have together of the probability. A
    passage that is too long loses its end; the query with its candidate stays whole.
    """

    noun: ClassVar = "candidate"

    def layout(self, parts: int) -> str:
        """An input for each candidate, and what stands for the gap."""
        return f"cloze of {parts}, truncated {self._truncated(parts)}, {self.task.placeholder}"

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
        """1 at the places of right candidates, as many places as the row with most of them has."""
        alignment = aligned(encoded)
        tokens = spans(encoded.offsets[:-1][rows], encoded.lengths[rows])
        found = np.zeros((len(rows), int(alignment.ends[tokens].max())), dtype=np.int64)
        for place, row in enumerate(alignment.rows[rows].tolist()):
            found[place, right_places(encoded.labels[row])] = 1
        return found

    def unlearned(self, encoded: Encoded) -> str | None:
        """Rows without a right candidate."""
        golds = encoded.labels[aligned(encoded).rows]
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
        """The text of the candidate with the highest score."""
        best = super().predictions(said).tolist()
        return as_rows(
            [
                (asked(text)[1] or [""])[place]
                for text, place in zip(said.texts[-1], best, strict=True)
            ]
        )

    def answers(self, said: ModelOutputs) -> list[dict[str, Any]]:
        """The candidate, and the probabilities of all by their texts."""
        return [
            {
                "label": label,
                "probabilities": dict(
                    zip(asked(text)[1] or [""], probabilities(logits).tolist(), strict=True)
                ),
            }
            for label, text, logits in zip(
                self.predictions(said), said.texts[-1], said.logits, strict=True
            )
        ]

    def _truncated(self, parts: int) -> int | None:
        """The text that gives way: the first where none is named, and none where there is one."""
        named = super()._truncated(parts)
        return (0 if parts > 1 else None) if named is None else named

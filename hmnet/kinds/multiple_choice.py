"""Multiple choice: a score for each of a row's alternatives, and softmax over them."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int, Int32, Int64
from scipy.special import softmax
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.data.encoded import Encoded
from hmnet.data.encoder import Columns, Encoder
from hmnet.data.template import (
    Alignment,
    OfRow,
    Parts,
    Pieces,
    Sequences,
    assemble,
    boundaries,
    kept_lengths,
)
from hmnet.kinds.kind import Logits, ModelOutputs, OutputKind, Rows, Texts, codes_of_labels
from relevance.errors import RelevanceError
from relevance.tasks.kinds.kind import LabelKind
from relevance.tasks.kinds.kind import kind_of as label_kind_of
from relevance.tasks.kinds.multiple_choice import alternatives

NONE = float("-inf")  # logit of an alternative that a row does not have


class PartsRead(NamedTuple):
    """The parts of the texts that sequences have.

    Attributes:
        rows: Row of each sequence.
        starts: First token of each text in it.
        lengths: Number of its tokens.
    """

    rows: OfRow
    starts: Parts
    lengths: Parts


class MultipleChoice(OutputKind):
    """Classes are a row's own alternatives, each read behind the row's other texts.

    A row is one sequence of all its inputs, one for each alternative, so that they stay together;
    tokens are aligned with the numbers of the alternatives, and `shown` says where they end. A
    batch has the alternatives as inputs of their own. Rows have as many logits as the longest row
    of a batch, -inf where there is no alternative.
    """

    auto = "AutoModelForMultipleChoice"
    purpose = "multiple choice"
    further = "alternatives"
    noun: ClassVar = "alternative"

    def layout(self, parts: int) -> str:
        """An input for each alternative."""
        return f"alternatives of {parts}, truncated {self._truncated(parts)}"

    def encode(self, texts: Columns, encoder: Encoder, max_length: int) -> Sequences:
        """One sequence per row, in which an input for each alternative stands behind the other.

        Where a row is too long, all of its inputs have the same part of the other texts: what is
        left beside the longest alternative. A kind that reads such rows in windows has a sequence
        for each of them.
        """
        *context, joined = texts
        listed = [self.label_kind.inputs(text) for text in joined]
        counts = np.array([len(each) for each in listed], dtype=np.int64)
        own = encoder.pieces([alternative for each in listed for alternative in each])
        others = [encoder.pieces(column) for column in context]
        longest = np.maximum.reduceat(own.lengths, boundaries(counts)[:-1])
        lengths = np.stack([*(pieces.lengths for pieces in others), longest], axis=1)
        room = encoder.room(max_length, len(texts))
        self.check_room(lengths, room, joined)
        read = self.parts_read(lengths, room)
        sequence = np.repeat(np.arange(len(read.rows)), counts[read.rows])
        begin, row = boundaries(counts[read.rows]), read.rows[sequence]
        numbers = np.arange(len(sequence)) - begin[sequence]
        alternative = boundaries(counts)[row] + numbers
        starts, kept = read.starts[sequence].T, read.lengths[sequence].T
        parts = [
            *(
                Pieces(pieces.ids, pieces.starts[row] + start, length)
                for pieces, start, length in zip(others, starts, kept, strict=False)
            ),
            Pieces(
                own.ids, own.starts[alternative], np.minimum(own.lengths[alternative], kept[-1])
            ),
        ]
        inputs = assemble(encoder.template, parts, max_length)
        place = np.repeat(numbers, inputs.lengths).astype(np.int32)
        shown = np.repeat(self.shown(texts, encoder, read), inputs.lengths)
        return Sequences(
            inputs.ids,
            inputs.offsets[begin],
            inputs.first[begin[:-1]],
            template=encoder.template,
            alignment=Alignment(read.rows, place, place + shown),
        )

    def parts_read(self, lengths: Parts, room: int) -> PartsRead:
        """The parts of the texts that each sequence has.

        Args:
            lengths: Tokens of each text, of the longest input in place of the last one.
            room: Tokens that fit.

        Returns:
            The beginning of each text that gives way, in one sequence per row.
        """
        kept = kept_lengths(lengths, room, self._truncated(lengths.shape[1]))
        return PartsRead(np.arange(len(lengths)), np.zeros_like(lengths), kept)

    def shown(
        self,
        texts: Columns,
        encoder: Encoder,  # noqa: ARG002  for kinds with windows
        read: PartsRead,
    ) -> Int32[np.ndarray, " input"]:
        """Whether a sequence may be taken to show that an alternative is right.

        Args:
            texts: Columns of texts.
            encoder: Encoder of the backbone's tokenizer.
            read: The parts of the texts that each sequence has.

        Returns:
            1 or 0 for each alternative of each sequence.
        """
        counts = np.array([len(self.label_kind.inputs(text)) for text in texts[-1]])
        return np.ones(counts[read.rows].sum(), dtype=np.int32)

    @property
    def label_kind(self) -> LabelKind:
        """The kind by which the task's files are read."""
        return label_kind_of(self.task)

    def check_room(
        self, lengths: Int64[np.ndarray, "row part"], room: int, joined: Sequence[str]
    ) -> None:
        """Refuse rows that lose what they must not.

        Args:
            lengths: Tokens of each text, of the longest input in place of the last one.
            room: Tokens that fit.
            joined: Last text of every row.

        Raises:
            RelevanceError: If there is such a row; alternatives may lose their ends.
        """

    def reading(self, texts: Texts) -> Texts:  # noqa: ARG002
        """Columns alone say what the alternatives are."""
        raise RelevanceError(
            f"task '{self.task.name}' chooses among {self.noun}s, which 'text' cannot tell from"
            f" other texts. Give its columns: {', '.join(self.task.inputs)}."
        )

    def combined(
        self, outputs: Float[Tensor, "alternative *_"], further: Int[Tensor, "row place"]
    ) -> Float[Tensor, "row place"]:
        """Scores of each row's alternatives side by side."""
        scores = outputs.flatten()
        # the last one is what -1 stands for
        return torch.cat([scores, scores.new_full((1,), NONE)])[further]

    def targets(self, encoded: Encoded, rows: Rows) -> Int64[np.ndarray, " row"]:
        """Numbers of the right alternatives, from 0."""
        return codes_of_labels(encoded, rows)

    def losses(
        self,
        logits: Float[Tensor, "row place"],
        targets: Int[Tensor, " row"],
        label_smoothing: float = 0.0,  # noqa: ARG002  there are no labels
    ) -> Float[Tensor, " row"]:
        """Cross-entropy over the alternatives of each row."""
        return F.cross_entropy(logits.float(), targets, reduction="none")

    def predictions(self, said: ModelOutputs) -> Int64[np.ndarray, " row"]:
        """The place of the alternative with the highest score."""
        return np.array([int(logits.argmax()) for logits in said.logits], dtype=np.int64)

    def answers(self, said: ModelOutputs) -> list[dict[str, Any]]:
        """Number and text of the alternative, and the probabilities of all in their order."""
        first = self.task.first or 0
        places = self.predictions(said).tolist()
        return [
            {
                "label": place + first,
                "choice": alternatives(text)[place],
                "probabilities": probabilities(logits).tolist(),
            }
            for place, text, logits in zip(places, said.texts[-1], said.logits, strict=True)
        ]

    def unpadded(
        self,
        logits: Float32[np.ndarray, "row place"],
        lengths: Int64[np.ndarray, " row"],  # noqa: ARG002  tokens say nothing about alternatives
    ) -> list[Logits]:
        """The logits of the alternatives that each row has."""
        return [row[row != NONE] for row in logits]


def probabilities(logits: Logits) -> Float64[np.ndarray, " place"]:
    """Softmax over the alternatives of a row."""
    found: Float64[np.ndarray, " place"] = softmax(logits.astype(np.float64))
    return found

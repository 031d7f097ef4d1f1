"""Marked words: a label for each row, from the text as a whole and from words of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Int32, Int64
from torch import Tensor
from transformers import PreTrainedConfig

from hmnet.data.alignment import with_dropped
from hmnet.data.encoder import Columns, Encoder
from hmnet.data.template import (
    Alignment,
    Pieces,
    Sequences,
    Template,
    assemble,
    boundaries,
    kept_lengths,
    spans,
)
from hmnet.kinds.classification import Classification
from hmnet.kinds.kind import Texts, TokenLevelKind
from relevance.errors import RelevanceError, shown
from relevance.tasks.kinds.kind import kind_of as label_kind_of
from relevance.tasks.kinds.marked_words import MarkedWords as Labels
from relevance.tasks.kinds.marked_words import marked


class _Column(NamedTuple):
    """One text of every row: its tokens, and the marks that each is in, as bits."""

    pieces: Pieces
    marks: Pieces
    texts: Sequence[str]


class MarkedWords(Classification, TokenLevelKind):
    """Logits are one linear layer on [CLS] and on the mean vector of the words of every mark.

    It is the family's own head for tokens, with as many outputs per label as there are vectors: the
    mean of what it says to tokens is what it says to their mean.
    """

    auto = "AutoModelForTokenClassification"
    purpose = "token classification"
    further = "marks"

    def configure(self, config: PreTrainedConfig) -> None:
        """Outputs without names."""
        config.num_labels = self.task.outputs

    def layout(self, parts: int) -> str:
        """Where the marks are, and what gives way."""
        places = ".".join(map(str, self._columns))
        return f"marks in {places} of {parts}, truncated {self._truncated(parts)}"

    def encode(self, texts: Columns, encoder: Encoder, max_length: int) -> Sequences:
        """One sequence per row; a text that is too long is cut on both sides of its marks."""
        room = encoder.room(max_length, len(texts))
        read = [self._read(place, column, encoder) for place, column in enumerate(texts)]
        lengths = np.stack([column.pieces.lengths for column in read], axis=1)
        kept = kept_lengths(lengths, room, self._truncated(len(texts)))
        parts = [self._cut(column, kept[:, n]) for n, column in enumerate(read)]
        template = encoder.template
        special = (template.prefix, template.middle, template.suffix)
        nothing = Template(*((0,) * len(ids) for ids in special))
        marks = assemble(nothing, [column.marks for column in parts], max_length).ids
        sequences = assemble(template, [column.pieces for column in parts], max_length)
        alignment = Alignment(np.arange(len(sequences)), marks, marks)
        return replace(sequences, alignment=alignment)

    def reading(self, texts: Texts) -> Texts:  # noqa: ARG002
        """Columns alone say which words are marked."""
        raise RelevanceError(
            f"task '{self.task.name}' asks about marked words, which 'text' does not mark. Give its"
            f" columns: {', '.join(self.task.inputs)}."
        )

    def logits(
        self, outputs: Float[Tensor, "row token output"], mask: Int[Tensor, "row token"]
    ) -> Float[Tensor, "row token output"]:
        """Outputs of tokens; 0 at padding."""
        return outputs * mask.unsqueeze(-1)

    def combined(
        self, outputs: Float[Tensor, "row token output"], further: Int[Tensor, "row token"]
    ) -> Float[Tensor, "row label"]:
        """What the first token's outputs say, and the means of those of each mark's tokens."""
        vectors = 1 + len(self.task.marks)
        by_vector = outputs.reshape(*outputs.shape[:2], vectors, len(self.task.labels))
        found: Tensor = by_vector[:, 0, 0]
        for mark in range(vectors - 1):
            inside = (further >> mark & 1).to(outputs.dtype).unsqueeze(-1)
            total = (by_vector[:, :, 1 + mark] * inside).sum(dim=1)
            found = found + total / inside.sum(dim=1).clamp_min(1)
        return found

    @property
    def _columns(self) -> list[int]:
        """The number of the text that each mark is in."""
        kind = label_kind_of(self.task)
        assert isinstance(kind, Labels)  # noqa: S101  it has the same name
        return [kind.column(mark) for mark in self.task.marks]

    def _read(self, place: int, column: Sequence[str], encoder: Encoder) -> _Column:
        """Tokens of a text, and the marks that each is in."""
        of_text = [mark for mark, text in enumerate(self._columns) if text == place]
        if not of_text:
            pieces = encoder.pieces(column)
            return _Column(pieces, replace(pieces, ids=np.zeros_like(pieces.ids)), column)
        found = [marked(text) for text in column]
        texts = [text for text, _ in found]
        located = with_dropped(texts, encoder.located(texts))
        pieces = located.pieces
        begins, ends = (
            each[spans(pieces.starts, pieces.lengths)] for each in (located.begins, located.ends)
        )
        starts = boundaries(pieces.lengths)
        marks = np.zeros(len(begins), dtype=np.int32)
        for row, (text, places) in enumerate(found):
            own = slice(starts[row], starts[row + 1])
            for mark, (start, end) in zip(of_text, places, strict=False):
                inside = _inside(begins[own], ends[own], start, end)
                if not inside.any():
                    raise RelevanceError(
                        f"Task '{self.task.name}': the backbone's tokenizer makes no token of the"
                        f" marked {shown(text[start:end])} in {shown(text)}. Leave the row out, or"
                        " use a backbone whose tokenizer knows it."
                    )
                marks[own] |= inside << mark
        return _Column(pieces, Pieces(marks, starts[:-1], pieces.lengths), texts)

    def _cut(self, column: _Column, kept: Int64[np.ndarray, " row"]) -> _Column:
        """As many tokens as there is room for, the marks in their middle where some give way."""
        pieces, marks, texts = column
        shift = np.zeros_like(kept)
        for row in np.flatnonzero(kept < pieces.lengths).tolist():
            start = marks.starts[row]
            inside = np.flatnonzero(marks.ids[start : start + marks.lengths[row]])
            if not len(inside):
                continue
            first, behind, fit = int(inside[0]), int(inside[-1]) + 1, int(kept[row])
            if behind - first > fit:
                raise RelevanceError(
                    f"Task '{self.task.name}': the marked words of {shown(texts[row])} span"
                    f" {behind - first} tokens, and `max_length` leaves {fit} for that text. Choose"
                    " a larger `max_length`, or leave the row out."
                )
            middle = (first + behind - fit) // 2
            shift[row] = min(max(middle, 0), int(pieces.lengths[row]) - fit)
        return _Column(
            Pieces(pieces.ids, pieces.starts + shift, kept),
            Pieces(marks.ids, marks.starts + shift, kept),
            texts,
        )


def _inside(
    begins: Int32[np.ndarray, " token"], ends: Int32[np.ndarray, " token"], start: int, end: int
) -> Int32[np.ndarray, " token"]:
    """1 for tokens that have a character of these, 0 for others."""
    found = (begins < end) & (ends > start) & (ends > begins)
    return found.astype(np.int32)

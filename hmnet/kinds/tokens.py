"""A tag for every word: decided at its first token."""

from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int, Int32, Int64
from scipy.special import softmax
from torch import Tensor

from hmnet.data.alignment import NOWHERE, aligned, assemble_aligned
from hmnet.data.encoded import Encoded
from hmnet.data.encoded_files import gathered
from hmnet.data.encoder import Columns, Encoder, Located
from hmnet.data.template import Sequences, boundaries
from hmnet.kinds._entropy import normalised_entropy
from hmnet.kinds.kind import ModelOutputs, Rows, Texts, TokenLevelKind
from relevance.errors import RelevanceError
from relevance.tasks.data import Labels, as_rows
from relevance.tasks.entities import OUTSIDE, entities
from relevance.tasks.kinds.tokens import words

IGNORED = -100  # what cross-entropy in torch leaves out


class Tokens(TokenLevelKind):
    """Classes are tags and places are tokens, of which the first of every word has a target.

    A word that has no token, since the input was cut or the tokenizer knows nothing of it, is
    outside of all entities.
    """

    auto = "AutoModelForTokenClassification"
    purpose = "token classification"
    token_axis = 1

    def layout(self, parts: int) -> str:
        """Words of one text."""
        return f"words of {parts}"

    def encode(self, texts: Columns, encoder: Encoder, max_length: int) -> Sequences:
        """One sequence per row, cut at its end; places are words, at the first token of each."""
        (text,) = texts
        encoder.room(max_length, parts=1)
        tokens = encoder.located(text)
        word = np.full_like(tokens.begins, NOWHERE)
        pieces = tokens.pieces
        for one, start, length in zip(text, pieces.starts, pieces.lengths, strict=True):
            own = slice(start, start + length)
            word[own] = first_tokens(one, tokens.begins[own], tokens.ends[own])
        rows = np.arange(len(text))
        placed = Located(pieces, word, np.where(word == NOWHERE, word, word + 1))
        return assemble_aligned(encoder.template, [], placed, rows, max_length)

    def reading(self, texts: Texts) -> Texts:
        """One text, whose words stand between white space."""
        if len(texts) != 1:
            raise RelevanceError(
                f"task '{self.task.name}' reads one text, got {len(texts)} under 'text'."
            )
        return (" ".join(texts[0].split()),)

    def targets(self, encoded: Encoded, rows: Rows) -> Int64[np.ndarray, "row token"]:
        """The tag's code at the first token of every word."""
        codes = {tag: code for code, tag in enumerate(self.task.labels)}
        rows_of = aligned(encoded).rows
        found = np.full((len(rows), encoded.lengths[rows].max()), IGNORED, dtype=np.int64)
        for place, row in enumerate(rows.tolist()):
            tokens, word = _words_of(encoded, row)
            tags = encoded.labels[rows_of[row]]
            found[place, tokens] = [codes[tags[each]] for each in word]
        return found

    def unlearned(self, encoded: Encoded) -> str | None:
        """Words of entities without a token: cut off, or made of what the tokenizer drops."""
        read, lost = 0, 0
        for row, of_row in enumerate(aligned(encoded).rows.tolist()):
            tags, (_, word) = encoded.labels[of_row], _words_of(encoded, row)
            read += len(word)
            if len(word) < len(tags):
                kept = set(word.tolist())
                lost += sum(tag != OUTSIDE for place, tag in enumerate(tags) if place not in kept)
        if not read:
            raise RelevanceError(
                f"Task '{self.task.name}': no word of the training rows has a token of the"
                " backbone's tokenizer. Use a backbone whose tokenizer knows the language."
            )
        if not lost:
            return None
        return (
            f"Task '{self.task.name}': {lost} words of entities in the training rows have no token,"
            " since `max_length` cuts them off or the backbone's tokenizer drops them, so that"
            " their tags are not learned."
        )

    def predictions(self, said: ModelOutputs) -> Labels:
        """Tags of all words."""
        return as_rows([tags for tags, _ in self._tagged(said)])

    def answers(self, said: ModelOutputs) -> list[dict[str, Any]]:
        """Words, their tags and the probability of each, and the entities they make up."""
        return [
            {
                "tokens": words(text),
                "labels": list(tags),
                "probabilities": chances,
                "entities": [
                    {**entity._asdict(), "text": " ".join(words(text)[entity.start : entity.end])}
                    for entity in entities(tags)
                ],
            }
            for text, (tags, chances) in zip(said.texts[0], self._tagged(said), strict=True)
        ]

    def entropies(
        self, logits: Float[np.ndarray, "row tag token"], encoded: Encoded, rows: Rows
    ) -> Float64[np.ndarray, " row"]:
        """Mean over a row's words of the entropy of their tags over log C; 0 without words.

        A word counts once, at its first token, where its tag is decided; words without a token
        count as little as special tokens and padding.
        """
        is_word = self.targets(encoded, rows) != IGNORED
        total = normalised_entropy(logits).sum(axis=1, where=is_word)
        return np.asarray(total / np.maximum(is_word.sum(axis=1), 1))

    def logits(
        self, outputs: Float[Tensor, "row token output"], mask: Int[Tensor, "row token"]
    ) -> Float[Tensor, "row output token"]:
        """Logits of tags at tokens; 0 at padding, which says nothing."""
        return (outputs * mask.unsqueeze(-1)).transpose(1, 2)

    def _tagged(self, said: ModelOutputs) -> list[tuple[tuple[str, ...], list[float | None]]]:
        """Tags of each row's words, and the probability of each; None for words without token."""
        found = []
        for row, (text, logits) in enumerate(zip(said.texts[0], said.logits, strict=True)):
            count = len(words(text))
            tags: list[str] = [OUTSIDE] * count
            chances: list[float | None] = [None] * count
            tokens, word = _words_of(said.sequences, row)
            scores = logits[:, tokens].astype(np.float64)
            highest = softmax(scores, axis=0).max(axis=0).tolist()
            for place, code, chance in zip(word, scores.argmax(axis=0), highest, strict=True):
                tags[place], chances[place] = self.task.labels[code], chance
            found.append((tuple(tags), chances))
        return found


def first_tokens(
    text: str, begins: Int32[np.ndarray, " token"], ends: Int32[np.ndarray, " token"]
) -> Int32[np.ndarray, " token"]:
    """The number of the word that a token is the first of.

    Args:
        text: Words with single spaces between them.
        begins: Character at which each token begins.
        ends: Character behind it.

    Returns:
        Numbers from 0, and -1 for all further tokens of a word.

    >>> first_tokens("no way", np.array([0, 3, 4], np.int32), np.array([2, 4, 6], np.int32))
    array([ 0,  1, -1], dtype=int32)
    """
    starts = boundaries(np.array([len(word) + 1 for word in words(text)], dtype=np.int64))[:-1]
    word = np.searchsorted(starts, begins, side="right") - 1
    real = np.flatnonzero(ends > begins)
    numbers, first = np.unique(word[real], return_index=True)
    found = np.full_like(begins, NOWHERE)
    found[real[first]] = numbers
    return found


def _words_of(
    sequences: Sequences, row: int
) -> tuple[Int64[np.ndarray, " word"], Int32[np.ndarray, " word"]]:
    """Tokens of a row that are the first of a word, and the numbers of these words."""
    alignment = aligned(sequences)
    own = slice(sequences.offsets[row], sequences.offsets[row + 1])
    word = gathered(alignment.begins, own)
    tokens = np.flatnonzero(word != NOWHERE)
    return tokens, word[tokens]

"""Text to token ids with a backbone's tokenizer, whatever its settings for length and padding."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32
from tokenizers import Encoding, Tokenizer
from transformers import PreTrainedTokenizerBase

from hmnet.data.template import Pieces, Sequences, Template, assemble, boundaries
from relevance.disk.files import digest
from relevance.errors import RelevanceError
from relevance.text.tokenizer_files import is_of_tokenizers, quiet_panics, reason_of
from relevance.text.tokenizers import unknown_id

Columns = Sequence[Sequence[str]]  # texts by their place in a row, then by row
TEXTS_AT_ONCE = 1024  # bounds the memory of the library's own results


class Located(NamedTuple):
    """The tokens of one text per row, and which characters they stand for.

    Attributes:
        pieces: The tokens.
        begins: Character at which each token of the flat array begins, white space left out.
        ends: Character behind it; a token of nothing but white space is empty.
    """

    pieces: Pieces
    begins: Int32[np.ndarray, " token"]
    ends: Int32[np.ndarray, " token"]


class Encoder:
    """A tokenizer without its settings for truncation and padding, and its special ids.

    Args:
        definition: The tokenizer as JSON of the `tokenizers` library.

    Attributes:
        fingerprint: Changes whenever the ids of a text could.
        template: The special ids.
        unknown: The id of pieces that are not in the vocabulary; None where there is no such id.

    Raises:
        RelevanceError: If the tokenizer leaves out plain letters.
    """

    def __init__(self, definition: str) -> None:
        self._backend = Tokenizer.from_str(definition)
        self._backend.no_truncation()
        self._backend.no_padding()
        # Truncation and padding are off by now, so tokenizers that differ in these alone are one.
        self._definition = self._backend.to_str()
        self.fingerprint = digest(self._definition)
        self.unknown = unknown_id(self._backend)
        # The special ids are read off an example: how a tokenizer describes them differs by family.
        pair = self._backend.encode("a", "a")
        sides = pair.sequence_ids  # 0 for the first text, 1 for the second, None for special ids
        if not {0, 1} <= set(sides):
            raise RelevanceError(
                "The backbone's tokenizer makes no token of 'a', so that its special tokens cannot"
                " be told. Use the tokenizer that belongs to the backbone."
            )
        first, second, end = sides.index(0), sides.index(1), len(sides) - sides[::-1].index(1)
        self.template = Template(
            prefix=tuple(pair.ids[:first]),
            middle=tuple(pair.ids[first + sides.count(0) : second]),
            suffix=tuple(pair.ids[end:]),
        )

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> "Encoder":
        """The encoder of a backbone's tokenizer.

        Args:
            tokenizer: Tokenizer with a backend of the `tokenizers` library; it is not changed.

        Returns:
            The encoder; the same one for equal tokenizers.

        Raises:
            RelevanceError: If the tokenizer has no such backend.
        """
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise RelevanceError(
                f"{type(tokenizer).__name__} of '{tokenizer.name_or_path}' has no fast form."
                " Use a backbone that comes with a tokenizer.json."
            )
        return _from_definition(backend.to_str())

    def encode(self, columns: Columns, max_length: int, truncate: int | None = None) -> Sequences:
        """Encode rows of one to three texts, equal texts once.

        Args:
            columns: The first text of every row, then the second, and so on.
            max_length: Most tokens of one row, special ids included.
            truncate: Column that gives way when a row is too long; None for the longest text.

        Returns:
            One sequence per row, as the tokenizer itself makes it where nothing has to give way.

        Raises:
            RelevanceError: If the length leaves no room for text, or a text is not valid Unicode.
        """
        self.room(max_length, len(columns))
        parts = [self.pieces(column) for column in columns]
        return assemble(self.template, parts, max_length, truncate)

    def room(self, max_length: int, parts: int) -> int:
        """Number of tokens of texts that fit into a sequence.

        Args:
            max_length: Most tokens of the sequence.
            parts: Number of texts that it is made of.

        Returns:
            Number of tokens, at least 1.

        Raises:
            RelevanceError: If there is no room at all.
        """
        special = self.template.special_count(parts)
        if max_length <= special:
            raise RelevanceError(
                f"A length of {max_length} tokens leaves no room for text beside {special} special"
                " tokens. Choose a larger `max_length`."
            )
        return max_length - special

    def located(self, texts: Sequence[str]) -> Located:
        """Tokens of texts, without special ids, with the characters that they stand for.

        Args:
            texts: One for each row; equal ones are encoded once.

        Returns:
            Token ids and characters, counted as Python counts them.

        Raises:
            RelevanceError: If a text is not valid Unicode.
        """
        found = [np.empty((0, 2), dtype=np.int32)]
        pieces = self.pieces(texts, found)
        begins, ends = np.concatenate(found).T
        return Located(pieces, begins, ends)

    def pieces(
        self, texts: Sequence[str], characters: list[Int32[np.ndarray, "_ 2"]] | None = None
    ) -> Pieces:
        """Tokens of texts, without special ids.

        Args:
            texts: One for each row; equal ones are encoded once.
            characters: Takes where the tokens of distinct texts begin and end, if that is wanted.

        Returns:
            Token ids of the distinct texts, and which of them each row has.

        Raises:
            RelevanceError: If a text is not valid Unicode.
        """
        # Premises of pairs and passages of questions come many times.
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        ids, lengths = [np.empty(0, dtype=np.int32)], []
        distinct = iter(places)
        while some := list(islice(distinct, TEXTS_AT_ONCE)):
            encodings = self._encode(some, with_offsets=characters is not None)
            if characters is not None:
                characters += map(_characters, some, encodings)
            encoded = [found.ids for found in encodings]
            lengths += [len(found) for found in encoded]
            ids.append(np.fromiter(chain.from_iterable(encoded), dtype=np.int32))
        starts = boundaries(np.array(lengths, dtype=np.int64))
        rows = np.fromiter((places[text] for text in texts), dtype=np.int64, count=len(texts))
        return Pieces(np.concatenate(ids), starts[rows], np.diff(starts)[rows])

    def _encode(self, texts: list[str], *, with_offsets: bool) -> list[Encoding]:
        backend = self._backend
        encode = backend.encode_batch if with_offsets else backend.encode_batch_fast
        try:
            with quiet_panics(self._definition):
                return encode(texts, add_special_tokens=False)
        except BaseException as error:  # the library raises nothing narrower
            if not is_of_tokenizers(error):
                raise
            for text in texts:
                check_unicode(text)
            raise RelevanceError(
                f"The backbone's tokenizer fails on one of {len(texts)} texts, the first of"
                f" which is {texts[0][:40]!r}: {reason_of(error)}. Use another tokenizer.json."
            ) from error


def check_unicode(text: str) -> None:
    """Refuse text that cannot be written as UTF-8.

    Args:
        text: Any text, such as JSON's escapes can make it.

    Raises:
        RelevanceError: If it has half of a surrogate pair.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RelevanceError(
            f"Text {text[:40]!r} is not valid Unicode: {text[error.start]!r} at {error.start} is"
            " half of a surrogate pair. Remove or replace it."
        ) from None


def _characters(text: str, encoding: Encoding) -> Int32[np.ndarray, "_ 2"]:
    """Places at which tokens begin and end; some tokenizers count the space before a word in."""
    found = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
    for token, (begin, end) in enumerate(encoding.offsets):
        piece = text[begin:end]
        if piece != piece.strip():
            begin += len(piece) - len(piece.lstrip())
            found[token] = begin, begin + len(piece.strip())
    return found


_from_definition = lru_cache(maxsize=4)(Encoder)

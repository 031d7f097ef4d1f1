"""Text to token ids with a backbone's tokenizer, whatever its settings for length and padding."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, islice

import numpy as np
from tokenizers import Encoding, Tokenizer
from transformers import PreTrainedTokenizerBase

from hmnet.data.template import Pieces, Sequences, Template, assemble, boundaries
from relevance.errors import RelevanceError
from relevance.files import digest

TEXTS_AT_ONCE = 1024  # bounds the memory of the library's own results


class Encoder:
    """A tokenizer without its settings for truncation and padding, and its special ids.

    Args:
        definition: The tokenizer as JSON of the `tokenizers` library.

    Attributes:
        fingerprint: Changes whenever the ids of a text could.
        template: The special ids.
    """

    def __init__(self, definition: str) -> None:
        self._backend = Tokenizer.from_str(definition)
        self._backend.no_truncation()
        self._backend.no_padding()
        self.fingerprint = digest(self._backend.to_str())
        pair = self._backend.encode("a", "a")
        sides = pair.sequence_ids  # 0 for the first text, 1 for the second, None for special ids
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
            tokenizer: With a backend of the `tokenizers` library; it is not changed.

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

    def encode(
        self, columns: Sequence[Sequence[str]], max_length: int, truncate: int | None = None
    ) -> Sequences:
        """Encode rows of one to three texts, equal texts once.

        Args:
            columns: The first text of every row, then the second, and so on.
            max_length: Most tokens of one row, special ids included.
            truncate: Which column gives way when a row is too long; None for the longest text.

        Returns:
            One sequence per row, as the tokenizer itself makes it where nothing has to give way.

        Raises:
            RelevanceError: If the length leaves no room for text, or a text is not valid Unicode.
        """
        special = self.template.special_count(len(columns))
        if max_length <= special:
            raise RelevanceError(
                f"A length of {max_length} tokens leaves no room for text beside {special} special"
                " tokens. Choose a larger --max-length."
            )
        parts = [self._pieces(column) for column in columns]
        return assemble(self.template, parts, max_length, truncate)

    def _pieces(self, texts: Sequence[str]) -> Pieces:
        """Token ids of the distinct texts without special ids, and which of them each row has."""
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        ids, lengths = [np.empty(0, dtype=np.int32)], []
        distinct = iter(places)
        while some := list(islice(distinct, TEXTS_AT_ONCE)):
            encoded = [found.ids for found in self._encode(some)]
            lengths += [len(found) for found in encoded]
            ids.append(np.fromiter(chain.from_iterable(encoded), dtype=np.int32))
        starts = boundaries(np.array(lengths, dtype=np.int64))
        rows = np.fromiter((places[text] for text in texts), dtype=np.int64, count=len(texts))
        return Pieces(np.concatenate(ids), starts[rows], np.diff(starts)[rows])

    def _encode(self, texts: list[str]) -> list[Encoding]:
        try:
            return self._backend.encode_batch_fast(texts, add_special_tokens=False)
        except TypeError:  # what the library raises for half of a surrogate pair
            for text in texts:
                check_unicode(text)
            raise


def check_unicode(text: str) -> None:
    """Refuse text that cannot be written as UTF-8.

    Args:
        text: Such as JSON's escapes can make it.

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


@lru_cache(maxsize=4)
def _from_definition(definition: str) -> Encoder:
    return Encoder(definition)

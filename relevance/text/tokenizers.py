"""Tokenizers for vocabulary measures: text to token ids, without loading any model.

Texts repeat words. A BERT WordPiece tokenizer never joins across white space, so there each
distinct chunk between white space is encoded once. Byte-level BPE and SentencePiece make white
space part of a token, so there each distinct text is.
"""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from relevance.disk.files import digest
from relevance.errors import RelevanceError
from relevance.text.chunks import (
    CHARACTERS_PER_BATCH,
    batches,
    chunks_of,
    packed_chunks,
    packed_counts,
)
from relevance.text.tokenizer_files import is_of_tokenizers, quiet_panics, read_tokenizer, reason_of

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

BORDERS = ("[CLS]", "[SEP]", "[PAD]", "<cls>", "<sep>", "<s>", "</s>", "<pad>")
MOST_UNKNOWN = 0.5
"""Beyond this share of unknown tokens, texts can hardly be told apart."""
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class TextTokenizer(ABC):
    """Turns texts into token ids.

    Attributes:
        name: Name of the tokenizer, as the user gave it.
        fingerprint: Hexadecimal sha256 of everything that decides the tokens.
        unknown: The id that stands for what is not in the vocabulary; None where there is none.
        by_chunk: Whether chunks between white space have the same tokens as whole texts.
    """

    name: str
    fingerprint: str
    unknown: int | None = None
    by_chunk: bool = True

    @property
    def provenance(self) -> dict[str, str]:
        """Which tokenizer it is, as matrices keep it."""
        return {"name": self.name, "fingerprint": self.fingerprint}

    def token_ids(self, texts: Iterable[str]) -> frozenset[int]:
        """The distinct tokens of some texts.

        Args:
            texts: Any text. A lone surrogate, which is no character, counts as U+FFFD.

        Returns:
            Ids of the tokens. [CLS], [SEP] and [PAD] are left out, [UNK] is a token like any other.
        """
        return frozenset(self.token_counts(texts))

    @abstractmethod
    def token_counts(self, texts: Iterable[str]) -> Counter[int]:
        """Occurrences in texts of each id that `token_ids` gives; repeated texts count again."""

    def token_lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " text"]:
        """Number of tokens of each text, without what stands around texts in an input.

        Args:
            texts: Any text.

        Returns:
            The numbers; each distinct chunk, or each distinct text, is encoded once.
        """
        distinct = set(texts)
        if self.by_chunk:  # chunks are looked for twice, as all of them at once fill the memory
            parts = map(chunks_of, batches(distinct, CHARACTERS_PER_BATCH))
            of_chunk = self._lengths(set(chain.from_iterable(parts)))
            lengths = {text: sum(map(of_chunk.__getitem__, chunks_of([text]))) for text in distinct}
        else:
            lengths = self._lengths(distinct)
        return np.fromiter(map(lengths.__getitem__, texts), np.int64, len(texts))

    @abstractmethod
    def _lengths(self, texts: Iterable[str]) -> dict[str, int]:
        """Number of tokens of each of some distinct texts."""

    def borders(self, parts: int) -> int:  # noqa: ARG002
        """Number of tokens around the texts of one input, such as [CLS] and [SEP].

        Args:
            parts: Number of its texts.

        Returns:
            The number; 0 for a tokenizer that no model has.
        """
        return 0


class SubwordTokenizer(TextTokenizer):
    """A tokenizer as a `tokenizer.json` describes it.

    Args:
        name: Name of the tokenizer.
        tokenizer: Tokenizer, whose truncation and padding are switched off; sentence encoders save
            them with it.

    Attributes:
        tokenizer: The tokenizer, without truncation and padding.
    """

    def __init__(self, name: str, tokenizer: "Tokenizer") -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        definition = tokenizer.to_str()
        self.name = name
        self.fingerprint = hashlib.sha256(definition.encode()).hexdigest()
        self.by_chunk = _never_joins_across_space(json.loads(definition))
        self.unknown = unknown_id(tokenizer)
        self.tokenizer, self._definition = tokenizer, definition
        self._borders = {tokenizer.token_to_id(token) for token in BORDERS}

    def token_ids(self, texts: Iterable[str]) -> frozenset[int]:
        """Encode each distinct chunk, or each distinct text, once; quicker than counting."""
        distinct: Iterable[str] = packed_chunks(texts) if self.by_chunk else set(texts)
        # Batches bound the memory of encodings, which is many times that of the texts.
        ids: set[int] = set()
        for batch in batches(distinct, CHARACTERS_PER_BATCH):
            for encoding in self._encode(batch):
                ids.update(encoding.ids)
        return frozenset(ids - self._borders)

    def token_counts(self, texts: Iterable[str]) -> Counter[int]:
        """Encode each distinct chunk, or each distinct text, once."""
        times = packed_counts(texts) if self.by_chunk else Counter(texts)
        counts: Counter[int] = Counter()
        for batch in batches(times, CHARACTERS_PER_BATCH):
            for text, encoding in zip(batch, self._encode(batch), strict=True):
                for token in encoding.ids:
                    counts[token] += times[text]
        for border in self._borders & counts.keys():
            del counts[border]
        return counts

    def _lengths(self, texts: Iterable[str]) -> dict[str, int]:
        return {
            text: len(encoding)
            for batch in batches(texts, CHARACTERS_PER_BATCH)
            for text, encoding in zip(batch, self._encode(batch), strict=True)
        }

    def borders(self, parts: int) -> int:
        """Number of tokens around the texts of one input, as the tokenizer's template has it."""
        of_one = self.tokenizer.num_special_tokens_to_add(is_pair=False)
        of_two = self.tokenizer.num_special_tokens_to_add(is_pair=True)
        return int(of_one + (parts - 1) * (of_two - of_one))

    def _encode(self, texts: list[str]) -> "list[Encoding]":
        encode = self.tokenizer.encode_batch_fast
        try:
            with quiet_panics(self._definition):
                try:
                    return encode(texts, add_special_tokens=False)
                except TypeError:  # not UTF-8, and only now is it worth looking at each character
                    texts = [LONE_SURROGATE.sub("\ufffd", text) for text in texts]
                    return encode(texts, add_special_tokens=False)
        except BaseException as error:
            if not is_of_tokenizers(error):
                raise
            raise RelevanceError(
                f"Tokenizer '{self.name}' fails on one of {len(texts)} texts, the first of which is"
                f" {texts[0][:40]!r}: {reason_of(error)}. Use another tokenizer."
            ) from error


class WordTokenizer(TextTokenizer):
    """Lower-cased words: runs of letters, marks, digits and underscores, with apostrophes inside.

    Texts are brought to NFKC first. Ids are given in the order in which words are first seen, so
    they compare within one tokenizer only.
    """

    name = "word"
    word = r"\w+(?:['\u2019]\w+)*"

    def __init__(self) -> None:
        from tokenizers import Regex
        from tokenizers.normalizers import NFKC, Lowercase, Sequence
        from tokenizers.pre_tokenizers import Split

        self.fingerprint = digest(["NFKC", "lower", self.word])
        self._normaliser = Sequence([NFKC(), Lowercase()])
        self._words = Split(Regex(self.word), behavior="removed", invert=True)
        self._ids: dict[str, int] = {}

    def token_counts(self, texts: Iterable[str]) -> Counter[int]:
        """Find the words of each distinct chunk once."""
        counts: Counter[int] = Counter()
        for text, times in packed_counts(texts).items():
            for word in self._words_of(text):
                counts[self._ids.setdefault(word, len(self._ids))] += times
        return counts

    def _lengths(self, texts: Iterable[str]) -> dict[str, int]:
        return {text: len(self._words_of(text)) for text in texts}

    def _words_of(self, text: str) -> list[str]:
        normalised = self._normaliser.normalize_str(LONE_SURROGATE.sub("\ufffd", text))
        return [word for word, _ in self._words.pre_tokenize_str(normalised)]


def load_tokenizer(name: str) -> TextTokenizer:
    """A tokenizer by its name.

    Args:
        name: `word`, or a name that `read_tokenizer` takes: `minilm`, a file, a folder, a model.

    Returns:
        The tokenizer, which encodes texts of any length.

    Raises:
        RelevanceError: If there is no such tokenizer, or the hub is out of reach.
    """
    return WordTokenizer() if name == "word" else SubwordTokenizer(name, read_tokenizer(name))


def unknown_id(tokenizer: "Tokenizer") -> int | None:
    """The id of unknown pieces; None where every text can be spelt."""
    model = json.loads(tokenizer.to_str())["model"]
    token = model.get("unk_token")  # Unigram models have the id itself instead
    return model.get("unk_id") if token is None else tokenizer.token_to_id(token)


def _never_joins_across_space(definition: dict[str, Any]) -> bool:
    """Whether chunks between white space get the tokens that they get within a text."""
    normaliser, splitter = definition["normalizer"] or {}, definition["pre_tokenizer"] or {}
    return (
        normaliser.get("type") == "BertNormalizer"
        and normaliser["clean_text"]
        and splitter.get("type") == "BertPreTokenizer"
        and definition["model"]["type"] == "WordPiece"
        and all(
            token["special"] and not token["normalized"] and not re.search(r"\s", token["content"])
            for token in definition["added_tokens"]
        )
    )

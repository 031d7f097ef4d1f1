"""Encoded corpora: token ids of all sentences in a file of the cache, mapped into memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, Int64
from transformers import PreTrainedTokenizerBase

from hmnet.data.encoder import Encoder
from hmnet.data.template import Template, boundaries, spans
from hmnet.pretraining.corpus import Corpus, sentences
from relevance.disk.entries import ensure_entry
from relevance.disk.files import cache_dir, digest
from relevance.disk.manifest import write_manifest
from relevance.errors import RelevanceError
from relevance.text.tokenizers import MOST_UNKNOWN

SCHEMA = "hmnet.corpus/1"
VERSION = 1  # goes up when the same corpus gives other ids or other sentences
FILES = IDS, SENTENCES, DOCUMENTS = "ids.bin", "sentences.npy", "documents.npy"
DOCUMENTS_AT_ONCE = 256


@dataclass(frozen=True)
class EncodedCorpus:
    """Sentences of documents as token ids without special ones, one after another.

    Attributes:
        ids: Token ids of all sentences, mapped from the cache's file; `tokens` reads some.
        sentences: Sentence `i` is `ids[sentences[i]:sentences[i + 1]]`; none is empty.
        documents: Document `i` has sentences `documents[i]` to `documents[i + 1]`, one at least.
        template: The special ids.
        fingerprint: Changes whenever any of them could.
    """

    ids: Int32[np.ndarray, " token"]
    sentences: Int64[np.ndarray, " sentence_end"]
    documents: Int64[np.ndarray, " document_end"]
    template: Template
    fingerprint: str

    def __len__(self) -> int:
        return len(self.documents) - 1

    def tokens(self, begin: int, end: int) -> Int32[np.ndarray, " token"]:
        """Token ids from one place to another.

        They are read from the file where there is one: what is looked at in a mapped file stays in
        the process' memory, which in the end would hold the whole corpus.
        """
        file = getattr(self.ids, "filename", None)
        if file is None:
            return self.ids[begin:end]
        size = self.ids.itemsize
        return np.fromfile(file, self.ids.dtype, end - begin, offset=size * begin)


def encode_corpora(corpora: Sequence[Corpus], tokenizer: PreTrainedTokenizerBase) -> EncodedCorpus:
    """Encode corpora one after another, or find them in `corpora/<key>/` in the cache.

    Memory: some documents at a time and tens of bytes of each sentence; ids go to disk as they
    come, 4 bytes a token.

    Args:
        corpora: The corpora, one at least.
        tokenizer: With a backend of the `tokenizers` library.

    Returns:
        The documents of all.

    Raises:
        RelevanceError: If one cannot be read, they have no text or most of their tokens are
            unknown, or the cache cannot be written.
    """
    encoder = Encoder.of(tokenizer)
    content = [corpus.identity for corpus in corpora]
    key = digest({"version": VERSION, "tokenizer": encoder.fingerprint, "corpora": content})
    folder = cache_dir() / "corpora" / key

    def write(draft: Path) -> None:
        documents = (document for corpus in corpora for document in corpus.read())
        counts = _write(draft, documents, encoder)
        _check(counts, ", ".join(str(corpus.path) for corpus in corpora))

    ensure_entry(folder, FILES, SCHEMA, write)
    ids = np.memmap(folder / IDS, dtype=np.int32, mode="r")
    of_sentences, of_documents = (
        np.load(folder / name, mmap_mode="r") for name in (SENTENCES, DOCUMENTS)
    )
    return EncodedCorpus(ids, of_sentences, of_documents, encoder.template, key)


class _Block(NamedTuple):
    """Some documents as ids.

    Attributes:
        ids: Of all sentences.
        lengths: Tokens of each sentence.
        counts: Sentences of each document.
    """

    ids: Int32[np.ndarray, " token"]
    lengths: Int64[np.ndarray, " sentence"]
    counts: Int64[np.ndarray, " document"]


def _blocks(documents: Iterable[list[str]], encoder: Encoder) -> Iterator[_Block]:
    """Documents without tokens, and sentences without, are left out."""
    left = iter(documents)
    while some := list(islice(left, DOCUMENTS_AT_ONCE)):
        split = [[s for paragraph in document for s in sentences(paragraph)] for document in some]
        pieces = encoder.pieces([sentence for document in split for sentence in document])
        owners = np.repeat(np.arange(len(split)), [len(document) for document in split])
        kept = pieces.lengths > 0
        counts = np.bincount(owners[kept], minlength=len(split))
        lengths = pieces.lengths[kept]
        yield _Block(pieces.ids[spans(pieces.starts[kept], lengths)], lengths, counts[counts > 0])


def _check(counts: "_Counts", files: str) -> None:
    """Refuse what has no text, or texts that the tokenizer has hardly any word of."""
    if not counts.tokens:
        raise RelevanceError(f"{files}: there is no text. Give a corpus with sentences.")
    if counts.unknown > MOST_UNKNOWN * counts.tokens:
        raise RelevanceError(
            f"{files}: {counts.unknown / counts.tokens:.0%} of the tokens are unknown to the"
            " backbone's tokenizer, so that nothing can be learned from them. Use a backbone whose"
            " tokenizer knows the language and the casing of the texts."
        )


class _Counts(NamedTuple):
    """Tokens of a corpus, and how many of them the tokenizer does not know."""

    tokens: int
    unknown: int


def _write(folder: Path, documents: Iterable[list[str]], encoder: Encoder) -> _Counts:
    """Write an entry."""
    nothing = np.empty(0, dtype=np.int64)
    lengths, counts = [nothing], [nothing]
    tokens = unknown = 0
    with (folder / IDS).open("wb") as file:
        for block in _blocks(documents, encoder):
            block.ids.astype(np.int32).tofile(file)
            tokens += len(block.ids)
            unknown += int(np.count_nonzero(block.ids == encoder.unknown))
            lengths.append(block.lengths)
            counts.append(block.counts)
    for name, each in ((SENTENCES, lengths), (DOCUMENTS, counts)):
        np.save(folder / name, boundaries(np.concatenate(each)))
    write_manifest(folder, FILES, schema=SCHEMA)
    return _Counts(tokens, unknown)

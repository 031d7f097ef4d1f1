"""Tasks prepared for a model: their splits encoded once, kept on disk, checked before reuse."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np
from jaxtyping import Int
from transformers import PreTrainedTokenizerBase

from hmnet.data.encoded import Encoded
from hmnet.data.encoded_files import FILES, read_sequences, write_sequences
from hmnet.data.encoder import Encoder
from hmnet.data.template import Sequences
from hmnet.kinds.kind import OutputKind, kind_of
from relevance.disk.entries import ensure_entry
from relevance.disk.files import cache_dir, digest
from relevance.disk.manifest import write_manifest
from relevance.errors import RelevanceError
from relevance.tasks.data import Split, TaskData
from relevance.tasks.task import Task
from relevance.text.tokenizers import MOST_UNKNOWN

VERSION = 1  # raised whenever the same text would give other ids
SCHEMA = "relevance.encoded/2"
FIRST_ROWS = 64  # of a split that are encoded at a time
GROWTH = 16  # of one block of rows over the one before, at most
BLOCK_TOKENS = 2**22  # of a block, about; encoding takes some 80 bytes for each
TOKEN_CHARACTERS = 4


@dataclass(frozen=True)
class PreparedSplit:
    """Rows of a split, and the same rows as a model reads them.

    Attributes:
        rows: Texts and labels.
        encoded: Token ids.
    """

    rows: Split
    encoded: Encoded


@dataclass(frozen=True)
class PreparedTask:
    """A task as training and scoring take it.

    Attributes:
        definition: What the task is.
        train: The rows that it is trained on.
        evaluation: What it is scored on, by split; empty where nothing is.
    """

    definition: Task
    train: PreparedSplit
    evaluation: Mapping[str, PreparedSplit] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The task's."""
        return self.definition.name

    @property
    def held_out(self) -> PreparedSplit:
        """The first split that it is scored on."""
        return next(iter(self.evaluation.values()))


def lengths_of(tasks: Iterable[PreparedTask]) -> dict[str, Int[np.ndarray, " _"]]:
    """Tokens of every training row, by task."""
    return {task.name: task.train.encoded.lengths for task in tasks}


def prepare(
    data: TaskData, tokenizer: PreTrainedTokenizerBase, max_length: int, scored: int | None = None
) -> PreparedTask:
    """Encode a task's splits, or read them from the cache.

    Args:
        data: The rows.
        tokenizer: The backbone's.
        max_length: Most tokens of one row, special ids included.
        scored: How many of the splits that it can be scored on are encoded; None for all.

    Returns:
        The task.

    Raises:
        RelevanceError: If `encode_split` refuses a split.
    """

    def prepared(rows: Split) -> PreparedSplit:
        return PreparedSplit(rows, encode_split(data.task, rows, tokenizer, max_length))

    taken = islice(data.evaluation.items(), scored)
    return PreparedTask(
        data.task, prepared(data.train), {name: prepared(rows) for name, rows in taken}
    )


def encode_split(
    task: Task, split: Split, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Encoded:
    """Encode a split, or read it from `encoded/<key>/` in the cache.

    Rows are encoded some at a time and go to disk as they come. An entry that is incomplete,
    garbled or from another version is computed and written again.

    Args:
        task: Says which text gives way when an input is too long.
        split: The rows.
        tokenizer: With a backend of the `tokenizers` library; its own settings for truncation and
            padding are ignored.
        max_length: Most tokens of one row, special ids included.

    Returns:
        The encoded rows, whose tokens are mapped from the cache's files.

    Raises:
        RelevanceError: If the length leaves no room for text, the tokenizer has no such backend or
            does not know most of the tokens, a text is not valid Unicode, or the cache cannot be
            written.
    """
    encoder, kind = Encoder.of(tokenizer), kind_of(task)
    key = digest(
        {
            "version": VERSION,
            "tokenizer": encoder.fingerprint,
            "split": split.fingerprint,
            "parts": len(split.texts),
            "truncate": kind.layout(len(split.texts)),
            "max_length": max_length,
        }
    )
    folder = cache_dir() / "encoded" / key

    def write(draft: Path) -> None:
        blocks = _blocks(kind, split, encoder, max_length)
        write_sequences(draft, _known(blocks, encoder, task.name, len(split.texts)))
        write_manifest(draft, FILES, schema=SCHEMA)

    ensure_entry(folder, FILES, SCHEMA, write)
    sequences = read_sequences(folder, encoder.template)
    return Encoded(
        sequences.ids,
        sequences.offsets,
        sequences.first,
        split.labels,
        split.groups,
        key,
        template=encoder.template,
        alignment=sequences.alignment,
    )


def _blocks(
    kind: OutputKind, split: Split, encoder: Encoder, max_length: int
) -> Iterator[Sequences]:
    """A split's sequences, some rows at a time: few at first, then by the size of those before."""
    start, count = 0, FIRST_ROWS
    while start < len(split):
        texts = [column[start : start + count] for column in split.texts]
        block = kind.encode(texts, encoder, max_length)
        read = max(len(block.ids), sum(map(len, chain(*texts))) // TOKEN_CHARACTERS)
        if block.alignment is not None:
            own = replace(block.alignment, rows=block.alignment.rows + start)
            block = replace(block, alignment=own)
        yield block
        start += count
        count = max(1, min(GROWTH * count, count * BLOCK_TOKENS // max(read, 1)))


def check_texts(
    task: Task, texts: Sequence[Sequence[str]], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> None:
    """Refuse what `encode_split` would, by some rows and without keeping anything.

    Args:
        task: Says which text gives way when an input is too long.
        texts: Columns of the rows.
        tokenizer: The backbone's.
        max_length: Most tokens of one row, special ids included.

    Raises:
        RelevanceError: If the length leaves no room for text, the tokenizer does not know most of
            the tokens, or a text is not valid Unicode.
    """
    encoder, kind = Encoder.of(tokenizer), kind_of(task)
    sequences = kind.encode(tuple(texts), encoder, max_length)
    for _ in _known([sequences], encoder, task.name, len(texts)):
        pass


def _known(
    blocks: Iterable[Sequences], encoder: Encoder, task: str, parts: int
) -> Iterator[Sequences]:
    """Refuse a tokenizer that most of the texts say nothing to, once all have been passed on."""
    tokens = unknown = 0
    for block in blocks:
        yield block
        tokens += len(block.ids) - len(block) * encoder.template.special_count(parts)
        unknown += int(np.count_nonzero(block.ids == encoder.unknown))
    if encoder.unknown is not None and unknown > MOST_UNKNOWN * tokens > 0:
        raise RelevanceError(
            f"Task '{task}': {unknown / tokens:.0%} of the tokens are unknown to the backbone's"
            " tokenizer, so that texts can hardly be told apart. Use a backbone whose tokenizer"
            " knows the language and the casing of the texts."
        )

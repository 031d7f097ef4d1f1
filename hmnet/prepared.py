"""Tasks prepared for a model: their splits encoded once, kept on disk, checked before reuse."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Int
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from transformers import PreTrainedTokenizerBase

from hmnet.data.encoded import Encoded
from hmnet.data.encoder import Encoder
from hmnet.data.template import Alignment, Sequences, Template
from hmnet.kinds.kind import kind_of
from relevance.disk.files import (
    begin_cache,
    cache_dir,
    digest,
    file_digest,
    read_json,
    replacing,
    write_json,
)
from relevance.errors import RelevanceError
from relevance.tasks.data import Split, TaskData
from relevance.tasks.task import Task
from relevance.text.tokenizers import MOST_UNKNOWN

VERSION = 1  # raised whenever the same text would give other ids
SCHEMA = "relevance.encoded/1"
ALIGNED = ("rows", "begins", "ends")


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

    An entry that is incomplete, garbled or from another version is computed and written again.

    Args:
        task: Says which text gives way when an input is too long.
        split: The rows.
        tokenizer: With a backend of the `tokenizers` library; its own settings for truncation and
            padding are ignored.
        max_length: Most tokens of one row, special ids included.

    Returns:
        The encoded rows.

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
    sequences = _read(folder, encoder.template)
    if sequences is None:
        sequences = kind.encode(split.texts, encoder, max_length)
        _check_known(sequences, encoder, task.name, len(split.texts))
        begin_cache()
        _write(folder, sequences, task.name)
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
    _check_known(sequences, encoder, task.name, len(texts))


def _check_known(sequences: Sequences, encoder: Encoder, task: str, parts: int) -> None:
    """Refuse a tokenizer that most of the texts say nothing to."""
    tokens = len(sequences.ids) - len(sequences) * encoder.template.special_count(parts)
    unknown = int(np.count_nonzero(sequences.ids == encoder.unknown))
    if encoder.unknown is not None and unknown > MOST_UNKNOWN * tokens > 0:
        raise RelevanceError(
            f"Task '{task}': {unknown / tokens:.0%} of the tokens are unknown to the backbone's"
            " tokenizer, so that texts can hardly be told apart. Use a backbone whose tokenizer"
            " knows the language and the casing of the texts."
        )


def _read(folder: Path, template: Template) -> Sequences | None:
    """A cache entry, or None where it is missing or not what was written."""
    arrays = folder / "arrays.safetensors"
    try:
        manifest = read_json(folder / "manifest.json", SCHEMA)
        if manifest.get("sha256") != file_digest(arrays):
            return None
        found = load_file(arrays)
        aligned = {name: found.pop(name) for name in ALIGNED if name in found}
        alignment = Alignment(**aligned) if aligned else None
        return Sequences(**found, template=template, alignment=alignment)
    except (RelevanceError, OSError, SafetensorError, TypeError):
        return None


def _write(folder: Path, sequences: Sequences, task: str) -> None:
    """Write a cache entry; the manifest comes last and says what the arrays must be."""
    arrays = folder / "arrays.safetensors"
    content = {"ids": sequences.ids, "offsets": sequences.offsets, "first": sequences.first}
    if sequences.alignment is not None:
        content |= {name: getattr(sequences.alignment, name) for name in ALIGNED}
    with replacing(arrays) as temporary:
        save_file(content, temporary)
        sha256 = file_digest(temporary)
    manifest = {
        "sha256": sha256,
        "task": task,
        "rows": len(sequences),
        "tokens": len(sequences.ids),
    }
    write_json(folder / "manifest.json", SCHEMA, manifest)

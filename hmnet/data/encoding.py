"""Splits as the model reads them, encoded once: kept on disk and checked before they are reused."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from transformers import PreTrainedTokenizerBase

from hmnet.data.encoder import Encoder
from hmnet.data.template import Sequences, Template, boundaries, spans
from hmnet.saving import os_errors
from relevance.errors import RelevanceError
from relevance.files import cache_dir, digest, file_digest, read_json, replacing, write_json
from relevance.tasks.data import Split
from relevance.tasks.task import Task

VERSION = 1  # raised whenever the same text would give other ids
SCHEMA = "relevance.encoded/1"


@dataclass(frozen=True)
class Encoded(Sequences):
    """The rows of a split as the model reads them, in the split's order.

    Attributes:
        ids: Token ids of all rows, special ids included.
        offsets: Row `i` is `ids[offsets[i]:offsets[i + 1]]`.
        first: Tokens of a row that belong to segment 0.
        template: The special ids.
        labels: Codes for classification, values on the task's own scale for regression.
        groups: Equal numbers for rows that are scored together, None where there are none.
        fingerprint: Changes whenever ids, labels or groups could.
    """

    labels: Int[np.ndarray, " row"] | Float[np.ndarray, " row"]
    groups: Int[np.ndarray, " row"] | None
    fingerprint: str

    def take(self, rows: Int[np.ndarray, " taken"]) -> "Encoded":
        """The given rows in the given order."""
        lengths = self.lengths[rows]
        return Encoded(
            ids=self.ids[spans(self.offsets[:-1][rows], lengths)],
            offsets=boundaries(lengths),
            first=self.first[rows],
            template=self.template,
            labels=self.labels[rows],
            groups=None if self.groups is None else self.groups[rows],
            fingerprint=digest([self.fingerprint, rows.tolist()]),
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
        RelevanceError: If the length leaves no room for text, the tokenizer has no such backend, a
            text is not valid Unicode, or the cache cannot be written.
    """
    encoder = Encoder.of(tokenizer)
    truncate = None if task.truncate is None else task.text.index(task.truncate)
    key = digest(
        {
            "version": VERSION,
            "tokenizer": encoder.fingerprint,
            "split": split.fingerprint,
            "parts": len(split.texts),
            "truncate": truncate,
            "max_length": max_length,
        }
    )
    folder = cache_dir() / "encoded" / key
    sequences = _read(folder, encoder.template)
    if sequences is None:
        sequences = encoder.encode(split.texts, max_length, truncate)
        _write(folder, sequences, task.name)
    return Encoded(
        sequences.ids,
        sequences.offsets,
        sequences.first,
        split.labels,
        split.groups,
        key,
        template=encoder.template,
    )


def _read(folder: Path, template: Template) -> Sequences | None:
    """A cache entry, or None where it is missing or not what was written."""
    arrays = folder / "arrays.safetensors"
    try:
        manifest = read_json(folder / "manifest.json", SCHEMA)
        if manifest.get("sha256") != file_digest(arrays):
            return None
        return Sequences(**load_file(arrays), template=template)
    except (RelevanceError, OSError, SafetensorError, TypeError):
        return None


def _write(folder: Path, sequences: Sequences, task: str) -> None:
    """Write a cache entry; the manifest comes last and says what the arrays must be."""
    arrays = folder / "arrays.safetensors"
    with replacing(arrays) as temporary, os_errors():
        save_file(
            {"ids": sequences.ids, "offsets": sequences.offsets, "first": sequences.first},
            temporary,
        )
        sha256 = file_digest(temporary)
    manifest = {
        "sha256": sha256,
        "task": task,
        "rows": len(sequences),
        "tokens": len(sequences.ids),
    }
    write_json(folder / "manifest.json", SCHEMA, manifest)

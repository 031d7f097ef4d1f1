"""Vectors of sentences from all layers of an encoder, by one pass, kept in the cache."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast, get_args

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy.lib.format import open_memmap
from torch import nn
from torch.nn import functional as F  # noqa: N812  what everybody calls it

from hmnet.backbones.inner_states import inner_states
from hmnet.data.batching import collate
from hmnet.data.encoder import Encoder
from hmnet.data.template import Sequences
from hmnet.heads.head import pool
from hmnet.precision import Precision, autocast
from hmnet.probing.encoder import ProbedEncoder
from hmnet.probing.settings import Vector
from relevance.disk.entries import ensure_entry
from relevance.disk.files import cache_dir, digest
from relevance.disk.manifest import write_manifest
from relevance.errors import RelevanceError

VECTORS: tuple[Vector, ...] = get_args(Vector)
VERSION = 1  # raised whenever the same sentences would give other vectors
SCHEMA = "hmnet.features/1"
TOKENS_AT_ONCE = {"cpu": 2048, "cuda": 32768}  # fewer cast the weights to bf16 more often


@dataclass(frozen=True)
class LayerFeatures:
    """Vectors of sentences by layer, kept in `features/<key>/` of the cache.

    Attributes:
        encoder: The encoder.
        sentences: Distinct sentences; longer ones are cut.
        max_length: Most tokens of a sentence, special ones counted.
        precision: Precision of the forward pass.
        device: Where it runs.
    """

    encoder: ProbedEncoder
    sentences: Sequence[str]
    max_length: int
    precision: Precision
    device: torch.device

    @cached_property
    def key(self) -> str:
        """A digest of everything that decides the vectors."""
        return digest(
            {
                "version": VERSION,
                "encoder": self.encoder.identity,
                "tokenizer": Encoder.of(self.encoder.tokenizer).fingerprint,
                "sentences": list(self.sentences),
                "max_length": self.max_length,
                "precision": self.precision,
                "device": self.device.type,
            }
        )

    def read(
        self, vector: Vector, tell: Callable[[str], None] = lambda _: None
    ) -> Float32[np.ndarray, "layer sentence hidden"]:
        """The vectors of one kind, computed first where the cache does not have them.

        Both kinds are computed by one pass and kept, 4 bytes a number, so that the other one is
        there when it is asked for. An entry that is damaged is computed again.

        Args:
            vector: `cls` for the first token, `mean` for the mean over all tokens but padding.
            tell: Told now and then how far it is.

        Returns:
            Layer 0 is what the first layer is given, the embeddings; they are mapped from the file.

        Raises:
            RelevanceError: If the length leaves no room for text, a sentence is not valid Unicode,
                or the cache cannot be written.
        """
        folder = cache_dir() / "features" / self.key
        names = [_file(each) for each in VECTORS]
        ensure_entry(folder, names, SCHEMA, lambda draft: self._compute(draft, tell))
        found: Float32[np.ndarray, "layer sentence hidden"]
        found = np.load(folder / _file(vector), mmap_mode="r")
        return found

    def _compute(self, draft: Path, tell: Callable[[str], None]) -> None:
        words = Encoder.of(self.encoder.tokenizer)
        encoded = words.encode([self.sentences], self.max_length)
        batches = _pooled(self.encoder, encoded, self.precision, self.device)
        _write(draft, batches, self.encoder, encoded, tell)


def _file(vector: Vector) -> str:
    return f"{vector}.npy"


def _pooled(
    encoder: ProbedEncoder, encoded: Sequences, precision: Precision, device: torch.device
) -> Iterator[tuple[Int64[np.ndarray, " row"], dict[Vector, Float32[np.ndarray, "layer row _"]]]]:
    """Rows of batches of like length, and their vectors."""
    module = cast("nn.Module", encoder.module).to(device)
    layers = range(len(encoder.layers))  # 0 is the embeddings
    for rows in _batches(encoded, TOKENS_AT_ONCE[device.type]):
        inputs = collate(encoded, rows, **encoder.form, device=device)
        mask = inputs["attention_mask"]
        with (
            torch.inference_mode(),
            autocast(precision, device),
            inner_states(encoder.layers, layers) as states,
        ):
            top = module(**inputs).last_hidden_state
        hidden = [*(states[number] for number in layers), top]
        # zeros beside narrow vectors tell nothing
        hidden = [F.pad(each, (0, encoder.width - each.shape[-1])) for each in hidden]
        yield (
            rows,
            {
                vector: torch.stack([pool(each.float(), mask, vector) for each in hidden])
                .cpu()
                .numpy()
                for vector in VECTORS
            },
        )


def _batches(encoded: Sequences, tokens: int) -> Iterator[Int64[np.ndarray, " row"]]:
    """Rows by falling length, as many at once as have so many tokens with their padding."""
    order = np.argsort(-encoded.lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = int(encoded.lengths[order[start]])
        size = max(1, tokens // longest)
        yield order[start : start + size]
        start += size


def _write(
    folder: Path,
    batches: Iterator[tuple[Int64[np.ndarray, " row"], dict[Vector, np.ndarray]]],
    encoder: ProbedEncoder,
    encoded: Sequences,
    tell: Callable[[str], None],
) -> None:
    """Write an entry; the manifest comes last and says what the files must be."""
    shape = (len(encoder.layers) + 1, len(encoded), encoder.width)
    files = {
        vector: open_memmap(folder / _file(vector), mode="w+", dtype=np.float32, shape=shape)
        for vector in VECTORS
    }
    done = 0
    for rows, vectors in batches:
        for vector, values in vectors.items():
            files[vector][:, rows] = values
        done += len(rows)
        tell(f"{done} of {len(encoded)} sentences read")
    for file in files.values():
        if not np.isfinite(file).all():
            raise RelevanceError(
                "The encoder gives numbers that are not finite, so nothing can be told from them."
                " Check its weights, or ask for `precision=fp32`."
            )
        file.flush()
    write_manifest(folder, map(_file, VECTORS), schema=SCHEMA)

"""Outputs of frozen lower layers: computed once for all rows of a split, kept, and read by jobs.

A training that starts from them runs the upper layers alone. A sequence is found by its tokens, so
whoever asks a model, a sampler or a score, is answered by them without knowing of it.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from numpy.lib.format import open_memmap
from torch import Tensor
from transformers import PreTrainedModel

from hmnet.backbones.inner_states import inner_states
from hmnet.data.batching import InputForm, alternatives_apart, collate, texts_apart
from hmnet.data.encoded import Encoded
from hmnet.data.template import Sequences, spans
from hmnet.evaluation.evaluate import batches_by_length
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedTask
from relevance.disk.files import begin_cache, digest
from relevance.disk.folders import discard, new_folder, remove_dead_drafts
from relevance.disk.manifest import is_whole, write_manifest
from relevance.errors import RelevanceError
from relevance.studies.store import JobStore

VERSION = 1  # raised whenever the same rows would have other states
SCHEMA = "hmnet.lower-states/1"
FILES = ("hidden.npy", "offsets.npy", "keys.npy")
ROWS_AT_ONCE = 32
KEY_BYTES = 16
WAIT_S = 0.1
KEPT_BYTES = 32 * 10**9
KEPT_S = 14 * 24 * 3600.0


class LowerStates:
    """States of the tokens of some sequences.

    Args:
        hidden: Vectors of all tokens, sequence by sequence.
        offsets: Sequence `i` has the tokens from `offsets[i]` up to `offsets[i + 1]`.
        keys: Digest of each sequence's ids and segments, see `keys_of`.
    """

    def __init__(
        self,
        hidden: Float32[np.ndarray, "token width"],
        offsets: Int64[np.ndarray, " boundary"],
        keys: UInt8[np.ndarray, "sequence byte"],
    ) -> None:
        self.hidden, self.offsets = hidden, offsets
        self._places = {key.tobytes(): place for place, key in enumerate(keys)}

    def find(self, key: bytes) -> Float32[np.ndarray, "token width"] | None:
        """The vectors of a sequence; None where it is none of these."""
        place = self._places.get(key)
        if place is None:
            return None
        return self.hidden[self.offsets[place] : self.offsets[place + 1]]


_open: dict[Path, LowerStates] = {}
"""What this process has read, for its next job."""


def lower_states(
    model: MultiTaskModel, task: PreparedTask, frozen: int, identity: str, memory_bytes: int
) -> list[LowerStates]:
    """States of all training and held-out sequences of a task, from the cache or computed now.

    While one process computes them, others that need them wait. They are computed in fp32. Whoever
    has computed some removes those that no run has asked for in `KEPT_S`, and the ones asked for
    longest ago where all together have more than `KEPT_BYTES`.

    Args:
        model: A model with the task, its lower layers as they are in the backbone.
        task: The task with its rows.
        frozen: Number of layers that they stand above.
        identity: Changes whenever the weights of these layers could.
        memory_bytes: States that this process may hold in memory; others stay in a mapped file.

    Returns:
        Those of either split.

    Raises:
        RelevanceError: If the cache cannot be written, or states are not finite.
    """
    form = model.input_form(task.name)
    found = []
    for encoded in (task.train.encoded, task.held_out.encoded):
        key = {
            "kind": "lower-states",
            "version": VERSION,
            "encoder": identity,
            "layers": frozen,
            "rows": encoded.fingerprint,
            "form": dict(form),
            "device": model.device.type,
        }
        folder = begin_cache() / "lower_states" / digest(key)
        folder = folder.absolute()
        _mark_used(folder)
        while folder not in _open:
            _complete(folder, key, model, task.name, encoded, form, frozen)
            with suppress(FileNotFoundError):  # another process has just removed them
                _open[folder] = _read(folder, memory_bytes)
        found.append(_open[folder])
    return found


def keys_of(
    ids: Int64[np.ndarray, "sequence token"],
    lengths: Int64[np.ndarray, " sequence"],
    segments: Int64[np.ndarray, " sequence"],
) -> list[bytes]:
    """What sequences are found by.

    Args:
        ids: Token ids, padded on the right.
        lengths: Tokens that are no padding.
        segments: Tokens of the second segment, which are the last ones.

    Returns:
        Digests, equal where the encoder is given the same.
    """
    return [
        blake2b(
            row[:length].tobytes() + int(second).to_bytes(4, "little"), digest_size=KEY_BYTES
        ).digest()
        for row, length, second in zip(ids, lengths, segments, strict=True)
    ]


class _ReachedError(Exception):
    """The lower layers have run, and nobody needs the others."""


def _complete(
    folder: Path,
    key: Mapping[str, Any],
    model: MultiTaskModel,
    task: str,
    encoded: Encoded,
    form: InputForm,
    frozen: int,
) -> None:
    """Compute states that are missing, unless another process does so meanwhile."""
    store = JobStore(begin_cache())
    while True:
        with store.claim(key) as mine:
            if mine:
                if not is_whole(folder, FILES, SCHEMA):
                    discard(folder)
                    every = np.arange(len(encoded))
                    sequences: Sequences = encoded
                    if form.get("further") == "alternatives":
                        sequences, _ = alternatives_apart(encoded, every)
                        every = np.arange(len(sequences))
                    if form["apart"]:
                        sequences = texts_apart(sequences, every)
                    with new_folder(folder) as draft:
                        _write(draft, model, task, sequences, form, frozen)
                    _remove_old(folder)
                return
        time.sleep(WAIT_S)


def _mark_used(folder: Path) -> None:
    """Let the folder's time be that of the last run that asked for it; none if it is not there."""
    with suppress(OSError):
        os.utime(folder)


def _remove_old(new: Path) -> None:
    """Remove what nobody has asked for in a long time, or the oldest of more than fits.

    Processes that have such states open go on reading them; who needs them later computes them
    anew.
    """
    remove_dead_drafts(new.parent)
    others = []
    for folder in new.parent.glob("[!.]*"):
        with suppress(OSError):  # gone meanwhile
            size = sum(file.stat().st_size for file in folder.iterdir())
            others.append((folder == new, folder.stat().st_mtime, size, folder))
    kept = 0
    for is_new, used, size, folder in sorted(others, reverse=True):
        kept += size
        if not is_new and (kept > KEPT_BYTES or time.time() - used > KEPT_S):
            kept -= size
            with suppress(RelevanceError):
                discard(folder)


def _write(
    folder: Path,
    model: MultiTaskModel,
    task: str,
    sequences: Sequences,
    form: InputForm,
    frozen: int,
) -> None:
    """Write states of all sequences; the manifest comes last and says what the files must be."""
    width, offsets = int(model.config.hidden_size), sequences.offsets.astype(np.int64)
    hidden = open_memmap(
        folder / "hidden.npy", mode="w+", dtype=np.float32, shape=(int(offsets[-1]), width)
    )
    keys = np.empty((len(sequences), KEY_BYTES), dtype=np.uint8)
    for rows, inputs, states in _run_lower(model, task, sequences, form, frozen):
        lengths = sequences.lengths[rows]
        mask = inputs["attention_mask"].bool()
        hidden[spans(offsets[:-1][rows], lengths)] = states[mask].float().cpu().numpy()
        found = keys_of(*described(inputs))
        keys[rows] = np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, KEY_BYTES)
    if not np.isfinite(hidden).all():
        raise RelevanceError(
            "The backbone's lower layers give numbers that are not finite, so nothing can be"
            " trained on them. Check its weights."
        )
    hidden.flush()
    np.save(folder / "offsets.npy", offsets)
    np.save(folder / "keys.npy", keys)
    write_manifest(folder, FILES, schema=SCHEMA)


def _run_lower(
    model: MultiTaskModel, task: str, sequences: Sequences, form: InputForm, frozen: int
) -> Iterator[tuple[Int64[np.ndarray, " row"], dict[str, Tensor], Float[Tensor, "row token _"]]]:
    """Rows of a batch, their inputs, and what the first layer that is not frozen is given."""
    layers, encoder = model.layers(task), encoder_of(model, task)

    def stop(*_: object) -> None:
        raise _ReachedError

    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), inner_states(layers, [frozen]) as states:
            handle = layers[frozen].register_forward_pre_hook(stop)  # behind that of the states
            try:
                for rows in batches_by_length(sequences, ROWS_AT_ONCE):
                    inputs = collate(
                        sequences,
                        rows,
                        pad_id=form["pad_id"],
                        with_segments=form["with_segments"],
                        device=model.device,
                    )
                    with suppress(_ReachedError):
                        encoder(**inputs)
                    yield rows, inputs, states[frozen]
            finally:
                handle.remove()
    finally:
        model.train(was_training)


def encoder_of(model: MultiTaskModel, task: str) -> PreTrainedModel:
    """The outermost module of a path that takes ids of single inputs.

    Args:
        model: The model.
        task: A name.

    Returns:
        The encoder, or a model of its family around it; its layers are the model's.
    """
    return next(part for part in model.path(task).modules() if isinstance(part, PreTrainedModel))


def described(
    inputs: Mapping[str, Tensor],
) -> tuple[Int64[np.ndarray, "row token"], Int64[np.ndarray, " row"], Int64[np.ndarray, " row"]]:
    """What `keys_of` takes of a batch.

    Args:
        inputs: Token ids and masks `[..., token]`, as an encoder takes them.

    Returns:
        Ids, lengths, and tokens of the second segment.
    """
    # a family's class for multiple choice takes `[row, 1, token]`
    single = {name: values.flatten(0, -2) for name, values in inputs.items()}
    ids, lengths = single["input_ids"], single["attention_mask"].sum(dim=1)
    segments = single.get("token_type_ids")
    second = torch.zeros_like(lengths) if segments is None else segments.sum(dim=1)
    return ids.cpu().numpy(), lengths.cpu().numpy(), second.cpu().numpy()


def _read(folder: Path, memory_bytes: int) -> LowerStates:
    """States on disk: read into memory as long as they fit, else mapped."""
    path = folder / "hidden.npy"
    fits = _held_bytes() + path.stat().st_size <= memory_bytes
    hidden = np.load(path, mmap_mode=None if fits else "r")
    return LowerStates(hidden, np.load(folder / "offsets.npy"), np.load(folder / "keys.npy"))


def _held_bytes() -> int:
    """States that this process holds in memory."""
    arrays = (each.hidden for each in _open.values())
    return sum(array.nbytes for array in arrays if not isinstance(array, np.memmap))

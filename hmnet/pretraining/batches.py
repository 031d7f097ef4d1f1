"""Batches of pre-training: segments with tokens swapped and masked."""

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from hmnet.data.batching import InputForm, collate
from hmnet.data.template import Sequences
from hmnet.pretraining.masking import Masking, shift
from hmnet.pretraining.model import PretrainingBatch
from hmnet.pretraining.pairs import Pairs


def make_batch(
    pairs: Pairs,
    rows: Int[np.ndarray, " row"],
    masking: Masking,
    form: InputForm,
    rng: np.random.Generator,
    *,
    swap: bool = False,
    device: torch.device | str = "cpu",
) -> PretrainingBatch:
    """Inputs with what they hide, swapped before masked.

    Args:
        pairs: Pairs, or single segments.
        rows: Numbers of those to take, in this order; at least one.
        masking: How tokens are masked.
        form: Form of inputs for the encoder, not apart.
        rng: Source of all draws.
        swap: Whether neighbours are swapped.
        device: Device of the tensors.

    Returns:
        The batch, padded to its longest input.
    """
    sequences = pairs.sequences(rows)
    inputs = collate(sequences, np.arange(len(rows)), **form)
    ids, places = inputs["input_ids"].numpy(), text_places(sequences)
    bigram: Tensor | None = None
    if swap:
        ids, labels = shift(ids, places, rng)
        bigram = torch.from_numpy(labels).to(device)
    ids, labels = masking.hide(ids, places, rng)
    found = {**inputs, "input_ids": torch.from_numpy(ids)}
    return PretrainingBatch(
        {name: values.to(device) for name, values in found.items()},
        torch.from_numpy(labels).to(device),
        torch.from_numpy(pairs.is_random[rows].astype(np.int64)).to(device),
        bigram,
    )


def text_places(sequences: Sequences) -> Bool[np.ndarray, "row token"]:
    """Where tokens of texts stand in padded inputs, special ids and padding aside."""
    template, lengths = sequences.template, sequences.lengths[:, None]
    first, place = sequences.first[:, None], np.arange(sequences.lengths.max())
    end = np.where(first < lengths, first - len(template.middle), lengths - len(template.suffix))
    one = (place >= len(template.prefix)) & (place < end)
    return one | ((place >= first) & (place < lengths - len(template.suffix)))

"""Features of an encoder: one vector for each row."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from hmnet.heads.head import pool
from hmnet.training.step import Batch


def mean_states(encoder: nn.Module, batch: Batch) -> Float[Tensor, "row hidden"]:
    """Mean hidden state of the last layer over the tokens of each row.

    Args:
        encoder: The encoder on the batch's device.
        batch: The rows.

    Returns:
        One vector per row; padding plays no part. Of a row's alternatives it is the mean.
    """
    inputs = dict(batch.inputs)
    own = inputs.pop("alternatives", None)
    if own is not None:
        inputs = {name: values.flatten(0, 1) for name, values in inputs.items()}
    hidden = encoder(**inputs).last_hidden_state
    found = pool(hidden, inputs["attention_mask"], "mean")
    if own is None:
        return found
    # the last one is what -1 stands for
    of_row = torch.cat([found, found.new_zeros(1, found.shape[1])])[own]
    return of_row.sum(dim=1) / (own >= 0).sum(dim=1, keepdim=True)


def features(encoder: nn.Module, batches: Iterable[Batch]) -> Float32[np.ndarray, "row hidden"]:
    """Mean hidden states of all rows, in fp32.

    Args:
        encoder: The encoder in evaluation mode, on the batches' device.
        batches: The rows.

    Returns:
        One vector per row, in the order of the rows.
    """
    with torch.inference_mode():
        return np.concatenate([mean_states(encoder, batch).cpu().numpy() for batch in batches])

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
        One vector per row; padding plays no part.
    """
    hidden = encoder(**batch.inputs).last_hidden_state
    return pool(hidden, batch.inputs["attention_mask"], "mean")


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

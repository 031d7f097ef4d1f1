"""Packing: which rows of a task make up a batch, decided once, before the first epoch."""

import numpy as np
from jaxtyping import Int, Int64

from hmnet.samplers.sampler import generator

MEGABATCH = 50  # batches whose rows are sorted together, at most; as in transformers


def pack(
    task: str,
    lengths: Int[np.ndarray, " row"],
    *,
    batch_size: int,
    seed: int,
    length_grouped: bool = False,
) -> list[Int64[np.ndarray, " _"]]:
    """Put a task's rows into batches at random, or rows of about the same length together.

    Args:
        task: Name of the task, which has a part in the draw.
        lengths: Tokens per row.
        batch_size: Rows per batch; the last one holds what is left.
        seed: Seed of the draw.
        length_grouped: Sort rows by length within random groups of 50 batches, fewer where there
            would be less than 4 groups: a batch then needs little padding, and whose company a row
            is in still depends on the seed. A task of fewer than 8 batches stays as it is.

    Returns:
        Row numbers by batch, every row once. They depend on the arguments only, so that a task has
        the same batches alone and in company.

    Source:
        Fei et al. (2022), Algorithm 1; groups as in transformers' `group_by_length`.
    """
    size = len(lengths)
    rows = generator(seed, "pack", task).permutation(size)
    group = min(MEGABATCH, size // (4 * batch_size)) * batch_size
    if length_grouped and group:
        groups = np.split(rows, range(group, size, group))
        rows = np.concatenate([g[np.argsort(-lengths[g], kind="stable")] for g in groups])
    return np.split(rows, range(batch_size, size, batch_size))

"""Random weights that depend on a seed and on whose they are, and on nothing else."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def seeded(seed: int, owner: str) -> Iterator[None]:
    """Draw weights that are the same whatever else a model has.

    Args:
        seed: Seed of the run.
        owner: Whose weights they are, such as a task's name.

    Yields:
        Nothing; torch's own random state is put back afterwards.
    """
    with torch.random.fork_rng(devices=[]):
        number = hashlib.sha256(f"{seed}/{owner}".encode()).digest()[:8]
        torch.default_generator.manual_seed(int.from_bytes(number, "little", signed=True))
        yield


def linear(inputs: int, outputs: int, deviation: float = 0.0) -> nn.Linear:
    """A linear layer at its start.

    Args:
        inputs: Width of what comes in.
        outputs: Width of what goes out.
        deviation: Standard deviation of the normal distribution that its weights are drawn from.

    Returns:
        The layer; its biases are zero.
    """
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=deviation)
    nn.init.zeros_(layer.bias)
    return layer

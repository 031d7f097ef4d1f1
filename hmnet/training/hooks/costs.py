"""What steps cost: seconds of each, and the memory that the gradient of a batch needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import torch
from torch import Tensor

from hmnet.training.hooks.hook import Hook
from hmnet.training.state import TrainingState, Update


class Stopwatch(Hook):
    """Seconds of every step, each waited for.

    Attributes:
        seconds: One per step, in their order.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []

    @contextmanager
    def around(self, state: TrainingState) -> Iterator[None]:
        """Begin the clock."""
        self._last = monotonic()
        yield

    def step(self, state: TrainingState, update: Update) -> None:
        """Take the time when the device has done the step."""
        update.losses.loss.item()  # waits for it
        now = monotonic()
        self.seconds.append(now - self._last)
        self._last = now


class SavedActivations(Hook):
    """The most bytes that forward passes keep for their gradients at a time; it slows steps down.

    Weights are left out. A step of several batches makes one graph after another, so that the
    largest counts.

    Attributes:
        most_bytes: Bytes of the storages that autograd saved for one graph.
    """

    def __init__(self) -> None:
        self.most_bytes = 0

    @contextmanager
    def around(self, state: TrainingState) -> Iterator[None]:
        """Look at every tensor that autograd saves."""
        weights = {w.untyped_storage().data_ptr() for w in state.model.parameters()}
        saved: dict[int, int] = {}
        backward = False

        def pack(tensor: Tensor) -> Tensor:
            nonlocal backward
            if backward:  # another graph begins
                saved.clear()
                backward = False
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                saved[storage.data_ptr()] = storage.nbytes()
            return tensor.detach()  # the tensor itself would keep its own graph alive

        def unpack(tensor: Tensor) -> Tensor:
            nonlocal backward
            backward = True
            self.most_bytes = max(self.most_bytes, sum(saved.values()))
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
            yield

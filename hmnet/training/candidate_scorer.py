"""Logits of a model for candidates of a step, for samplers that choose among them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import torch
from jaxtyping import Float

from hmnet.data.batching import collate
from hmnet.data.encoded import Encoded
from hmnet.models.multitask import MultiTaskModel
from hmnet.precision import Precision, autocast
from hmnet.samplers.sampler import TaskBatch
from hmnet.training.dropout import fast_dropout


@dataclass(frozen=True)
class ModelScorer:
    """Runs candidates through a model that is being trained, which is as it was afterwards.

    Random numbers under dropout depend on the rows and the number of the pass alone, so that the
    same rows are chosen by a resumed run and by all of several processes.

    Attributes:
        model: The model in training mode.
        data: Training rows by task.
        precision: Precision of the forward pass.
    """

    model: MultiTaskModel
    data: Mapping[str, Encoded]
    precision: Precision

    def __call__(
        self, batch: TaskBatch, task: str, *, dropout: int | None = None
    ) -> Float[np.ndarray, "row outputs *place"]:
        """Logits of a task's path for some rows, its own or another task's.

        Args:
            batch: The rows.
            task: Task whose path is asked.
            dropout: Number of a pass under dropout, None for one without.

        Returns:
            Logits, in fp32.
        """
        form, device = self.model.input_form(task), self.model.device
        inputs = collate(self.data[batch.task], batch.rows, **form, device=device)
        random = nullcontext() if dropout is None else self._random(batch, dropout)
        self.model.train(dropout is not None)
        try:
            with torch.no_grad(), autocast(self.precision, device), random:
                logits = self.model(task, inputs)
        finally:
            self.model.train()
        return np.asarray(logits.float().cpu().numpy())

    def entropies(self, batch: TaskBatch, task: str) -> Float[np.ndarray, " row"]:
        """Entropy of what a task's path predicts for some rows, over the largest there can be.

        Args:
            batch: The rows.
            task: Task whose path is asked.

        Returns:
            Ratios in [0, 1], as the task's kind has them.
        """
        kind, encoded = self.model.kinds[task], self.data[batch.task]
        return kind.entropies(self(batch, task), encoded, batch.rows)

    @contextmanager
    def _random(self, batch: TaskBatch, number: int) -> Iterator[None]:
        """Random numbers of a pass; the generators of training stay where they are."""
        device = self.model.device
        gpus = [device] if device.type == "cuda" else []
        seed = sha256(f"{batch.task}/{number}".encode() + batch.rows.tobytes()).digest()[:8]
        with torch.random.fork_rng(devices=gpus), fast_dropout(device):
            torch.manual_seed(int.from_bytes(seed, "little", signed=True))
            yield

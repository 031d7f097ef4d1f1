"""A probe without an encoder: whatever it is asked about a task depends on the names alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from jaxtyping import Float

from relevance.interfaces.probe import Features, FittedHead, Linearisation, LookaheadLosses

ROWS, WIDTH = 24, 4


def random(*scope: object) -> np.random.Generator:
    """Random numbers that depend on what they are for."""
    return np.random.default_rng(crc32(repr(scope).encode()))


@dataclass(frozen=True)
class FakeProbe:
    """Answers of the right shapes for tasks of two labels."""

    workers: float = 1.0

    @property
    def provenance(self) -> dict[str, Any]:
        return {"backbone": "fake"}

    def features(
        self, tasks: Sequence[str], *, rows: int, seed: int, source: str | None = None
    ) -> dict[str, Features]:
        labels = np.arange(min(rows, ROWS)) % 2
        return {
            task: Features(
                random("rows", task, seed).normal(size=(len(labels), WIDTH))
                + random("source", source, task, seed).normal(size=WIDTH) * labels[:, None],
                labels,
            )
            for task in tasks
        }

    def features_by_split(
        self, tasks: Sequence[str], *, rows: int, seed: int, source: str
    ) -> dict[str, tuple[Features, Features]]:
        train = self.features(tasks, rows=rows, seed=seed, source=source)
        held_out = self.features(tasks, rows=rows, seed=seed + 1000, source=source)
        return {task: (train[task], held_out[task]) for task in tasks}

    def fisher(
        self, task: str, head: FittedHead, *, rows: int, seed: int
    ) -> Float[np.ndarray, " unit"]:
        return random("fisher", task, seed).uniform(size=WIDTH)

    def gradient_products(
        self, tasks: Sequence[str], *, batches: int, seed: int
    ) -> Float[np.ndarray, "batch task task"]:
        gradients = [random("gradient", task, seed).normal(size=(batches, WIDTH)) for task in tasks]
        return np.einsum("ibw,jbw->bij", gradients, gradients)

    def lookahead(
        self, tasks: Sequence[str], *, moments: int, lr: float, seed: int
    ) -> LookaheadLosses:
        steps = [
            [random("step", one, other, seed).uniform(size=moments) for other in tasks]
            for one in tasks
        ]
        after = np.moveaxis(np.array(steps), -1, 0)
        return LookaheadLosses(np.ones((moments, len(tasks))), after)

    def linearise(
        self, tasks: Sequence[str], *, rows: int, directions: int, seed: int
    ) -> dict[str, tuple[Linearisation, Linearisation]]:
        def one(task: str, split: str) -> Linearisation:
            numbers = random(split, task, seed)
            return Linearisation(numbers.normal(size=ROWS), numbers.normal(size=(ROWS, WIDTH)))

        return {task: (one(task, "train"), one(task, "held out")) for task in tasks}

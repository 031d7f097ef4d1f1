"""The state of a training: what the loop counts, and what its hooks see and say."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, chain

import torch
from torch import nn

from hmnet.samplers.sampler import SelectedStep, Step
from hmnet.training.ranks import Ranks
from hmnet.training.record import NOTHING, Evaluation, Record
from hmnet.training.step import Losses


@dataclass(frozen=True)
class Begun:
    """The steps of a training that were done before it is resumed.

    Attributes:
        steps: Number of steps.
        record: Record of these steps.
    """

    steps: int = 0
    record: Record = NOTHING


@dataclass(frozen=True)
class Update:
    """One update of the weights.

    Attributes:
        selected: The rows that it trained.
        lr: Learning rate of the step.
        losses: Before the update, on the model's device; reading them waits for the device.
    """

    selected: SelectedStep
    lr: float
    losses: Losses


class TrainingState:
    """A training between two steps.

    The seconds that steps take end where losses are read, as the device is waited for then; hooks
    that put that off add to `flushes` what reads them.

    Args:
        model: Model that is trained.
        optimizer: Optimizer of its weights.
        epochs: Steps by epoch.
        ranks: The processes that train together.
        begun: Steps done before.

    Attributes:
        step: Number of steps that are done.
        total: Number of all steps.
        evaluations: Scores of the epochs up to now.
        over: Whether a hook has ended training.
        interrupted: Whether a hook has stopped it, so that it can be resumed.
        flushes: Called before the clock is stopped.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        epochs: Sequence[Sequence[Step]],
        ranks: Ranks,
        begun: Begun,
    ) -> None:
        self.model, self.optimizer, self.ranks = model, optimizer, ranks
        self.begun = self.step = begun.steps
        self.total = sum(map(len, epochs))
        self.evaluations: tuple[Evaluation, ...] = begun.record.evaluations
        self.over = self.interrupted = False
        self.flushes: list[Callable[[], None]] = []
        self._epochs = epochs
        self._ends = _epoch_ends(epochs)
        self._seconds, self._examples = begun.record.seconds, begun.record.examples
        self._since = time.monotonic()

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return next(self.model.parameters()).device

    @property
    def upcoming(self) -> list[Step]:
        """The steps that are not done."""
        return list(chain.from_iterable(self._epochs))[self.step :]

    @property
    def ended_epoch(self) -> int | None:
        """Number of the epoch, from 1, that the last step ended; None amid an epoch."""
        return self._ends.get(self.step)

    @property
    def first_with_all(self) -> int:
        """The epoch, from 1, in which the last task begins; before it a mean of all says little."""
        firsts: dict[str, int] = {}
        for number, steps in enumerate(self._epochs, start=1):
            for batch in chain.from_iterable(steps):
                firsts.setdefault(batch.task, number)
        return max(firsts.values(), default=1)

    def count(self, step: Step) -> None:
        """Count a step that was done."""
        self.step += 1
        self._examples += sum(len(batch.rows) for batch in step)

    def flush(self) -> None:
        """Read what waits on the device."""
        for flush in self.flushes:
            flush()

    def read(self) -> Record:
        """What all steps up to now took."""
        now = time.monotonic()
        self._seconds, self._since = self._seconds + now - self._since, now
        return Record(seconds=self._seconds, examples=self._examples, evaluations=self.evaluations)

    @contextmanager
    def paused(self) -> Iterator[Record]:
        """Leave the seconds of a block out of the record.

        Yields:
            What all steps up to now took.
        """
        self.flush()
        yield self.read()
        self._since = time.monotonic()


def _epoch_ends(epochs: Sequence[Sequence[Step]]) -> dict[int, int]:
    """Numbers of epochs, from 1, by the steps that are done when they end; empty ones left out."""
    ends = accumulate(map(len, epochs))
    return {
        end: number
        for number, (end, steps) in enumerate(zip(ends, epochs, strict=True), start=1)
        if steps
    }

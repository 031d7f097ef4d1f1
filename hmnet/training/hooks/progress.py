"""Progress: losses are read now and then, checked, and told."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from hmnet.training.hooks.hook import Hook
from hmnet.training.state import TrainingState, Update
from relevance.errors import RelevanceError

REPORT_S = 1.0  # losses are read this often and not at every step, as reading waits for the device


class ObjectiveScore(NamedTuple):
    """One of several objectives in a step.

    Attributes:
        loss: Mean loss before the update.
        accuracy: Share of right answers, a fraction.
    """

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Progress:
    """One finished step.

    Attributes:
        task: Task that was trained; names joined by `+` where a step has several tasks.
        step: Number of the step, from 1 to `total`.
        total: Steps of the run.
        loss: Loss of the tasks before the update, in fp32.
        lr: Learning rate of the step.
        steps_per_s: Since training was started or resumed.
        term: Term of the regularizer in the loss; None without one.
        rows: Rows of each task that it trained.
        uncertainty: Uncertainties by task, where the sampler chooses among candidates or it is
            looked at; None elsewhere.
        objectives: Objectives whose sum the loss is, by name; empty where a task has one.
    """

    task: str
    step: int
    total: int
    loss: float
    lr: float
    steps_per_s: float
    term: float | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    uncertainty: Mapping[str, float] | None = None
    objectives: Mapping[str, ObjectiveScore] = field(default_factory=dict)

    @property
    def left_s(self) -> float:
        """Seconds to the end of the run at this pace."""
        return (self.total - self.step) / self.steps_per_s


@dataclass(eq=False)
class Report(Hook):
    """Reads losses about once a second and tells about all steps since.

    A loss that is not finite ends the run.

    Attributes:
        on_step: Function that is told about every step, in the main process; None to check losses
            alone.
        with_term: Whether what a regularizer adds is told.
    """

    on_step: Callable[[Progress], None] | None = None
    with_term: bool = field(default=False, kw_only=True)
    _waiting: list[tuple[int, Update, Tensor]] = field(default_factory=list, init=False)

    @contextmanager
    def around(self, state: TrainingState) -> Iterator[None]:
        """Begin the clock, and read what waits in the end."""
        self._began = self._read_at = time.monotonic()
        state.flushes.append(lambda: self._flush(state))
        yield

    def step(self, state: TrainingState, update: Update) -> None:
        """Take down a step, and tell about all that wait if the last time is a while ago."""
        if not state.ranks.is_main:
            return
        self._waiting.append((state.step, update, torch.stack(update.losses)))
        if time.monotonic() - self._read_at >= REPORT_S:
            self._flush(state)

    def _flush(self, state: TrainingState) -> None:
        if not self._waiting:
            return
        read = torch.stack([losses for *_, losses in self._waiting]).tolist()
        self._read_at = time.monotonic()
        done = self._waiting[-1][0] - state.begun
        steps_per_s = done / max(self._read_at - self._began, 1e-9)
        for (step, update, _), (loss, term) in zip(self._waiting, read, strict=True):
            task = "+".join(batch.task for batch in update.selected.step)
            if not math.isfinite(loss + term):
                raise RelevanceError(
                    f"Training of '{task}' came to a loss of {loss + term} at step {step} of"
                    f" {state.total}. Start again with a lower `lr`; it was {update.lr:g} at that"
                    " step."
                )
            if self.on_step:
                self.on_step(
                    Progress(
                        task,
                        step,
                        state.total,
                        loss,
                        update.lr,
                        steps_per_s,
                        term if self.with_term else None,
                        {batch.task: len(batch.rows) for batch in update.selected.step},
                        update.selected.uncertainty,
                    )
                )
        self._waiting.clear()

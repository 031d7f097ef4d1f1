"""The training loop: every step of the schedule in turn, checked, reported and kept on disk."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, chain

import numpy as np
import torch
from torch import Tensor

from hmnet.data.batching import collate
from hmnet.data.encoded import Encoded
from hmnet.models.multitask import MultiTaskModel
from hmnet.samplers.sampler import Chooser, Chosen, Step
from hmnet.settings.config import ScheduleName
from hmnet.training.candidate_scorer import Asking
from hmnet.training.hooks.averaging import add_to_mean, is_averaged, take_mean
from hmnet.training.hooks.interrupts import Held, held_interrupts
from hmnet.training.hooks.selection import Selection
from hmnet.training.hooks.uncertainty_log import Unsure
from hmnet.training.memory import kept_memory
from hmnet.training.optimizer import rate_at
from hmnet.training.record import NOTHING, Record
from hmnet.training.step import Batch, Losses, Recipe, train_step
from relevance.errors import RelevanceError
from relevance.tasks.task import Task

REPORT_S = 1.0  # losses are read this often and not at every step, as reading waits for the device


@dataclass(frozen=True)
class Progress:
    """One finished step.

    Attributes:
        task: What it trained; names joined by `+` where a step has several tasks.
        step: From 1 to `total`.
        total: Steps of the run.
        loss: Of the tasks before the update, in fp32.
        lr: Learning rate of the step.
        steps_per_s: Since training was started or resumed.
        term: What the regularizer added to the loss; None without one.
        rows: Rows of each task that it trained.
        uncertainty: By task, where the sampler chooses among candidates or it is looked at; None
            elsewhere.
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

    @property
    def left_s(self) -> float:
        """Seconds to the end of the run at this pace."""
        return (self.total - self.step) / self.steps_per_s


@dataclass(frozen=True)
class Saving:
    """Keeps what is needed to go on after a kill.

    Attributes:
        save: Called with the number of steps done so far, and what they took.
        every_s: Seconds between two calls; there are further ones between epochs and at Ctrl-C.
    """

    save: Callable[[int, Record], None]
    every_s: float


def train(
    model: MultiTaskModel,
    tasks: Sequence[Task],
    data: Mapping[str, Encoded],
    epochs: Sequence[Sequence[Step]],
    *,
    optimizer: torch.optim.Optimizer,
    lr: float,
    recipe: Recipe,
    warmup: float = 0.0,
    schedule: ScheduleName = "linear",
    start: int = 0,
    record: Record = NOTHING,
    on_step: Callable[[Progress], None] | None = None,
    saving: Saving | None = None,
    average: float = 0.0,
    selection: Selection | None = None,
    chooser: Chooser | None = None,
    unsure: Unsure | None = None,
) -> Record:
    """Train a model on the steps of a schedule.

    Args:
        model: On the device that it trains on; in evaluation mode afterwards.
        tasks: Definitions of the tasks in the schedule.
        data: Their training rows by name.
        epochs: Steps by epoch, as `hmnet.samplers.sampler.schedule` gives them.
        optimizer: Over the model's weights.
        lr: Largest learning rate.
        recipe: How the batches of a step become an update.
        warmup: Share of the steps that the rate rises for, from 0.
        schedule: How the rate goes from then on, as for `rate_at`.
        start: Steps that were done before, when a run is resumed.
        record: What those took.
        on_step: Told about every step, about once a second for all steps since.
        saving: What to do so that a killed run can be resumed.
        average: Share of the last steps whose weights are averaged; 0 leaves the last ones.
        selection: Scores the model after every epoch from the first by which all tasks were
            trained, and may end training or choose the weights that stay; None for the last step's.
        chooser: Picks the rows that a step trains, as the model is then; None for all of them.
        unsure: Asks the model now and then, where the chooser does not say how unsure it is;
            changes nothing but what is told. None for nothing.

    Returns:
        What all steps took.

    Raises:
        RelevanceError: If a loss is not finite.
        KeyboardInterrupt: At Ctrl-C, after the step and its checkpoint; at once where several
            processes train together.
    """
    steps = list(chain.from_iterable(epochs))
    epoch_ends, judged = _epoch_ends(epochs), _first_with_all(epochs)
    ranks = recipe.ranks
    batches = _Batches(model, tasks, data, recipe)
    report = _Report(len(steps), start, on_step, with_term=recipe.regularizer is not None)
    meter = _Meter(record)
    ask = Asking(model, data, recipe.precision)
    saved_at = time.monotonic()
    model.train()
    # A process that stopped after its step would leave the others waiting in the next.
    holding = held_interrupts() if ranks.count == 1 else nullcontext(Held())
    with kept_memory(batches.device), holding as held:
        for done, step in enumerate(steps[start:], start + 1):
            if selection and selection.is_over(meter.evaluations):
                break
            rate = rate_at(done - 1, len(steps), lr=lr, warmup=warmup, schedule=schedule)
            ranks.reseed(done)
            chosen = ranks.agree(partial(chooser, step, ask)) if chooser else Chosen.whole(step)
            looks = unsure and ranks.is_main and chosen.uncertainty is None
            if unsure and looks and unsure.is_due(done, len(steps)):
                report.flush()
                with meter.paused():
                    chosen = chosen._replace(uncertainty=unsure.look(ask))
            losses = train_step(model, optimizer, batches.of(chosen), rate, recipe)
            if is_averaged(done, len(steps), average):
                add_to_mean(optimizer)
            meter.add(chosen.step)
            if ranks.is_main:
                report.add(chosen, done, rate, losses)
            if selection and epoch_ends.get(done, 0) >= judged:
                report.flush()
                with meter.paused():
                    scored = selection.look(model, epoch_ends[done], done, meter.evaluations)
                    meter.evaluations = scored
            due = saving is not None and time.monotonic() - saved_at >= saving.every_s
            if saving and (due or held or (done in epoch_ends and done < len(steps))):
                report.flush()
                with meter.paused() as record:
                    saving.save(done, record)
                saved_at = time.monotonic()
            if held:
                break
        report.flush()
    if held:
        raise KeyboardInterrupt
    record = meter.read()
    take_mean(optimizer)
    if selection:
        selection.settle(model)
    model.eval()
    return record


def _epoch_ends(epochs: Sequence[Sequence[Step]]) -> dict[int, int]:
    """Numbers of epochs, from 1, by the steps that are done when they end; empty ones left out."""
    ends = accumulate(map(len, epochs))
    return {
        end: number
        for number, (end, steps) in enumerate(zip(ends, epochs, strict=True), start=1)
        if steps
    }


def _first_with_all(epochs: Sequence[Sequence[Step]]) -> int:
    """The epoch, from 1, in which the last task begins; before it a mean of all says little."""
    firsts: dict[str, int] = {}
    for number, steps in enumerate(epochs, start=1):
        for batch in chain.from_iterable(steps):
            firsts.setdefault(batch.task, number)
    return max(firsts.values(), default=1)


class _Meter:
    """Adds up what steps take.

    The device is waited for by reading the losses before: without that, its seconds would be
    counted later.
    """

    def __init__(self, before: Record) -> None:
        self.seconds, self.examples = before.seconds, before.examples
        self.evaluations = before.evaluations
        self.since = time.monotonic()

    def add(self, step: Step) -> None:
        """Count the rows of a step."""
        self.examples += sum(len(batch.rows) for batch in step)

    def read(self) -> Record:
        """What was taken so far."""
        now = time.monotonic()
        self.seconds, self.since = self.seconds + now - self.since, now
        return Record(seconds=self.seconds, examples=self.examples, evaluations=self.evaluations)

    @contextmanager
    def paused(self) -> Iterator[Record]:
        """Leave out the seconds of a block."""
        yield self.read()
        self.since = time.monotonic()


class _Batches:
    """Makes tensors of a step's rows, in as many parts as gradients are accumulated over.

    Of each part this process has its share.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        tasks: Sequence[Task],
        data: Mapping[str, Encoded],
        recipe: Recipe,
    ) -> None:
        self.data = data
        self.accumulate, self.ranks = recipe.accumulate, recipe.ranks
        self.weights = {t.name: recipe.loss_weights.get(t.name.lower(), 1.0) for t in tasks}
        self.kinds = model.kinds
        self.forms = {task.name: model.input_form(task.name) for task in tasks}
        self.device = next(model.parameters()).device

    def of(self, chosen: Chosen) -> list[Batch]:
        """The batches of a step on the model's device, each part padded to its own longest row."""
        batches = []
        for (task, rows), weight in zip(chosen.step, chosen.weights, strict=True):
            for part in np.array_split(rows, min(self.accumulate, len(rows))):
                own = self.ranks.share(part)
                inputs = collate(self.data[task], own.rows, **self.forms[task])
                labels = torch.from_numpy(self.kinds[task].targets(self.data[task], own.rows))
                batches.append(
                    Batch(
                        task,
                        {name: values.to(self.device) for name, values in inputs.items()},
                        labels.to(self.device),
                        self.weights[task] * weight * own.part * len(part) / len(rows),
                    )
                )
        return batches


class _Report:
    """Collects losses on the device, reads them now and then, checks them and tells about them."""

    def __init__(
        self,
        total: int,
        start: int,
        on_step: Callable[[Progress], None] | None,
        *,
        with_term: bool,
    ) -> None:
        self.total = total
        self.with_term = with_term
        self.start = start
        self.on_step = on_step
        self.began = self.read_at = time.monotonic()
        self.waiting: list[tuple[Chosen, int, float, Tensor]] = []

    def add(self, chosen: Chosen, done: int, lr: float, losses: Losses) -> None:
        """Take down a step, and tell about all that wait if the last time is a while ago."""
        self.waiting.append((chosen, done, lr, torch.stack(losses)))
        if time.monotonic() - self.read_at >= REPORT_S:
            self.flush()

    def flush(self) -> None:
        """Read the losses that wait; a loss that is not finite ends the run."""
        if not self.waiting:
            return
        read = torch.stack([losses for *_, losses in self.waiting]).tolist()
        self.read_at = time.monotonic()
        steps_per_s = (self.waiting[-1][1] - self.start) / max(self.read_at - self.began, 1e-9)
        for (chosen, done, lr, _), (loss, term) in zip(self.waiting, read, strict=True):
            task = "+".join(batch.task for batch in chosen.step)
            if not math.isfinite(loss + term):
                raise RelevanceError(
                    f"Training of '{task}' came to a loss of {loss + term} at step {done} of"
                    f" {self.total}. Start again with a lower --lr; it was {lr:g} at that step."
                )
            if self.on_step:
                told = term if self.with_term else None
                rows = {batch.task: len(batch.rows) for batch in chosen.step}
                self.on_step(
                    Progress(
                        task,
                        done,
                        self.total,
                        loss,
                        lr,
                        steps_per_s,
                        told,
                        rows,
                        chosen.uncertainty,
                    )
                )
        self.waiting.clear()

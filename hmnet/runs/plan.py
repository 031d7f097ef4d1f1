"""What a run would take, before it is trained: steps, time, memory and disk."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from hmnet.devices import resolve_device
from hmnet.models.multitask import MultiTaskModel
from hmnet.prepared import PreparedTask, lengths_of
from hmnet.runs.checked import check_run
from hmnet.runs.train import Job
from hmnet.samplers.sampler import Step, TaskBatch
from hmnet.settings.config import RunConfig
from hmnet.training.fit import fit, most_tokens
from hmnet.training.hooks.costs import SavedActivations, Stopwatch
from hmnet.training.hooks.uncertainty_log import UncertaintyLog
from hmnet.training.task_source import parts_of
from relevance.clustering.spec import ClusterSpec
from relevance.interfaces.peak_memory import PeakFromNow, resident_bytes
from relevance.report.tables import Row

TIMED = 3  # steps of each kind, beside one that is not counted
FLOAT_BYTES = 4  # weights, gradients and moments are fp32 whatever the forward pass is in
LINE_BYTES = 190  # of a step in the log, beside the names of its tasks

Lengths = Mapping[str, Int[np.ndarray, " _"]]


class Memory(NamedTuple):
    """Bytes that training takes at its peak, estimated as the sum of these.

    With P the parameters of a model, F those that are trained and S those that one step gives a
    gradient to, in fp32: 4 P + 4 S + 4 m F + A. Adam has m = 2 moments, AMSGrad 3, and the mean of
    weights (`average`) is one more; gradient surgery holds S once more for each task of the step.
    A is measured: what autograd saves for the largest batch. Gradients come while activations go,
    so the sum is an upper bound where a step is one batch, but for buffers within an operation and
    what an allocator keeps; on a CPU these are what the timed steps took beyond it.

    Attributes:
        parameters: The model's.
        gradients: Gradients of the largest step.
        optimizer: State of the optimizer.
        activations: Saved for the gradient of the largest batch.
        program: On a CPU the process before the model is made: program, data and pretrained
            weights. 0 on a GPU.
        buffers: On a CPU what steps took at their peak beside all this, where the system says so.
        checkpoint: On a CPU the copy of weights or of the optimizer's state that is written,
            counted whole, though activations are free again by then.
    """

    parameters: int
    gradients: int
    optimizer: int
    activations: int
    program: int = 0
    buffers: int = 0
    checkpoint: int = 0

    @property
    def total(self) -> int:
        """The sum."""
        return sum(self)


class TaskCost(NamedTuple):
    """The steps of one task.

    Attributes:
        task: Its name; None for steps that train several tasks at once.
        rows: Training rows, of tasks that read windows the windows; None for several tasks.
        steps: Batches in each epoch.
        seconds: Of all steps that train it alone; None where there is no such step.
    """

    task: str | None
    rows: int | None
    steps: tuple[int, ...]
    seconds: float | None

    def table_row(self) -> Row:
        """As a row of a table."""
        few, many = min(self.steps), max(self.steps)
        hours = None if self.seconds is None else self.seconds / 3600
        return {
            "task": self.task or "several at once",
            "rows": self.rows,
            "steps per epoch": str(few) if few == many else f"{few} to {many}",
            "steps": sum(self.steps),
            "hours": hours,
        }


@dataclass(frozen=True)
class RunPlan:
    """What a run would take.

    Attributes:
        costs: Steps and time by task, and of steps with several tasks if there are any.
        seconds: Time of all steps and of the looks of `log_uncertainty`; scores, checkpoints and
            loading are not in it.
        memory: Peak of the model that takes most.
        disk_bytes: Size of the finished folder.
        checkpoint_bytes: What checkpoints take beside it while it is trained, at most.
        device: Device that was asked.
        notes: What the run would say before its first step.
    """

    costs: tuple[TaskCost, ...]
    seconds: float
    memory: Memory
    disk_bytes: int
    checkpoint_bytes: int
    device: str
    notes: tuple[str, ...] = ()


class _PartCost(NamedTuple):
    """What one model of a run takes."""

    seconds: dict[tuple[str, ...], float]
    memory: Memory
    weights: int
    trained: int


def plan_run(config: RunConfig, spec: ClusterSpec | None, out: Path) -> RunPlan:
    """Say what a run would take: a few steps of each kind are trained and thrown away.

    Rows are encoded, or read from the cache. Of every kind of step, the tasks that it trains, one
    is done to warm up and `TIMED` others are timed, from small to large.

    Args:
        config: The settings.
        spec: The clusters, for methods that read them.
        out: The folder that the run would have; nothing is written there.

    Returns:
        The plan.

    Raises:
        RelevanceError: As `train_run` does before the first step.
    """
    checked = check_run(config, spec, out)
    job = Job.prepare(checked, out, resolve_device(checked.config.device))
    program = (resident_bytes() or 0) if job.device == "cpu" else 0
    parts = [_cost(job, number, program) for number in range(len(job.parts))]
    schedules = [list(epochs) for epochs in job.schedules]
    states = _states(job.config)
    tokenizer = len(job.tokenizer.backend_tokenizer.to_str())
    lines = sum(_line_bytes(step) for epochs in schedules for step in chain(*epochs))
    largest = max(part.weights + states * part.trained for part in parts)
    seconds = Counter[tuple[str, ...]]()
    for part in parts:
        seconds.update(part.seconds)
    return RunPlan(
        costs=_task_costs(job.prepared, schedules, seconds),
        seconds=seconds.total(),
        memory=max((part.memory for part in parts), key=lambda memory: memory.total),
        disk_bytes=FLOAT_BYTES * sum(p.weights for p in parts) + len(parts) * tokenizer + lines,
        # the one before is kept until the new one is in place
        checkpoint_bytes=2 * FLOAT_BYTES * largest,
        device=job.device,
        notes=checked.notes,
    )


def _cost(job: Job, number: int, program: int) -> _PartCost:
    """Train a few steps of a model, which is thrown away."""
    steps = list(chain(*job.schedules[number]))
    model, tasks = job.untrained(number)
    lengths = lengths_of(tasks)
    kinds: dict[tuple[str, ...], list[Step]] = {}
    for step in steps:
        kinds.setdefault(_tasks_of(step), []).append(step)
    peak = PeakFromNow()
    seconds = _seconds(job.config, model, tasks, kinds)
    reached = (peak.read() or 0) if job.device == "cpu" else 0
    if job.config.log_uncertainty:
        seconds[()] = _looking_s(job.config, model, tasks, steps)
    weights = sum(weight.numel() for weight in model.parameters())
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    held = max(_held(model, kind, surgery=bool(job.config.surgery)) for kind in kinds)
    activations = SavedActivations()
    batches = {id(batch): batch for step in steps for batch in step}.values()  # epochs share them
    largest = max(batches, key=lambda batch: _largest_part(batch, lengths, job.config))
    whole = job.config.model_copy(update={"sampler": "packed"})  # which leaves out no candidate
    fit(model, tasks, [[[largest]]], whole, job.config.seed, [activations])
    memory = Memory(
        FLOAT_BYTES * weights,
        FLOAT_BYTES * held,
        FLOAT_BYTES * _states(job.config) * trained,
        activations.most_bytes,
        program,
    )
    if job.device == "cpu":
        copied = FLOAT_BYTES * max(weights, _states(job.config) * trained)
        beside = max(0, reached - memory.total)
        memory = memory._replace(buffers=beside, checkpoint=copied)
    return _PartCost(seconds, memory, weights, trained)


def _seconds(
    config: RunConfig,
    model: MultiTaskModel,
    tasks: Sequence[PreparedTask],
    kinds: Mapping[tuple[str, ...], Sequence[Step]],
) -> dict[tuple[str, ...], float]:
    """Seconds of all steps of each kind, by a few of them, which are one training."""
    lengths, watch = lengths_of(tasks), Stopwatch()
    timed = {kind: spread(own, TIMED, lengths) for kind, own in kinds.items()}
    steps = [step for of_kind in timed.values() for step in (of_kind[-1], *of_kind)]
    fit(model, tasks, [steps], config, config.seed, [watch])
    seconds, found = iter(watch.seconds), {}
    for kind, own in timed.items():
        _, *of_kind = islice(seconds, 1 + len(own))
        found[kind] = len(kinds[kind]) * fmean(of_kind)
    return found


def _looking_s(
    config: RunConfig, model: MultiTaskModel, tasks: Sequence[PreparedTask], steps: Sequence[Step]
) -> float:
    """Seconds of all looks of `log_uncertainty`, by one of them: that before a short step."""
    log, plain, looking = UncertaintyLog(tasks, config.batch_size), Stopwatch(), Stopwatch()
    looks = sum(log.is_due(number, len(steps)) for number in range(1, len(steps) + 1))
    lengths = lengths_of(tasks)
    step = min(steps, key=lambda each: _tokens(each, lengths))
    fit(model, tasks, [[step, step]], config, config.seed, [plain])
    fit(model, tasks, [[step, step]], config, config.seed, [log, looking])  # it looks before both
    return looks * max(0.0, looking.seconds[-1] - plain.seconds[-1])


def spread(steps: Sequence[Step], count: int, lengths: Lengths) -> list[Step]:
    """Some steps that stand for all: the middle ones of as many equal parts, from small to large.

    Args:
        steps: One or more.
        count: How many, at most.
        lengths: Tokens of the rows, by task.

    Returns:
        The steps, each once.
    """
    order = sorted(steps, key=lambda step: _tokens(step, lengths))
    places = (np.arange(count) + 0.5) * len(order) / count
    return [order[place] for place in np.unique(places.astype(int)).tolist()]


def _tokens(step: Step, lengths: Lengths) -> int:
    """Tokens of a step with its padding."""
    return sum(len(rows) * int(lengths[task][rows].max()) for task, rows in step)


def _largest_part(batch: TaskBatch, lengths: Lengths, config: RunConfig) -> int:
    """Tokens with padding of the largest part that a batch runs in."""
    parts = parts_of(batch.rows, lengths[batch.task], config.accumulate, most_tokens(config))
    return max(_tokens([TaskBatch(batch.task, part)], lengths) for part in parts)


def _tasks_of(step: Step) -> tuple[str, ...]:
    return tuple(batch.task for batch in step)


def _held(model: MultiTaskModel, kind: Sequence[str], *, surgery: bool) -> int:
    """Numbers in the gradients of a step of some tasks, whole tables of word vectors among them."""
    paths = [
        {id(w): w.numel() for w in model.path_parameters(task) if w.requires_grad} for task in kind
    ]
    together = {number: size for path in paths for number, size in path.items()}
    apart = sum(sum(path.values()) for path in paths) if surgery else 0
    return sum(together.values()) + apart


def _states(config: RunConfig) -> int:
    """Numbers that the optimizer keeps for each weight that is trained."""
    return 2 + config.amsgrad + (config.average > 0)


def _line_bytes(step: Step) -> int:
    """About what the log has of a step."""
    return LINE_BYTES + sum(2 * len(batch.task) + 8 for batch in step)


def _task_costs(
    prepared: Mapping[str, PreparedTask],
    schedules: Sequence[Sequence[Sequence[Step]]],
    seconds: Mapping[tuple[str, ...], float],
) -> tuple[TaskCost, ...]:
    """Steps and seconds by task; a row more for steps of several tasks."""
    epochs = [list(chain(*of_parts)) for of_parts in zip(*schedules, strict=True)]
    batches = [Counter(batch.task for step in steps for batch in step) for steps in epochs]
    costs = [
        TaskCost(
            name,
            len(task.train.encoded),
            tuple(count[name] for count in batches),
            seconds.get((name,)),
        )
        for name, task in prepared.items()
    ]
    several = tuple(sum(len(step) > 1 for step in steps) for steps in epochs)
    if any(several):
        joint = sum(own for kind, own in seconds.items() if len(kind) > 1)
        costs.append(TaskCost(None, None, several, joint))
    return tuple(costs)

"""One training run of a study: what it depends on, how it is done, and what is kept of it."""

import math
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from relevance.disk.files import validated, write_text
from relevance.errors import RelevanceError
from relevance.interfaces.peak_memory import peak_memory_bytes
from relevance.interfaces.trainer import Result, Trainer, fingerprint_of
from relevance.jobs.attempts import HeldElsewhereError
from relevance.jobs.job import Status
from relevance.studies.store import JobStore
from relevance.tasks.task import Task

VERSION = 1
"""Raised when runs of the same trainer would come out differently."""


@dataclass(frozen=True)
class FinishedRun:
    """The results of a run and what it cost, as they are kept.

    Attributes:
        results: Results by task name.
        seconds: Wall time of the training.
        device: Device that it ran on.
        memory_bytes: Peak memory of its GPU, or of its process on a CPU; None if unknown.
    """

    results: dict[str, Result]
    seconds: float
    device: str
    memory_bytes: int | None = None


class _KeptResult(BaseModel):
    """A task's `Result` as JSON has it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    metrics: dict[str, float]
    loss: float
    predictions: list[Any] | None = None
    losses: list[float] | None = None


class _Kept(BaseModel):
    """A finished run as a store holds it."""

    results: dict[str, _KeptResult]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    device: str
    memory_bytes: int | None = None


@dataclass(frozen=True)
class TrainingRun:
    """One model trained on one or several tasks with one seed.

    Attributes:
        tasks: Tasks in alphabetical order, so that a pair is one run whichever comes first.
        data: Fingerprint of each task's data, in the same order.
        seed: Seed of everything random in the run.
        trainer: Trainer that does the run.
    """

    tasks: tuple[Task, ...]
    data: tuple[str, ...]
    seed: int
    trainer: Trainer

    @property
    def name(self) -> str:
        """Name such as `CB & RTE, seed 0`; no name of a task has an ampersand."""
        return f"{' & '.join(task.name for task in self.tasks)}, seed {self.seed}"

    @property
    def inputs(self) -> dict[str, Any]:
        """All that could change the result; the device is not among it."""
        # These describe a task and change no result; where rows come from is in their fingerprint.
        about = {"family", "licence", "source"}
        return {
            "kind": "training-run",
            "version": VERSION,
            "tasks": [task.model_dump(mode="json", exclude=about) for task in self.tasks],
            "data": list(self.data),
            "seed": self.seed,
            "trainer": fingerprint_of(self.trainer, tuple(task.name for task in self.tasks)),
        }

    def do(self, store: JobStore, device: str) -> None:
        """Train and store the results, unless another process has done so or is doing it.

        What the trainer raises goes on, and its traceback to `error.txt` in the run's folder.

        Args:
            store: Store of the results.
            device: Device such as `cpu` or `cuda:1`.

        Raises:
            RelevanceError: If the trainer leaves a task or metric out or a number is not finite,
                or the store cannot be written.
            HeldElsewhereError: If another process is doing it.
        """
        # Claimed first, then looked up: another process may have finished it in the meantime.
        with store.claim(self.inputs) as mine:
            if not mine:
                raise HeldElsewhereError
            if store.read(self.inputs) is None:
                self._train(store, device)

    def status(self, store: JobStore) -> Status:
        """Whether it has yet to be done, another process is doing it, or it is finished."""
        if store.read(self.inputs) is not None:
            return "finished"
        return "held" if store.held(self.inputs) else "open"

    def _train(self, store: JobStore, device: str) -> None:
        start = time.perf_counter()
        try:
            results = self.trainer(tuple(task.name for task in self.tasks), self.seed, device)
        except Exception:
            write_text(store.folder(self.inputs) / "error.txt", traceback.format_exc())
            raise
        seconds = time.perf_counter() - start
        kept = {task.name: asdict(_checked(task, results)) for task in self.tasks}
        memory = peak_memory_bytes(self.trainer, device)
        finished = {"results": kept, "seconds": seconds, "device": device, "memory_bytes": memory}
        store.write(self.inputs, finished)

    def finished(self, store: JobStore) -> FinishedRun | None:
        """The finished run as the store holds it, None if it has yet to be done."""
        kept = store.read(self.inputs)
        if kept is None:
            return None
        where = str(store.folder(self.inputs) / "result.json")
        try:
            found = validated(_Kept, kept, where)
            results = {name: Result(**dict(result)) for name, result in found.results.items()}
            results = {task.name: _checked(task, results) for task in self.tasks}
        except RelevanceError as error:
            raise RelevanceError(
                f"{where} is not what a run leaves: {str(error).removeprefix(f'{where}: ')}"
                " Delete it, and the run is done again."
            ) from None
        return FinishedRun(results, found.seconds, found.device, found.memory_bytes)


def _checked(task: Task, results: Mapping[str, Result]) -> Result:
    """A trainer's result for a task with plain numbers, all of them there and finite."""
    if task.name not in results:
        raise RelevanceError(f"The trainer gave no result for task '{task.name}'.")
    result = results[task.name]
    metrics = {name: float(value) for name, value in result.metrics.items()}
    for name in (task.primary, *task.gain_metrics):
        if name not in metrics:
            raise RelevanceError(f"The trainer gave no {name} for task '{task.name}'.")
    for name, value in {**metrics, "held-out loss": float(result.loss)}.items():
        if not math.isfinite(value):
            raise RelevanceError(f"The {name} of task '{task.name}' came out as {value}.")
    return Result(metrics, float(result.loss), _plain(result.predictions), _plain(result.losses))


def _plain(values: Sequence[Any] | None) -> list[Any] | None:
    """Numbers as JSON has them; tags of words and the like are left as they are."""
    if values is None:
        return None
    return [float(value) if isinstance(value, Real) else value for value in values]

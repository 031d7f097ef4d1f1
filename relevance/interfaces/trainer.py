"""The interface of a trainer, which joint-training gains are handed; any script can be one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class Result:
    """Result of one task in one training run.

    Attributes:
        metrics: Scores on the held-out split by metric name, fractions in [0, 1] (correlations in
            [-1, 1]).
        loss: Mean held-out loss per row, lower is better.
        predictions: Predicted label code or value of each held-out row, the tags of its words, or
            the like, as JSON has them; None if not kept.
        losses: Losses of the held-out rows, whose mean is `loss`, or None if not kept.
    """

    metrics: dict[str, float]
    loss: float
    predictions: list[Any] | None = field(default=None, repr=False)
    losses: list[float] | None = field(default=None, repr=False)


@runtime_checkable
class TellsTasksApart(Protocol):
    """A trainer whose results for some tasks depend on more than its `fingerprint` says."""

    def fingerprint_of(self, tasks: tuple[str, ...]) -> str:
        """Fingerprint for runs of these tasks; it changes whenever results of such a run could."""
        ...


@runtime_checkable
class TellsOfRows(Protocol):
    """A trainer or probe that knows of training rows that a model cannot learn from."""

    def unlearned(self, tasks: tuple[str, ...]) -> dict[str, str]:
        """Notes on such rows, before anything is trained.

        Args:
            tasks: Names.

        Returns:
            A line for each task that has some.

        Raises:
            RelevanceError: If a task has no others.
        """
        ...


@runtime_checkable
class ReadsTexts(Protocol):
    """A trainer that can tell from a few texts whether it reads a task at all."""

    def check_texts(self, texts: Mapping[str, Sequence[Sequence[str]]]) -> None:
        """Refuse tasks whose texts say nothing to the trainer, before any job is begun.

        Args:
            texts: Columns of the first training rows, by task name.

        Raises:
            RelevanceError: If a task cannot be read.
        """
        ...


@runtime_checkable
class TrainsOnShares(Protocol):
    """A trainer that can do its runs on fewer training rows."""

    def on_share(self, share: float) -> "Trainer":
        """The trainer on a share of each task's training rows.

        Args:
            share: Share in (0, 1], as `relevance.tasks.data.DataOptions` has it.

        Returns:
            Another trainer, all else the same.
        """
        ...


@runtime_checkable
class TrainsTopLayers(Protocol):
    """A trainer that can leave an encoder's lower layers as they are, and run them once a task."""

    def top_layers(self, memory_bytes: int) -> "Trainer":
        """The trainer of what stands above the lower layers.

        Args:
            memory_bytes: Outputs of lower layers that all workers may hold in memory together.

        Returns:
            Another trainer.

        Raises:
            RelevanceError: If its settings do not go with that.
        """
        ...


def unlearned_rows(asked: object, tasks: tuple[str, ...]) -> dict[str, str]:
    """Notes of a trainer or probe on training rows that a model cannot learn from.

    Args:
        asked: A trainer or a probe.
        tasks: Names.

    Returns:
        A line for each task that has some; nothing where nothing is known.

    Raises:
        RelevanceError: If a task has no others.
    """
    return asked.unlearned(tasks) if isinstance(asked, TellsOfRows) else {}


@runtime_checkable
class Trainer(Protocol):
    """Trains the named tasks together and scores each of them."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever results could: settings, backbone, resolved precision, code version.

        Device and number of workers are no part of it, nor are the tasks and their rows.
        """
        ...

    def __call__(self, tasks: tuple[str, ...], seed: int, device: str) -> dict[str, Result]:
        """Train one model on all tasks and score it on each.

        Args:
            tasks: Names; one for a single run, two for a joint run.
            seed: Seed of everything random in the run.
            device: Name of a device, such as `cpu` or `cuda:1`.

        Returns:
            A result for every task.
        """
        ...


def fingerprint_of(trainer: Trainer, tasks: tuple[str, ...]) -> str:
    """The trainer's fingerprint for runs of some tasks, or else the one it has for all runs."""
    if isinstance(trainer, TellsTasksApart):
        return trainer.fingerprint_of(tasks)
    return trainer.fingerprint

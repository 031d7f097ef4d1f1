"""The base of samplers, which say which batches are trained in which order.

A sampler yields steps. A step is one update of the weights, made from the batches in it: one batch
for Algorithm 1, one of every task where losses are summed.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import chain, count, islice
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from hmnet.data.encoded import Encoded
from relevance.registry import Registry
from relevance.tasks.task import Task


class TaskBatch(NamedTuple):
    """Some rows of one task's training split, run through the model together."""

    task: str
    rows: Int[np.ndarray, " row"]


Step = list[TaskBatch]


class SelectedStep(NamedTuple):
    """The rows that a step trains of its candidates.

    Attributes:
        step: Batches with the chosen rows.
        weights: Weight of each batch's mean loss in the update.
        uncertainty: Mean over the candidates of each task, in [0, 1]; None where nothing was asked.
    """

    step: Step
    weights: tuple[float, ...]
    uncertainty: dict[str, float] | None = None

    @classmethod
    def whole(cls, step: Step) -> "SelectedStep":
        """All rows of a step, the losses of its batches summed."""
        return cls(step, (1.0,) * len(step))


@runtime_checkable
class CandidateScorer(Protocol):
    """Asks the model as it is at that step, without gradients."""

    def __call__(
        self, batch: TaskBatch, task: str, *, dropout: int | None = None
    ) -> Float[np.ndarray, "row outputs *place"]:
        """Logits of a task's path for some rows, its own or another task's.

        Args:
            batch: The rows.
            task: Task whose path is taken.
            dropout: Number of a pass under dropout, None for one without.

        Returns:
            Logits.
        """

    def entropies(self, batch: TaskBatch, task: str) -> Float[np.ndarray, " row"]:
        """Entropy of what a task's path predicts for some rows, over the largest there can be.

        Args:
            batch: The rows.
            task: Task whose path is taken, of a kind that has an entropy: any but regression.

        Returns:
            Ratios in [0, 1], without dropout.
        """


Chooser = Callable[[Step, CandidateScorer], SelectedStep]
Batches = Mapping[str, Sequence[Int[np.ndarray, " _"]]]  # of unequal length


@dataclass
class Sampler(ABC):
    """The numbers of batches of each task that an epoch takes, and their turns.

    Which ones is the same for every sampler: all of a task's batches in random order, then all of
    them in another one, and so on from epoch to epoch. That order depends on the seed, the task's
    name and its batches only, so that a task's first N batches are the same in all company. All
    steps follow from the arguments, so that any epoch can be asked for.

    Attributes:
        packed: Row numbers by batch for every task, packed once, in the order of the tasks.
        epochs: Number of epochs of the run.
        seed: Seed of every random choice.
        version: Raised whenever the same arguments would give other steps.
        joint: Whether every step has a batch of each task, so that gradients can be told apart by
            task.
        paired: Whether a task trains as many batches beside others as it does alone.
        batches: The same with the tasks' names.
        sizes: Training rows per task.
        total: Batches of all tasks together.
    """

    version: ClassVar[int] = 1
    joint: ClassVar[bool] = False
    paired: ClassVar[bool] = False

    packed: Batches = field(repr=False)
    _: KW_ONLY
    epochs: int
    seed: int

    def __post_init__(self) -> None:
        self.batches = {
            task: [TaskBatch(task, rows) for rows in packed] for task, packed in self.packed.items()
        }
        self.sizes = {task: sum(map(len, packed)) for task, packed in self.packed.items()}
        self.total = sum(map(len, self.packed.values()))

    @abstractmethod
    def turns(self) -> list[dict[str, int]]:
        """Numbers of batches of each task that are trained in each epoch.

        Returns:
            Counts for every task, by epoch; a task with more turns than batches starts over.
        """

    def epoch(self, number: int) -> list[Step]:
        """The steps of one epoch.

        Where steps are joint, each has a batch of every task that has turns in the epoch; else one
        batch each, the tasks' turns merged at random.

        Args:
            number: 0 for the first epoch; epochs can be asked for in any order.

        Returns:
            The steps in the order they are trained.
        """
        upcoming = self.upcoming(number)
        if self.joint:
            return [list(step) for step in zip(*filter(None, upcoming), strict=True)]
        # Turns are shuffled, not batches: those of a task keep the order they have in any company.
        turns = np.repeat(np.arange(len(upcoming)), [len(batches) for batches in upcoming])
        generator(self.seed, "merge", number).shuffle(turns)
        batches = [iter(of_task) for of_task in upcoming]
        return [[next(batches[turn])] for turn in turns]

    def upcoming(self, number: int) -> list[list[TaskBatch]]:
        """The batches that an epoch takes, those of one task after another.

        Args:
            number: 0 for the first epoch.

        Returns:
            One list per task, each in the order it is trained.
        """
        starts, ends = self._taken[number : number + 2].tolist()
        return [
            self._stream(task, start, end)
            for task, start, end in zip(self.batches, starts, ends, strict=True)
        ]

    def check(self, tasks: Sequence[Task]) -> None:  # noqa: B027  most take any
        """Refuse tasks that the sampler cannot take together; it needs no batches for that.

        Args:
            tasks: All that train together.

        Raises:
            RelevanceError: If there is one that it cannot take.
        """

    def chooser(
        self,
        tasks: Sequence[Task],  # noqa: ARG002  for samplers that choose
        data: Mapping[str, Encoded],  # noqa: ARG002
    ) -> Chooser | None:
        """Make the function that picks, as the model is at a step, the rows that the step trains.

        It needs none of the sampler's batches.

        Args:
            tasks: All that are trained.
            data: Training rows of the tasks.

        Returns:
            None where a step trains all of its rows, which is the rule.
        """
        return None

    @cached_property
    def _taken(self) -> Int[np.ndarray, "boundary task"]:
        """Batches of each task that are taken before each epoch, and in all."""
        turns = [[epoch[task] for task in self.batches] for epoch in self.turns()]
        return np.cumsum([[0] * len(self.batches), *turns], axis=0)

    def _stream(self, task: str, start: int, end: int) -> list[TaskBatch]:
        """Some of a task's batches, counted over all its passes."""
        # Counted over all passes: a resumed run asks for an epoch without those before it.
        first_pass, first = divmod(start, len(self.batches[task]))
        passes = (self._shuffled(task, number) for number in count(first_pass))
        return list(islice(chain.from_iterable(passes), first, first + end - start))

    def _shuffled(self, task: str, number: int) -> list[TaskBatch]:
        batches = self.batches[task]
        order = generator(self.seed, "shuffle", task, number).permutation(len(batches))
        return [batches[index] for index in order]


def apportion(steps: int, weights: Mapping[str, float | int]) -> dict[str, int]:
    """Split steps among tasks in proportion to weights, at least one for each.

    Drawing a task for every step would come to the same on average. This way a task is trained as
    often with one seed as with another, and none is left out by chance.

    Args:
        steps: Number of steps, at least as many as tasks.
        weights: Weights by task, above 0.

    Returns:
        Steps by task, which add up to all; equal claims go to the task named first.

    Source:
        Webster's method (Sainte-Laguë), each task with one step to begin with.

    >>> apportion(10, {"RTE": 70, "CB": 1, "WNLI": 29})
    {'RTE': 6, 'CB': 1, 'WNLI': 3}
    """
    further = steps - len(weights)
    # Webster's divisors 1.5, 2.5, ...: each task has its first step already.
    claims = np.array([*weights.values()])[:, None] / (np.arange(1, further + 1) + 0.5)
    # A stable order lets the task named first win among equal claims.
    heard = np.argsort(-claims, axis=None, kind="stable")[:further]
    counts = 1 + np.bincount(heard // max(further, 1), minlength=len(weights))
    return dict(zip(weights, counts.tolist(), strict=True))


def schedule(sampler: Sampler, max_steps_per_task: int | None = None) -> list[list[Step]]:
    """Every step of a run.

    Args:
        sampler: Sampler that gives the steps.
        max_steps_per_task: Each task takes its first N batches, counted over all epochs in the
            order they come; the rest of its batches are left out and other tasks go on.

    Returns:
        Steps by epoch; a step whose batches are all left out is no step, an epoch may have none.
    """
    taken: Counter[str] = Counter()

    def within_limit(batch: TaskBatch) -> bool:
        taken[batch.task] += 1
        return max_steps_per_task is None or taken[batch.task] <= max_steps_per_task

    epochs = []
    for number in range(sampler.epochs):
        steps = [[b for b in step if within_limit(b)] for step in sampler.epoch(number)]
        epochs.append([step for step in steps if step])
    return epochs


def generator(seed: int, *scope: str | int) -> np.random.Generator:
    """Random numbers that depend on a seed and on what they are for, and on nothing else.

    Args:
        seed: The run's.
        *scope: Uses of the numbers, such as a task's name and the number of an epoch.

    Returns:
        A generator; other scopes get independent ones.

    >>> int(generator(0, "RTE").integers(1000)) == int(generator(0, "RTE").integers(1000))
    True
    """
    # Python's own hash of a text differs between processes.
    purpose = sha256(repr(scope).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(purpose[:8], "little")])


samplers = Registry("sampler", Sampler)
"""All samplers, by name."""

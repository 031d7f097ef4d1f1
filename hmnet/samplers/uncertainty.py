"""Uncertainty sampling: of candidates of every task, those that the model is least sure of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import numpy as np
from jaxtyping import Float
from pydantic import Field

from hmnet.data.encoded import Encoded
from hmnet.samplers.sampler import CandidateScorer, Chooser, Sampler, SelectedStep, Step, TaskBatch
from relevance.errors import RelevanceError, unknown_name
from relevance.measures.vocabulary import vocabulary_overlap
from relevance.tasks.task import Task

Values: TypeAlias = Float[np.ndarray, " _"]  # one for each row of a batch
Measure = Callable[[TaskBatch, CandidateScorer], Values]
Variant = Literal["paper", "released"]
# Each pass asks the model again; a deviation of five is enough to rank rows by.
DROPOUT_PASSES = 5
DEVIATION = "deviation under dropout"
ROUNDING = 1e-6  # deviations below are not dropout's


@dataclass(kw_only=True)
class Uncertainty(Sampler):
    """Uncertainty sampling: of b candidates of every task, the b least sure ones, in one update.

    An epoch is T times as many steps as the largest task has batches, where T is the number of
    tasks, so that it offers the largest task T times. Each step has a batch of every task: a task
    whose rows are used up is loaded again in another order, so that small tasks stay candidates to
    the end, and within one pass no row comes twice. Of a step's candidates as many rows are trained
    as the largest of its batches holds. So an epoch trains as many rows as T passes over the
    largest task, some rows several times and others never.

    Uncertainty is the entropy of what is predicted over the largest there can be: of labels over
    log C, of a row's alternatives over the logarithm of their number, of the tags of words as the
    mean over words, of an answer's first and last token as the mean of both; see
    `OutputKind.entropies`. A regression task has no entropy; `proxy` says what stands for it.

    Attributes:
        variant: `paper` ranks by normalised entropy, and the loss is the mean over the chosen rows;
            `released` multiplies by the task's mean over the largest mean of a task, and the loss
            is the mean over the tasks that are present.
        proxy: For regression: `relevant` asks the classification task whose vocabulary holds most
            of the task's own, the name of a classification task asks that one, `dropout` takes the
            deviation of five predictions under dropout. A deviation is no share of a largest
            value, so those of a step are scaled to the mean entropy of its other candidates.
        share: Share of an epoch's steps that it has: above 0, at most 1. 1 / T offers the largest
            task once.

    Source:
        Pilault et al. (2021), Algorithm 2; El Hattami (2021), section 3.3.
    """

    version = 3
    joint = True

    variant: Variant = "paper"
    proxy: str = "relevant"
    share: Annotated[float, Field(gt=0, le=1)] = 1.0

    def turns(self) -> list[dict[str, int]]:
        """A batch of every task as a candidate of every step.

        Returns:
            The number of steps for each task, in every epoch.
        """
        whole = len(self.batches) * max(map(len, self.batches.values()))
        return [dict.fromkeys(self.batches, max(1, round(self.share * whole)))] * self.epochs

    def check(self, tasks: Sequence[Task]) -> None:
        """Refuse regression tasks that the proxy can't stand for.

        Args:
            tasks: All that train together.

        Raises:
            RelevanceError: If there is one.
        """
        for task in tasks:
            _check(task, tasks, self.proxy)

    def chooser(self, tasks: Sequence[Task], data: Mapping[str, Encoded]) -> Chooser:
        """Make the function that picks the rows of a step.

        Args:
            tasks: All that are trained.
            data: Training rows of the tasks.

        Returns:
            A function that takes the candidates of a step and a way to ask the model, and gives
            what to train.

        Raises:
            RelevanceError: If the proxy can't stand for a regression task.
        """
        measures = {task.name: uncertainty_of(task, tasks, data, self.proxy) for task in tasks}
        by_dropout = self.proxy == "dropout"
        by_deviation = {t.name for t in tasks if t.kind == "regression" and by_dropout}

        def choose(candidates: Step, ask: CandidateScorer) -> SelectedStep:
            unsure = [measures[batch.task](batch, ask) for batch in candidates]
            scaled = comparable(unsure, [batch.task in by_deviation for batch in candidates])
            chosen = most_uncertain(candidates, scaled, self.variant)
            # The log has what was measured, before deviations are scaled to other tasks' entropies.
            means = {b.task: float(np.mean(u)) for b, u in zip(candidates, unsure, strict=True)}
            return chosen._replace(uncertainty=means)

        return choose


def comparable(uncertainties: Sequence[Values], by_deviation: Sequence[bool]) -> list[Values]:
    """Uncertainties of a step's candidates, deviations on the scale of the entropies.

    Args:
        uncertainties: Uncertainties by batch.
        by_deviation: Whether those of each batch are deviations.

    Returns:
        Uncertainties, each batch of deviations scaled to the mean over all rows with an entropy; as
        they are where there is none, or they are rounding alone.
    """
    entropies = [u for u, is_one in zip(uncertainties, by_deviation, strict=True) if not is_one]
    if not entropies:
        return list(uncertainties)
    level = np.concatenate(entropies).mean()
    return [
        u * (level / u.mean()) if is_one and u.mean() > ROUNDING else u
        for u, is_one in zip(uncertainties, by_deviation, strict=True)
    ]


def most_uncertain(
    candidates: Step, uncertainties: Sequence[Values], variant: Variant
) -> SelectedStep:
    """The rows of a step that the model is least sure of.

    Args:
        candidates: A batch of each of some tasks.
        uncertainties: Uncertainties of their rows, in [0, 1].
        variant: Way to compare rows of different tasks and to average losses.

    Returns:
        As many rows as the largest batch holds; of equal ones those that come first.
    """
    means = np.array([np.mean(values) for values in uncertainties])
    factors = np.ones_like(means)
    if variant == "released" and means.max() > 0:
        factors = means / means.max()
    ranks = np.concatenate([u * f for u, f in zip(uncertainties, factors, strict=True)])
    owners = np.repeat(np.arange(len(candidates)), [len(u) for u in uncertainties])
    size = max(len(batch.rows) for batch in candidates)
    chosen = np.zeros(len(ranks), dtype=bool)
    # A stable order makes the choice among equal ranks the same on every machine.
    chosen[np.argsort(-ranks, kind="stable")[:size]] = True
    batches = [
        TaskBatch(batch.task, batch.rows[chosen[owners == number]])
        for number, batch in enumerate(candidates)
    ]
    batches = [batch for batch in batches if len(batch.rows)]
    weights = [len(batch.rows) / size for batch in batches]
    if variant == "released":
        weights = [1 / len(batches)] * len(batches)
    names = [batch.task for batch in candidates]
    return SelectedStep(batches, tuple(weights), dict(zip(names, means.tolist(), strict=True)))


def _check(task: Task, tasks: Sequence[Task], proxy: str) -> None:
    """Refuse a regression task whose rows cannot be ranked."""
    if task.kind != "regression":
        return
    if proxy not in ("relevant", "dropout"):
        _named(proxy, tasks)
    if proxy == "relevant" and all(other.kind != "classification" for other in tasks):
        raise RelevanceError(
            f"Sampler 'uncertainty' asks a classification task in place of '{task.name}', and there"
            ' is none. Add one, or say `sampler="uncertainty:proxy=dropout"`.'
        )


def has_uncertainty(task: Task, tasks: Sequence[Task]) -> bool:
    """Whether rows of a task can be ranked without dropout: by its own entropy, or a proxy's.

    Args:
        task: Any task.
        tasks: All that train together.

    Returns:
        False for regression without a classification task beside it, True for all others.
    """
    return task.kind != "regression" or any(other.kind == "classification" for other in tasks)


def uncertainty_of(
    task: Task, tasks: Sequence[Task], data: Mapping[str, Encoded], proxy: str
) -> Measure:
    """Make the function that gives the model's uncertainty of a task's rows.

    Args:
        task: A task of the model.
        tasks: All that train together.
        data: Training rows of the tasks.
        proxy: A proxy that `Uncertainty` takes.

    Returns:
        A function that takes rows of the task and a way to ask the model, and gives a value for
        each row.

    Raises:
        RelevanceError: If the proxy can't stand for the task.
    """
    _check(task, tasks, proxy)
    if task.kind != "regression":
        return lambda batch, ask: ask.entropies(batch, task.name)
    if proxy == "dropout":
        return _deviation(task.name)
    asked = _relevant(task, tasks, data) if proxy == "relevant" else _named(proxy, tasks)
    return lambda batch, ask: ask.entropies(batch, asked)


def stand_in(task: Task, tasks: Sequence[Task], proxy: str) -> str | None:
    """Say what `uncertainty_of` measures of a task that has no entropy of its own.

    Args:
        task: A task of the model.
        tasks: All that train together.
        proxy: A proxy that `Uncertainty` takes.

    Returns:
        Words for a figure, with the name of the classification task that is asked where one alone
        can be; None for tasks with an entropy.
    """
    if task.kind != "regression":
        return None
    if proxy == "dropout":
        return DEVIATION
    asked = [t.name for t in tasks if t.kind == "classification"]
    if proxy != "relevant":
        asked = [name for name in asked if name.lower() == proxy.lower()]
    return f"entropy of {asked[0] if len(asked) == 1 else 'another task'}'s labels"


def _deviation(task: str) -> Measure:
    """Standard deviation of a regression's predictions under dropout."""

    def of(batch: TaskBatch, ask: CandidateScorer) -> Values:
        passes = [ask(batch, task, dropout=number)[:, 0] for number in range(DROPOUT_PASSES)]
        return np.asarray(np.std(passes, axis=0, ddof=1), dtype=np.float64)

    return of


def _relevant(task: Task, tasks: Sequence[Task], data: Mapping[str, Encoded]) -> str:
    """The classification task whose vocabulary holds most of a task's own."""
    names = [task.name, *(other.name for other in tasks if other.kind == "classification")]
    vocabularies = [data[name].vocabulary() for name in names]
    overlap = vocabulary_overlap(vocabularies, tasks=tuple(names))
    return names[1 + int(np.argmax(overlap[1:, 0]))]


def _named(proxy: str, tasks: Sequence[Task]) -> str:
    """The task of a name, if it can be asked."""
    known = {task.name.lower(): task for task in tasks}
    if proxy.lower() not in known:
        raise unknown_name("proxy", proxy, ["relevant", "dropout", *(t.name for t in tasks)])
    if known[proxy.lower()].kind != "classification":
        raise RelevanceError(
            f"Sampler 'uncertainty' takes the entropy of its proxy, but '{proxy}' has no labels."
            " Name a classification task, or say proxy=dropout."
        )
    return known[proxy.lower()].name

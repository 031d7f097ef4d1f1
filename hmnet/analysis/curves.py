"""Curves of a run: which tasks it trained when, how often their rows, and what it scored."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from hmnet.analysis.run_log import read_log
from hmnet.runs.folder import RECORDS, Run
from hmnet.samplers.uncertainty import stand_in
from hmnet.training.record import Evaluation, read_records
from relevance.errors import RelevanceError
from relevance.names import some
from relevance.report.tables import Row

WINDOWS = 60


class Curves(NamedTuple):
    """A run in windows of about as many steps each.

    Attributes:
        tasks: Names, in the order of the run; of a run that tasks were added to, the new ones.
        steps: The last step of each window.
        mix: Share of each task in the rows that a window trained.
        passes: Number of times each task's training rows were trained by the end of a window, on
            average.
        epochs: Number of epochs that the run was to have; the sampler says what one is.
        rows: Training rows by task; for span tasks the sequences that they were made into.
        uncertainty: Mean over the rows of each task that were asked; NaN where a window had none.
            None for runs in which the model was not asked.
        scores: Primary metric by task at the end of epochs; NaN where a task has none. None for
            runs that were not scored on the way.
        scored_at: Steps of these scores.
        scored_in: Epochs that they are the ends of, from 1.
        stand_ins: What the uncertainty of each task is in place of its own normalised entropy,
            which regression has not; None for the entropy, empty where all have one. A deviation of
            predictions under dropout is on the scale of the labels moved to [0, 1].
        losses: Training loss before the update, with the regularizer's term, as the mean over
            the steps of a window that trained the task alone; NaN where there is none. The last
            column is that of steps that trained several tasks, whose loss no log takes apart.
            None for logs without losses.
    """

    tasks: tuple[str, ...]
    steps: Int[np.ndarray, " window"]
    mix: Float[np.ndarray, "window task"]
    passes: Float[np.ndarray, "window task"]
    epochs: int
    rows: Int[np.ndarray, " task"]
    uncertainty: Float[np.ndarray, "window task"] | None
    scores: Float[np.ndarray, "evaluation task"] | None
    scored_at: Int[np.ndarray, " evaluation"]
    stand_ins: tuple[str | None, ...] = ()
    losses: Float[np.ndarray, "window task_or_several"] | None = None
    scored_in: Int[np.ndarray, " evaluation"] = np.zeros(0, dtype=int)

    def __repr__(self) -> str:
        last = int(self.steps[-1]) if len(self.steps) else 0
        return f"Curves({some(self.tasks)}; {last:,} steps, {self.epochs} epochs)"

    @property
    def entropies(self) -> Float[np.ndarray, "window task"] | None:
        """The uncertainty of tasks that have an entropy, NaN for others; None where none has."""
        return self.uncertainty_by(None)

    def uncertainty_by(self, stand_in: str | None) -> Float[np.ndarray, "window task"] | None:
        """The uncertainty of tasks whose own entropy one thing stands for.

        Args:
            stand_in: A value of `stand_ins`.

        Returns:
            Values of these tasks, NaN for others; None where none has any.
        """
        if self.uncertainty is None:
            return None
        of_it = [each == stand_in for each in self.stand_ins or (None,) * len(self.tasks)]
        found = np.where(of_it, self.uncertainty, np.nan)
        return None if np.isnan(found).all() else found

    def table_rows(self) -> list[Row]:
        """What became of each task's rows, in all.

        Returns:
            One row per task, and one for all: training rows, how many were trained, each as often
            as it was, and their share of one pass over the rows in every epoch, in percent; above
            100 for samplers whose epochs train rows several times.
        """
        trained = self.passes[-1] * self.rows
        whole = ("all", self.rows.sum(), trained.sum())
        return [
            {
                "task": task,
                "rows": int(rows),
                "trained": round(float(times)),
                "share of data": round(100 * float(times / rows) / self.epochs, 1),
            }
            for task, rows, times in (*zip(self.tasks, self.rows, trained, strict=True), whole)
        ]


def curves_of_all(runs: Sequence[Run]) -> list[Curves]:
    """Read how several runs went, in windows of as many steps in all of them.

    Args:
        runs: Finished runs, one at least.

    Returns:
        Curves of each run. The longest has at most `WINDOWS` windows.
    """
    found = [curves(run) for run in runs]
    lengths = {int(each.steps[-1]) for each in found}
    if len(lengths) == 1:
        return found
    window = math.ceil(max(lengths) / WINDOWS)
    return [curves(run, window=window) for run in runs]


def curves(run: Run, *, window: int | None = None) -> Curves:
    """Read how a run went from its log.

    Args:
        run: A finished run.
        window: Number of steps in each window but the last; None for at most `WINDOWS` windows of
            about as many steps each.

    Returns:
        Curves of the run.

    Raises:
        RelevanceError: If the log is missing or damaged, or is one of an older version that does
            not say which rows a step trained; if the tasks' files are no longer there; or if tasks
            were added to the run without training.

    Source:
        El Hattami (2021), figures 3.4, 3.5 and 3.8.
    """
    names, epochs = _trained(run)
    lines = read_log(run, names)
    place = {name: number for number, name in enumerate(names)}
    trained = np.zeros((len(lines), len(names)))
    unsure = np.full((len(lines), len(names)), np.nan)
    losses = np.full((len(lines), len(names) + 1), np.nan)
    for number, line in enumerate(lines):
        alone = [place[task] for task, rows in line.rows.items() if rows]
        if line.loss is not None and math.isfinite(line.loss):
            losses[number, alone[0] if len(alone) == 1 else -1] = line.loss
        for task, rows in line.rows.items():
            trained[number, place[task]] = rows
        for task, value in line.uncertainty.items():
            unsure[number, place[task]] = value
    sizes = _sizes(run, names)
    ends = _ends(len(lines), window)
    mix = np.add.reduceat(trained, ends[:-1], axis=0)
    evaluations, scores = _scores(run, place)
    return Curves(
        tasks=names,
        steps=ends[1:],
        mix=mix / mix.sum(axis=1, keepdims=True),
        passes=np.cumsum(mix, axis=0) / sizes,
        epochs=epochs,
        rows=sizes,
        uncertainty=None if np.isnan(unsure).all() else _window_means(unsure, ends),
        scores=scores,
        scored_at=np.array([each.step for each in evaluations], dtype=int),
        scored_in=np.array([each.epoch for each in evaluations], dtype=int),
        stand_ins=_stand_ins(run, names),
        losses=None if np.isnan(losses).all() else _window_means(losses, ends),
    )


def _ends(count: int, window: int | None) -> Int[np.ndarray, " boundary"]:
    """Steps between windows, with 0 and the last one."""
    if window is None:
        return np.unique(np.linspace(0, count, min(WINDOWS, count) + 1).round().astype(int))
    return np.append(np.arange(0, count, window), count)


def _stand_ins(run: Run, names: Sequence[str]) -> tuple[str | None, ...]:
    """What stands for the entropy of each task; additions are trained in packed batches."""
    tasks = [task for task in run.tasks if task.name in names]
    sampler = {} if run.additions() else run.config.sampler.parameters
    proxy = str(sampler.get("proxy", "relevant"))
    said = {task.name: stand_in(task, tasks, proxy) for task in tasks}
    return tuple(said[name] for name in names)


def _trained(run: Run) -> tuple[tuple[str, ...], int]:
    """The tasks that the log is about, and how many epochs they were to have."""
    additions = run.additions()
    if not additions:
        return tuple(task.name for task in run.tasks), run.config.epochs
    added = additions[-1]
    names = tuple(added["tasks"])
    if added["fraction"] == 0:
        raise RelevanceError(
            f"{run.folder}: nothing was trained when {', '.join(names)} was added. Look at the run"
            f" that it was added to, {added['run']}."
        )
    return names, added["settings"]["epochs"]


def _sizes(run: Run, names: Sequence[str]) -> Int[np.ndarray, " task"]:
    """Numbers of rows or, for span tasks, of sequences that there were to train."""
    counted: dict[str, int] = {}
    for record in read_records(run.folder / RECORDS):
        counted |= record.sequences
    return np.array([counted.get(name) or len(run.data(name).train) for name in names])


def _window_means(
    values: Float[np.ndarray, "step task"], ends: Int[np.ndarray, " boundary"]
) -> Float[np.ndarray, "window task"]:
    """Means over the steps of each window that have a value."""
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), ends[:-1], axis=0)
    counts = np.add.reduceat(known.astype(float), ends[:-1], axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _scores(
    run: Run, place: dict[str, int]
) -> tuple[tuple[Evaluation, ...], Float[np.ndarray, "evaluation task"] | None]:
    """What was scored on the way, of a run that is trained in one part."""
    records = read_records(run.folder / RECORDS)
    found = records[0].evaluations if len(records) == 1 else ()
    scores = np.full((len(found), len(place)), np.nan)
    for number, evaluation in enumerate(found):
        for task, score in evaluation.scores.items():
            scores[number, place[task]] = score
    return found, scores if found else None

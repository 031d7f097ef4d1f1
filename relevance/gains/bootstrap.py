"""Noise of the evaluation: how gains would differ had other examples been held out.

With one seed this is all that can be told of the noise; what training itself adds takes several.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float

from relevance.gains.baselines import own_error
from relevance.gains.formulas import Cells, first_order, scores
from relevance.gains.gain_choice import METRICS, PAPERS_CHOICE, GainChoice
from relevance.interfaces.trainer import Result
from relevance.tasks.data import Split, as_rows
from relevance.tasks.metrics import resampled_scores, scored_as
from relevance.tasks.resampled import Draws, units
from relevance.tasks.task import Task

RESAMPLES = 1000
BLOCK = 4_000_000
"""Numbers held in memory at a time; resamples are drawn in blocks of that many."""

Results: TypeAlias = Sequence[Result | None]


def evaluation_noise(
    tasks: Sequence[Task],
    held_out: Mapping[str, Split],
    single: Sequence[Results],
    joint: Sequence[Results],
    choice: GainChoice = PAPERS_CHOICE,
    *,
    resamples: int = RESAMPLES,
) -> Cells:
    """Standard errors of gains under resampling of the held-out examples.

    A resample draws as many rows as there are, with replacement, groups of rows as a whole. All
    runs of a target are scored on the same rows, so what a run and its baseline find hard alike
    cancels. As for several seeds, errors are those of the ratio to first order.

    Args:
        tasks: Tasks in the order of rows and columns.
        held_out: The rows that each task was scored on.
        single: Results of single runs, [single_seed][target]; None for missing runs.
        joint: Results of the targets in joint runs, [source][target].
        choice: Metric and normalisation of the gains.
        resamples: Number of resamples; errors are accurate to about 1 / sqrt(2 resamples).

    Returns:
        Errors in the unit of the gains, zeros on the diagonal; NaN where a run is missing or kept
        nothing for each row, and where the gain is undefined.

    Source:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 6; the same rows
        for both sides as in the paired bootstrap of Koehn (2004).
    """
    errors = np.zeros((len(tasks), len(tasks)))
    for column, task in enumerate(tasks):
        split = held_out[task.name]
        alone = [row[column] for row in single]
        others = [row for row in range(len(tasks)) if row != column]
        together = [joint[row][column] for row in others]
        draws = _draws(split, resamples)
        errors[others, column] = _column(task, split, alone, together, draws, choice)
    return errors


def baseline_noise(
    tasks: Sequence[Task],
    held_out: Mapping[str, Split],
    single: Results,
    *,
    resamples: int = RESAMPLES,
) -> dict[str, dict[str, float]]:
    """Standard errors of the scores of one single run of each task, had other rows been held out.

    Args:
        tasks: The definitions.
        held_out: The rows that each task was scored on.
        single: Result of a run for each of the tasks, None where it is missing.
        resamples: Number of resamples.

    Returns:
        {metric: {task: error}} for each of `METRICS`, by the bootstrap, else by the formula for the
        metric (`relevance.gains.baselines.own_error`); where neither can be had, the task is left
        out.
    """
    found: dict[str, dict[str, float]] = {metric: {} for metric in METRICS}
    for task, result in zip(tasks, single, strict=True):
        if result is None:
            continue
        split = held_out[task.name]
        for metric in METRICS:
            error = own_error(task, metric, result.metrics, len(split))
            if _usable([result], split, metric):
                blocks = [
                    _resampled(task, split, [result], draws, metric)
                    for draws in _draws(split, resamples)
                ]
                error = float(np.concatenate(blocks, axis=1).std(ddof=1))
            if np.isfinite(error):
                found[metric][task.name] = error
    return found


def _column(
    task: Task,
    split: Split,
    alone: Results,
    together: Results,
    draws: Iterator[Draws],
    choice: GainChoice,
) -> Float[np.ndarray, " source"]:
    """Standard errors of one target's gains."""
    errors, metric = np.full(len(together), np.nan), choice.metric
    singles = _usable(alone, split, metric)
    joints = _usable(together, split, metric)
    if not joints or len(singles) < len(alone):
        return errors

    runs = [*singles.values(), *joints.values()]
    scored = np.concatenate([_resampled(task, split, runs, one, metric) for one in draws], axis=1)
    baseline, together_scored = scored[: len(singles)].mean(axis=0), scored[len(singles) :]
    slope, divisor = first_order(
        np.array([scores(task, run)[metric] for run in joints.values()]),
        np.mean([scores(task, run)[metric] for run in singles.values()], keepdims=True),
        choice,
    )
    spread = (together_scored - slope[:, None] * baseline).std(axis=1, ddof=1)
    errors[list(joints)] = spread / divisor
    return errors


def _usable(results: Results, split: Split, metric: str) -> dict[int, Result]:
    """The results that kept what the metric needs for every row, by place."""

    def kept(result: Result) -> Sequence[Any]:
        return (result.losses if metric == "loss" else result.predictions) or ()

    return {
        place: result
        for place, result in enumerate(results)
        if result is not None and len(kept(result)) == len(split)
    }


def _resampled(
    task: Task, split: Split, results: Sequence[Result], draws: Draws, metric: str
) -> Float[np.ndarray, "run resample"]:
    """Scores of results by the metric of gains on every resample."""
    if metric == "loss":
        losses = np.array([result.losses for result in results])
        return np.asarray(losses @ draws.T / draws.sum(axis=1))
    names = task.gain_metrics if metric == "gain" else (task.primary,)
    predictions = np.stack([as_rows(result.predictions or ()) for result in results])
    found = [
        resampled_scores(name, *scored_as(task, name, split, predictions), draws) for name in names
    ]
    return np.asarray(np.mean(found, axis=0))


def _draws(split: Split, resamples: int) -> Iterator[Draws]:
    """Number of times each row is drawn, block by block of resamples."""
    # The same seed for every task: splits of one size are drawn alike, in whichever company.
    random = np.random.default_rng(0)
    unit = units(split)
    number = int(unit.max()) + 1
    size = max(1, BLOCK // len(split))
    for start in range(0, resamples, size):
        block = min(size, resamples - start)
        drawn = random.integers(number, size=(block, number))
        # Every resample gets numbers of its own, so that one `bincount` counts all of them.
        drawn += number * np.arange(block)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=block * number).reshape(block, number)
        yield counts[:, unit].astype(np.float64)

"""Difficulty of data sets beside the mean entropy of models that were trained on them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hmnet.analysis.curves import Curves
from hmnet.runs.folder import Run
from relevance.clustering.agreement import rank_correlations
from relevance.errors import RelevanceError
from relevance.inspection.difficulty import Difficulty, difficulty_of
from relevance.report.tables import Row

FEWEST = 3
"""Data sets from which on a rank correlation is told."""


class SetDifficulty(NamedTuple):
    """One data set.

    Attributes:
        task: Name of the task.
        rows: Number of training rows that it is about.
        difficulty: Terms of the difficulty of these rows.
        entropies: Mean normalised entropy by name of run; names without one are left out.
    """

    task: str
    rows: int
    difficulty: Difficulty
    entropies: dict[str, float]


class Difficulties(NamedTuple):
    """Data sets, the most difficult one first.

    Attributes:
        names: Names of the runs; runs of one name are seeds.
        sets: Data sets of classification tasks with an entropy.
        left_out: Other tasks, and why they are left out.
        remarks: Sentences on what is to be known beside them.
    """

    names: tuple[str, ...]
    sets: tuple[SetDifficulty, ...]
    left_out: dict[str, str]
    remarks: tuple[str, ...] = ()

    def table_rows(self) -> list[Row]:
        """A row per data set: its difficulty, the terms of it, and the entropies."""
        several = len(self.names) > 1
        return [
            {
                "task": each.task,
                "rows": each.rows,
                "difficulty": each.difficulty.total,
                **each.difficulty._asdict(),
                **{
                    f"entropy {name}" if several else "entropy": each.entropies.get(name)
                    for name in self.names
                },
            }
            for each in self.sets
        ]

    def correlations(self) -> dict[str, float]:
        """Spearman's rank correlation of difficulty and entropy by name of run.

        Returns:
            Of names with at least `FEWEST` data sets; NaN where one of both is constant.
        """
        found = {}
        for name in self.names:
            having = [each for each in self.sets if name in each.entropies]
            if len(having) >= FEWEST:
                difficulty = np.array([each.difficulty.total for each in having])
                entropy = np.array([each.entropies[name] for each in having])
                found[name] = rank_correlations(difficulty, entropy)[0]
        return found


def difficulties(runs: Sequence[tuple[Run, Curves]]) -> Difficulties:
    """Set the difficulty of each data set beside the mean entropy of runs that learnt it.

    An entropy is the mean over the windows of a run in which the model was asked, and of seeds the
    mean over these.

    Args:
        runs: Trained runs and their curves.

    Returns:
        Data sets of all runs.

    Raises:
        RelevanceError: If there is none with a difficulty and an entropy, or files of a task are no
            longer there.

    Source:
        El Hattami (2021), figure 3.8; for the difficulty see `relevance.inspection.difficulty`.
    """
    names = tuple(dict.fromkeys(run.config.label for run, _ in runs))
    left_out: dict[str, str] = {}
    sets, remarks = [], []
    for task in dict.fromkeys(task for _, found in runs for task in found.tasks):
        having = [(run, found) for run, found in runs if task in found.tasks]
        definition = having[0][0].task(task)
        if definition.kind != "classification":
            left_out[task] = f"its kind is {definition.kind}"
            continue
        entropies = _means(_entropies(having, task))
        if not entropies:
            left_out[task] = "no run was asked how unsure it is"
            continue
        train = having[0][0].data(task).train
        found = difficulty_of(definition, train)
        if found is None:
            left_out[task] = "it has not two labels with words"
            continue
        sets.append(SetDifficulty(task, len(train), found, entropies))
        if len({int(each.rows[each.tasks.index(task)]) for _, each in having}) > 1:
            remarks.append(
                f"Runs trained other numbers of rows of {task}; its difficulty is that of the"
                f" {len(train):,} rows of {having[0][0].folder}."
            )
    if not sets:
        raise RelevanceError(
            "There is no classification task whose difficulty can stand beside an entropy:"
            f" {_listed(left_out)}. Train with `log_uncertainty=True`; `relevance check` tells the"
            " difficulty alone."
        )
    ordered = sorted(sets, key=lambda each: -each.difficulty.total)
    return Difficulties(names, tuple(ordered), left_out, tuple(remarks))


def note_on_left_out(left_out: Mapping[str, str]) -> str | None:
    """Tasks that have no difficulty beside an entropy, in one line.

    Args:
        left_out: Reasons by task.

    Returns:
        The line; None where there are no such tasks.
    """
    return f"Left out: {_listed(left_out)}." if left_out else None


def _listed(left_out: Mapping[str, str]) -> str:
    by_reason: dict[str, list[str]] = {}
    for task, reason in left_out.items():
        by_reason.setdefault(reason, []).append(task)
    return "; ".join(f"{', '.join(tasks)} ({reason})" for reason, tasks in by_reason.items())


def _entropies(runs: Iterable[tuple[Run, Curves]], task: str) -> Iterable[tuple[str, float]]:
    for run, found in runs:
        table = found.entropies
        values = np.full(1, np.nan) if table is None else table[:, found.tasks.index(task)]
        if not np.isnan(values).all():
            yield run.config.label, float(np.nanmean(values))


def _means(found: Iterable[tuple[str, float]]) -> dict[str, float]:
    by_name: dict[str, list[float]] = {}
    for name, value in found:
        by_name.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in by_name.items()}

"""Groups put to the test: what their tasks gain in a group that is trained, and what was said."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from relevance.clustering.column_influence import listed
from relevance.clustering.measured_groups import BETWEEN
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.gains.baselines import undefined_notes
from relevance.gains.formulas import compared, scores
from relevance.gains.gain_choice import PAPERS_CHOICE, GainChoice
from relevance.jobs.job import Event, Schedule
from relevance.studies.group_runs import GroupRuns
from relevance.studies.runs import FinishedRun
from relevance.studies.study import Study


@dataclass(frozen=True)
class ToTrain:
    """One group of a spec.

    Attributes:
        tasks: Tasks that are trained together.
        served: Those of them whose group it is; with overlap, the others take another group's.
        predicted: Gain that was predicted, by task; what is not predicted is left out.
        spec: Name of the spec, where there are several.
    """

    tasks: tuple[str, ...]
    served: tuple[str, ...]
    predicted: Mapping[str, float]
    spec: str | None = None


@dataclass(frozen=True)
class TrainedTask:
    """Gains of one task of a group, or their means over the tasks that it serves.

    Attributes:
        group: Tasks that were trained together.
        task: The task; None for the mean.
        predicted: Gain that was predicted; None where none was.
        gain: Gain over training alone, mean over the seeds; None where a run failed or a baseline
            is too near 0 to divide by. 0 in a group of one.
        error: Standard error of the gain over seeds; None for one seed, and of means.
        seeds: Number of seeds of the group.
        served: Whether it is this group that the task takes its model from; False for means.
        spec: Name of the spec, where there are several.
    """

    group: tuple[str, ...]
    task: str | None
    predicted: float | None
    gain: float | None
    error: float | None
    seeds: int
    served: bool = True
    spec: str | None = None

    def row(self, unit: str | None) -> dict[str, str | float | int | None]:
        """A row of a table: fractions, or hundredths in a unit where one is given."""
        shown = {"predicted": self.predicted, "gain": self.gain, "standard_error": self.error}
        if unit is not None:
            shown = {
                f"{name.replace('_', ' ')} ({unit})": None if value is None else 100 * value
                for name, value in shown.items()
            }
        name = "mean" if self.task is None and unit is not None else self.task
        row = {"group": BETWEEN.join(self.group), "task": name, **shown, "seeds": self.seeds}
        return row if self.spec is None else {"clusters": self.spec, **row}


@dataclass(frozen=True)
class TrainedGroups:
    """What the groups of some specs gained when they were trained.

    Attributes:
        rows: Every task of every group, and the mean of each group behind its tasks.
        choice: Metric and normalisation of the gains.
        notes: What a reader should know of them.
        failed: Errors of failed runs by name.
    """

    rows: tuple[TrainedTask, ...]
    choice: GainChoice
    notes: tuple[str, ...]
    failed: Mapping[str, str]

    @property
    def unit(self) -> str:
        """Unit that gains are printed in."""
        return "points" if self.choice.normalise == "absolute" else "%"

    def table_rows(self, *, plain: bool) -> list[dict[str, str | float | int | None]]:
        """Rows of a table: fractions for files that are read again, else hundredths with a unit."""
        return [each.row(None if plain else self.unit) for each in self.rows]

    def lines(self) -> list[str]:
        """The table in words: means over the tasks that have both gains, and who lost."""
        specs = dict.fromkeys(row.spec for row in self.rows)
        return [line for spec in specs for line in self._lines(spec)] + list(self.notes)

    def _lines(self, spec: str | None) -> list[str]:
        tasks = [row for row in self.rows if row.spec == spec and row.served]
        known = [row.gain for row in tasks if row.gain is not None]
        both = [row for row in tasks if row.gain is not None and row.predicted is not None]
        name = "" if spec is None else f"{spec}: "
        lines = []
        if known:
            of_both = [row.gain for row in both if row.gain is not None]
            told = [row.predicted for row in both if row.predicted is not None]
            means = f"trained {self._shown(known)}, and nothing was predicted"
            if both:
                means = f"predicted {self._shown(told)}, trained {self._shown(of_both)}"
            count = len(both or known)
            lines.append(f"{name}mean over {count} task(s): {means}; training alone is 0")
        lost = [
            f"{row.task} ({self._shown([row.gain])})"
            for row in tasks
            if row.gain is not None and row.gain < 0
        ]
        if lost:
            lines.append(f"{name}alone was better than its group for {listed(lost, ' and ')}")
        return lines

    def _shown(self, gains: Sequence[float]) -> str:
        hundredths = round(100 * float(np.mean(gains)), 2) + 0.0  # no -0.00
        return f"{hundredths:+.2f} {self.unit}"


def groups_to_train(spec: ClusterSpec, name: str | None = None) -> tuple[ToTrain, ...]:
    """The groups of a spec, and what it says that their tasks gain.

    Args:
        spec: Any spec. Those of `predicted-gain` say what they predict; of others that were made
            from gains, the mean gain from other members of the group is taken.
        name: Name of the spec, where there are several.

    Returns:
        One group per cluster.
    """
    predicted = spec.provenance.get("predicted") or _means(spec)
    trained = spec.provenance.get("trained") or spec.clusters
    return tuple(
        ToTrain(
            tuple(dict.fromkeys((*group, *served))),  # of a task that was added later too
            served,
            {task: predicted[task] for task in served if task in predicted},
            name,
        )
        for group, served in zip(trained, spec.clusters, strict=True)
    )


def _means(spec: ClusterSpec) -> dict[str, float]:
    """Mean gain of each task from others of its group, where the spec was made from gains."""
    told = spec.provenance.get("gains", {}).get("tasks", {})
    alone = {group[0]: 0.0 for group in spec.clusters if len(group) == 1 and told}
    known = {task: mean["within"] for task, mean in told.items() if mean["within"] is not None}
    return alone | known


def choice_of(specs: Sequence[ClusterSpec], given: Mapping[str, Any]) -> GainChoice:
    """The metric and normalisation that predicted gains are of, so that trained ones are too.

    Args:
        specs: Specs; those that do not say are made of whatever is given.
        given: `metric` and `normalise`, those that a user has given.

    Returns:
        The choice.

    Raises:
        RelevanceError: If specs are of different ones, or others were given.
    """
    fields = ("metric", "normalise")
    told = [spec.provenance.get("gains", {}) for spec in specs]
    said = {tuple(gains[name] for name in fields) for gains in told if {*fields} <= gains.keys()}
    if len(said) > 1:
        raise RelevanceError(
            "The specs predict gains of different metrics or normalisations:"
            f" {' and '.join(' '.join(pair) for pair in sorted(said))}. Check them one by one."
        )
    chosen = dict(zip(fields, next(iter(said)), strict=True)) if said else {}
    for name, value in given.items():
        if chosen.get(name, value) != value:
            raise RelevanceError(
                f'The predicted gains are of `{name}="{chosen[name]}"`, got `{name}="{value}"`.'
                f" Leave `{name}` out, or group by gains of that one."
            )
    return GainChoice(**(chosen | dict(given)))


def train_groups(
    study: Study,
    groups: Sequence[ToTrain],
    choice: GainChoice = PAPERS_CHOICE,
    *,
    schedule: Schedule = Schedule(),  # noqa: B008  # frozen
    on_event: Callable[[Event], None] | None = None,
) -> TrainedGroups:
    """Train every task alone and every group together, and compare with what was predicted.

    A gain is that of eq. 4 with the group in the place of the source: the mean over seeds, against
    the mean of the single runs. Runs are kept and found again, those of `relevance pairwise` too.

    Args:
        study: Tasks, trainer and seeds, and where finished runs are kept.
        groups: Groups of its tasks.
        choice: Metric and normalisation of the gains.
        schedule: Devices and workers.
        on_event: Function that is told about every run that starts, ends or fails.

    Returns:
        Predicted and trained gains.

    Raises:
        RelevanceError: If the store cannot be written.

    Source:
        Standley et al. (2020), section 5, for comparing networks chosen by predicted performance.
    """
    rounds = GroupRuns(tuple(frozenset(group.tasks) for group in groups))
    finished, failed = study.run(schedule, on_event, rounds)
    gains, errors = _gains(study, rounds, finished, choice)
    place = {task.name: number for number, task in enumerate(study.tasks)}
    rows: list[TrainedTask] = []
    for group in groups:
        found = None
        if len(group.tasks) > 1:
            number = rounds.together.index(frozenset(group.tasks))
            found = gains[number], errors[number]
        rows += _rows(group, place, found, len(study.seeds))
    single = study.scores(finished)[0][choice.metric]
    notes = undefined_notes(tuple(place), single, choice)
    if len(study.seeds) == 1:
        notes.append("One seed tells nothing of how sure trained gains are; add `seeds`.")
    return TrainedGroups(tuple(rows), choice, tuple(notes), failed)


def _gains(
    study: Study, rounds: GroupRuns, finished: Mapping[str, FinishedRun], choice: GainChoice
) -> tuple[Float[np.ndarray, "group task"], Float[np.ndarray, "group task"]]:
    """Gain of every task in every group, and its standard error; NaN where there is none."""

    def of_group(group: frozenset[str], seed: int) -> list[float]:
        run = finished.get(rounds.run(study, group, seed).name)
        return [
            scores(task, run.results[task.name])[choice.metric]
            if run is not None and task.name in group
            else np.nan
            for task in study.tasks
        ]

    single = study.scores(finished)[0][choice.metric]
    joint = np.array([[of_group(g, seed) for g in rounds.together] for seed in study.seeds])
    joint = joint.reshape(len(study.seeds), len(rounds.together), len(study.tasks))
    per_seed, errors = compared(single, joint, choice)
    mean = per_seed.mean(axis=0)
    return mean, np.full_like(mean, np.nan) if errors is None else errors


def _rows(
    group: ToTrain,
    place: Mapping[str, int],
    found: tuple[Float[np.ndarray, " task"], Float[np.ndarray, " task"]] | None,
    seeds: int,
) -> Iterator[TrainedTask]:
    """Rows of a group; nothing is found where it is one task, which gains nothing."""
    gains: dict[str, float | None] = {}
    for task in group.tasks:
        gain, error = (0.0, np.nan) if found is None else (part[place[task]] for part in found)
        gains[task] = _known(gain)
        yield TrainedTask(
            group.tasks,
            task,
            group.predicted.get(task),
            gains[task],
            _known(error),
            seeds,
            served=task in group.served,
            spec=group.spec,
        )
    if len(group.tasks) > 1:
        predicted = _mean([group.predicted.get(task) for task in group.served])
        trained = _mean([gains[task] for task in group.served])
        yield TrainedTask(
            group.tasks, None, predicted, trained, None, seeds, served=False, spec=group.spec
        )


def _known(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def _mean(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return float(np.mean(known)) if known and len(known) == len(numbers) else None

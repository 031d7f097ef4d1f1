"""Runs side by side, like the paper's Table 1: a row per task, a column per run name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import NamedTuple

from hmnet.evaluation.scores import MAJORITY, Score, row_name, splits_of
from relevance.errors import RelevanceError
from relevance.report.tables import Cell, Row, table

DECIMALS = 1
LABELS = ("task", "metric")
MAJORITY_COLUMN = "majority class"


class Entry(NamedTuple):
    """One cell of the table.

    Attributes:
        mean: Over seeds, a fraction.
        deviation: Standard deviation over seeds with n - 1 degrees of freedom, None for one seed.
    """

    mean: float
    deviation: float | None

    @property
    def shown(self) -> float:
        """The mean in percent as it is printed, so that what looks equal is equal."""
        return round(100 * self.mean, DECIMALS)


class Line(NamedTuple):
    """One row of the table.

    Attributes:
        task: Name of the task, with its split where that is not `dev`; `average` in the last row.
        metric: Name of the metric.
        entries: One per column, None where a run has no such score.
    """

    task: str
    metric: str
    entries: tuple[Entry | None, ...]


class Measured(NamedTuple):
    """What a score is of."""

    task: str
    split: str
    metric: str


Values = Mapping[Measured, Mapping[int, float]]  # by seed


@dataclass(frozen=True)
class Comparison:
    """What runs scored, ready to be printed.

    Attributes:
        columns: Names of runs; the majority class comes first where it is known.
        lines: A row per task and metric, then the average of the primary metrics.
    """

    columns: tuple[str, ...]
    lines: tuple[Line, ...]

    def to_table(self, format: str) -> str:  # noqa: A002 - the option's name
        """The table in percent, the best run of each row in bold.

        Args:
            format: `markdown`, `latex`, or `csv`, which has deviations in columns of their own.

        Returns:
            Its text.

        Raises:
            RelevanceError: If the format is unknown.
        """
        if format == "csv":
            return table([self._numbers(line) for line in self.lines], format)
        rows = [self._row(line, [_text(entry) for entry in line.entries]) for line in self.lines]
        return table(rows, format, decimals=DECIMALS, bold=self._best())

    def _row(self, line: Line, cells: Sequence[Cell]) -> dict[str, Cell]:
        return {
            "task": line.task,
            "metric": line.metric,
            **dict(zip(self.columns, cells, strict=True)),
        }

    def _numbers(self, line: Line) -> Row:
        """The row in full, with a column of deviations for every run that has several seeds."""
        row = self._row(line, [entry and round(100 * entry.mean, 10) for entry in line.entries])
        for place, column in enumerate(self.columns):
            entries = [other.entries[place] for other in self.lines]
            if any(entry and entry.deviation is not None for entry in entries):
                entry = line.entries[place]
                deviation = entry.deviation if entry else None
                row[f"{column} deviation"] = deviation and round(100 * deviation, 10)
        return row

    def _best(self) -> set[tuple[int, int]]:
        """Where the best runs of each row stand; a run alone is not the best of anything."""
        places = set()
        for y, line in enumerate(self.lines):
            shown = {
                x: entry.shown
                for x, (column, entry) in enumerate(zip(self.columns, line.entries, strict=True))
                if entry and column != MAJORITY_COLUMN
            }
            if len(shown) > 1:
                best = max(shown.values())
                places |= {(y, x + len(LABELS)) for x in shown if shown[x] == best}
        return places


def compare(scores: Sequence[Score], *, every_metric: bool = False) -> Comparison:
    """Set the scores of runs side by side; runs of one name are seeds of one column.

    The last row is the average over the rows that all runs have, MNLI-m and MNLI-mm counted as two,
    as the paper does.

    Args:
        scores: Of one or more runs, in the order of the columns.
        every_metric: Show all metrics of a task instead of the primary one, which stands first.

    Returns:
        The table.

    Raises:
        RelevanceError: If there are no scores, or two runs have the same name and seed.

    Source:
        Fei et al. (2022), Table 1.
    """
    columns = _by_column(scores)
    measured = dict.fromkeys(Measured(score.task, score.split, score.metric) for score in scores)
    primary: dict[tuple[str, str], Measured] = {}
    for what in measured:
        primary.setdefault((what.task, what.split), what)
    splits = splits_of(scores)
    lines = [
        Line(
            row_name(what.task, what.split, splits[what.task]),
            what.metric,
            tuple(_entry(values.get(what, {})) for values in columns.values()),
        )
        for what in (measured if every_metric else primary.values())
    ]
    return Comparison(tuple(columns), (*lines, *_average(columns, list(primary.values()))))


def _by_column(scores: Sequence[Score]) -> dict[str, Values]:
    """Values by column, by what was measured, and by seed; the majority class first."""
    majority: dict[Measured, set[float]] = {}
    runs: dict[str, dict[Measured, dict[int, float]]] = {}
    for score in scores:
        what = Measured(score.task, score.split, score.metric)
        if score.method == MAJORITY:
            majority.setdefault(what, set()).add(score.value)
            continue
        of_seed = runs.setdefault(score.run, {}).setdefault(what, {})
        if score.seed in of_seed:
            raise RelevanceError(
                f"Two runs are named '{score.run}' and have seed {score.seed}. Name each run once,"
                " and give runs that differ another --name."
            )
        of_seed[score.seed] = score.value
    if not runs:
        raise RelevanceError("There are no scores to compare. Score a run with `hmnet evaluate`.")
    if taken := {*LABELS, MAJORITY_COLUMN} & set(runs):
        raise RelevanceError(
            f"A run cannot be named '{min(taken)}', which is another column. Choose another --name."
        )
    # Runs repeat the majority's scores; they differ only if runs were scored on other rows.
    known = {what: dict(enumerate(sorted(values))) for what, values in majority.items()}
    return {MAJORITY_COLUMN: known, **runs} if known else {**runs}


def _average(columns: Mapping[str, Values], primary: Sequence[Measured]) -> list[Line]:
    """The last row, if there are two rows at least that every run has."""
    runs = [values for column, values in columns.items() if column != MAJORITY_COLUMN]
    common = [what for what in primary if all(what in values for values in runs)]
    if len(common) < 2:
        return []
    name = "average" if len(common) == len(primary) else f"average of {len(common)} common rows"
    entries = tuple(
        _average_entry(values, common) if all(what in values for what in common) else None
        for values in columns.values()
    )
    return [Line(name, "primary", entries)]


def _average_entry(values: Values, common: Collection[Measured]) -> Entry:
    """Mean over rows, and how much it differs between the seeds that have all rows."""
    mean = fmean(fmean(values[what].values()) for what in common)
    seeds = set.intersection(*(set(values[what]) for what in common))
    per_seed = [fmean(values[what][seed] for what in common) for seed in sorted(seeds)]
    return Entry(mean, stdev(per_seed) if len(per_seed) > 1 else None)


def _entry(by_seed: Mapping[int, float]) -> Entry | None:
    values = list(by_seed.values())
    if not values:
        return None
    return Entry(fmean(values), stdev(values) if len(values) > 1 else None)


def _text(entry: Entry | None) -> Cell:
    if entry is None or entry.deviation is None:
        return entry and entry.shown
    return f"{entry.shown:.{DECIMALS}f} ± {100 * entry.deviation:.{DECIMALS}f}"

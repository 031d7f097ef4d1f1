"""Runs side by side, like the paper's Table 1: a row per task, a column per run name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, NamedTuple

from hmnet.comparison.compared_rows import DIFFERENT, Place, different_rows, note_on
from hmnet.comparison.significance import Paired, over_rows, over_seeds
from hmnet.comparison.table import LABELS, MAJORITY_COLUMN, Comparison, Contrast, Entry, Line
from hmnet.runs.costs import Cost, costs_of
from hmnet.runs.folder import Run
from hmnet.runs.rows import notes_on, read_run_scores
from hmnet.runs.scores import MAJORITY, Score, as_rows, counts, row_name, splits_of
from relevance.errors import RelevanceError, unknown_name

COSTS = {
    "active": ("parameters activated", ""),
    "trained": ("parameters trained", ""),
    "overall": ("parameters overall", ""),
    "seconds": ("training", "seconds"),
    "examples_per_s": ("training", "examples per second"),
}
"""What a cost is called, and its unit; that of counts goes by their size."""


class Measured(NamedTuple):
    """The task, split and metric that a score is of."""

    task: str
    split: str
    metric: str

    @property
    def place(self) -> Place:
        """Task and split."""
        return self.task, self.split


Rows = Sequence[Measured]
BySeed = Mapping[int, float]
Values = Mapping[Measured, BySeed]
Columns = Mapping[str, Values]


def compare(
    scores: Sequence[Score],
    *,
    every_metric: bool = False,
    baseline: str | None = None,
    spread: bool = False,
    costs: Mapping[str, Sequence[Cost]] | None = None,
    allow_different: bool = False,
    notes: Sequence[str] = (),
) -> Comparison:
    """Set the scores of runs side by side; runs of one name are seeds of one column.

    The average is over the first split of every task that all runs were scored on by the same rows,
    MNLI-m and MNLI-mm counted as two, as the paper does. Further splits, such as a test split, and
    splits whose rows differ between runs have a row of the table and no part in the average.

    Args:
        scores: Scores of one or more runs, in the order of the columns.
        every_metric: Show all metrics of a task instead of the primary one, which stands first.
        baseline: Name of the run that others are tested against: a task's row over the seeds that
            both have, the average over its rows. None for no tests.
        spread: Show below the average how far a run's scores are apart, as the standard deviation
            over all metrics of all common rows, and with a baseline how many of these rows, by
            their primary metric, are at or above it.
        costs: Costs of the runs by column, one per seed; they become the last rows. None for no
            such rows.
        allow_different: Test, average and set in bold scores of other rows, other data or other
            definitions of labels too, which are marked then.
        notes: Further notes for the reader.

    Returns:
        The table.

    Raises:
        RelevanceError: If there are no scores, two runs have the same name and seed, or no run has
            the baseline's name.

    Source:
        Fei et al. (2022), Table 1; El Hattami (2021), the measures of chapter 3.
    """
    columns = _by_column(scores)
    against = _against(columns, baseline)
    measured = dict.fromkeys(Measured(score.task, score.split, score.metric) for score in scores)
    primary: dict[Place, Measured] = {}
    for what in measured:
        primary.setdefault(what.place, what)
    splits = splits_of(scores)
    different = different_rows(scores)
    barred = set() if allow_different else different
    lines = []
    for what in measured if every_metric else primary.values():
        name = row_name(what.task, what.split, splits[what.task])
        marked = name + DIFFERENT * (what.place in different)
        lines.append(_line(columns, against, what, marked, ranked=what.place not in barred))
    counted = [
        what
        for place, what in primary.items()
        if counts(what.split, splits[what.task]) and place not in barred
    ]
    common = _common(columns, counted)
    if common:
        name = f"average of {len(common)} common rows"
        name = "average" if len(common) == len(counted) and not barred else name
        lines.append(Line(name, "primary", _averages(columns, against, common)))
    if common and spread:
        places = {what.place for what in common}
        of_rows = [what for what in measured if what.place in places]
        lines += _spread_lines(columns, against, common, of_rows)
    remarks = [note_on(different, splits, allowed=allow_different)] if different else []
    return Comparison(
        tuple(columns),
        (*lines, *_cost_lines(columns, costs or {})),
        baseline,
        tuple(_contrasts(columns, against, common)),
        (*remarks, *notes),
    )


def compare_runs(runs: Sequence[Run], **options: Any) -> Comparison:
    """Set finished runs side by side, with what they cost and what else sets them apart.

    Args:
        runs: Runs; those of one name are seeds of one column.
        **options: Further ones of `compare`.

    Returns:
        The table.

    Raises:
        RelevanceError: If `compare` raises it, or a file of a run is damaged.
    """
    scores = [score for run in runs for score in read_run_scores(run.folder)]
    notes = notes_on(runs) if runs else ()
    return compare(scores, costs=costs_of(runs), notes=notes, **options)


def _line(columns: Columns, against: Columns, what: Measured, name: str, *, ranked: bool) -> Line:
    """The row of one metric; without tests, bold and a common majority class where rows differ."""
    entries = []
    for column, values in columns.items():
        baseline = against.get(column, {}).get(what, {}) if ranked else {}
        known = ranked or column != MAJORITY_COLUMN
        entries.append(_entry(values.get(what, {}), baseline) if known else None)
    return Line(name, what.metric, tuple(entries), ranked=ranked)


def _by_column(scores: Sequence[Score]) -> dict[str, Values]:
    """Values by column, by what was measured, and by seed; the majority class first."""
    majority: dict[Measured, set[float]] = {}
    runs: dict[str, dict[Measured, dict[int, float]]] = {}
    for score in as_rows(scores):
        what = Measured(score.task, score.split, score.metric)
        if score.method == MAJORITY:
            majority.setdefault(what, set()).add(score.value)
            continue
        of_seed = runs.setdefault(score.run, {}).setdefault(what, {})
        if score.seed in of_seed:
            raise RelevanceError(
                f"Two runs are named '{score.run}' and have seed {score.seed}. Name each run once,"
                " and give runs that differ another `name`."
            )
        of_seed[score.seed] = score.value
    if not runs:
        raise RelevanceError("There are no scores to compare. Score a run with `hmnet evaluate`.")
    if taken := {*LABELS, MAJORITY_COLUMN} & set(runs):
        raise RelevanceError(
            f"A run cannot be named '{min(taken)}', which is another column. Choose another `name`."
        )
    # Runs repeat the majority's scores, which differ only where they were scored on other rows.
    known = {what: dict(enumerate(sorted(values))) for what, values in majority.items()}
    return {MAJORITY_COLUMN: known, **runs} if known else {**runs}


def _against(columns: Columns, baseline: str | None) -> Columns:
    """The baseline's values for every run that is tested against it."""
    if baseline is None:
        return {}
    runs = [column for column in columns if column != MAJORITY_COLUMN]
    if baseline not in runs:
        raise unknown_name("baseline", baseline, runs)
    return {column: columns[baseline] for column in runs if column != baseline}


def _common(columns: Columns, primary: Rows) -> list[Measured]:
    """The rows that every run has, if they are two at least; others have no average."""
    runs = [values for column, values in columns.items() if column != MAJORITY_COLUMN]
    common = [what for what in primary if all(what in values for values in runs)]
    return common if len(common) > 1 else []


def _averages(columns: Columns, against: Columns, common: Rows) -> tuple[Entry | None, ...]:
    """Means over rows, how much they differ between seeds, and whether from the baseline."""
    entries: list[Entry | None] = []
    for column, values in columns.items():
        if any(what not in values for what in common):
            entries.append(None)
            continue
        paired = _over_rows(values, against.get(column), common)
        mean = fmean(_means(values, common))
        entries.append(Entry(mean, _deviation(_per_seed(values, common)), paired))
    return tuple(entries)


def _spread_lines(
    columns: Columns, against: Columns, common: Rows, metrics: Rows
) -> Iterator[Line]:
    """Deviation over all metrics of the common rows, and rows at or above the baseline."""
    deviations = [
        _entry(_per_seed(values, metrics, stdev), {})
        if all(what in values for what in metrics)
        else None
        for values in columns.values()
    ]
    yield Line("standard deviation", "all metrics", tuple(deviations), ranked=False)
    if against:
        counts = [
            Entry(float(paired.pairs - paired.worse))
            if (paired := _over_rows(columns[column], against.get(column), common))
            else None
            for column in columns
        ]
        name = f"of {len(common)} rows"
        yield Line("at or above baseline", name, tuple(counts), scale=1.0, decimals=0)


def _over_rows(values: Values, baseline: Values | None, common: Rows) -> Paired | None:
    """A run's means over seeds against the baseline's, on the rows that all runs have."""
    if baseline is None:
        return None
    return over_rows(_means(values, common), _means(baseline, common))


def _means(values: Values, common: Rows) -> list[float]:
    return [fmean(values[what].values()) for what in common]


def _per_seed(
    values: Values, rows: Rows, summed_up: Callable[[list[float]], float] = fmean
) -> dict[int, float]:
    """The average, or another number, of every seed that has all rows."""
    seeds = set.intersection(*(set(values[what]) for what in rows))
    return {seed: summed_up([values[what][seed] for what in rows]) for seed in sorted(seeds)}


def _contrasts(columns: Columns, against: Columns, common: Rows) -> Iterator[Contrast]:
    """Every run against the baseline, on the average."""
    for column, base in against.items():
        values = columns[column]
        if not common:
            yield Contrast(column, None, None)
            continue
        own, other = _per_seed(values, common), _per_seed(base, common)
        seeds = _over_common_seeds(own, other)
        yield Contrast(column, _over_rows(values, base, common), seeds)


def _cost_lines(columns: Columns, costs: Mapping[str, Sequence[Cost]]) -> list[Line]:
    """A row per kind of cost, if there are any; empty where a run has no record."""
    if not costs:
        return []
    smallest = min(cost.active for found in costs.values() for cost in found)
    counted = ("millions", 1e-6) if smallest >= 1e5 else ("thousands", 1e-3)
    lines = []
    for field, (name, unit) in COSTS.items():
        shown, scale = (unit, 1.0) if unit else counted
        entries = tuple(_cost_entry(costs.get(column, ()), field) for column in columns)
        lines.append(Line(name, shown, entries, scale=scale, ranked=False))
    return lines


def _cost_entry(costs: Sequence[Cost], field: str) -> Entry | None:
    """Mean and deviation; seeds of one model have the same parameters, without a deviation."""
    known = [float(value) for cost in costs if (value := getattr(cost, field)) is not None]
    return _entry(dict(enumerate(known if len(set(known)) > 1 else known[:1])), {})


def _entry(by_seed: BySeed, baseline: BySeed) -> Entry | None:
    """Mean and deviation over seeds, and the test against the baseline's values."""
    if not by_seed:
        return None
    paired = _over_common_seeds(by_seed, baseline)
    return Entry(fmean(by_seed.values()), _deviation(by_seed), paired)


def _over_common_seeds(by_seed: BySeed, baseline: BySeed) -> Paired | None:
    seeds = sorted(by_seed.keys() & baseline.keys())
    return over_seeds([by_seed[seed] for seed in seeds], [baseline[seed] for seed in seeds])


def _deviation(by_seed: BySeed) -> float | None:
    return stdev(by_seed.values()) if len(by_seed) > 1 else None

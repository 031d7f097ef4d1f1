"""Runs side by side, like the paper's Table 1: a row per task, a column per run name."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import stdev
from typing import Any

from hmnet.comparison.columns import (
    Columns,
    Measured,
    Rows,
    against_baseline,
    averages,
    by_column,
    contrasts,
    entry_of,
    line_of,
    per_seed,
    rows_against,
)
from hmnet.comparison.compared_rows import DIFFERENT, Place, different_rows, note_on
from hmnet.comparison.table import DECIMALS, MAJORITY_COLUMN, Comparison, Entry, Line
from hmnet.runs.costs import Cost, costs_of
from hmnet.runs.folder import Run
from hmnet.runs.rows import notes_on, read_run_scores
from hmnet.runs.scores import Score, counts, row_name, splits_of
from relevance.tasks.find import diagnostic_sets

COSTS = {
    "active": ("parameters activated", ""),
    "trained": ("parameters trained", ""),
    "overall": ("parameters overall", ""),
    "multiple": ("parameters overall", "\N{MULTIPLICATION SIGN} one encoder"),
    "trained_share": ("parameters trained per task", "% of one encoder"),
    "seconds": ("training", "seconds"),
    "examples_per_s": ("training", "examples per second"),
}
"""What a cost is called, and its unit; that of counts goes by their size."""

DIGITS = {"multiple": (1.0, 2), "trained_share": (100.0, DECIMALS)}
"""Scale and decimals of costs that are shares."""


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
    diagnostic sets apart, MNLI-m and MNLI-mm counted as two, as the paper does. Further splits,
    such as a test split, and splits whose rows differ between runs have a row of the table and no
    part in the average.

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
    columns = by_column(scores)
    against = against_baseline(columns, baseline)
    measured = dict.fromkeys(Measured(score.task, score.split, score.metric) for score in scores)
    primary: dict[Place, Measured] = {}
    for what in measured:
        primary.setdefault(what.place, what)
    splits = splits_of(scores)
    different = different_rows(scores)
    barred = set() if allow_different else different
    lines, apart = [], diagnostic_sets()
    for what in measured if every_metric else primary.values():
        name = row_name(what.task, what.split, splits[what.task])
        marked = name + DIFFERENT * (what.place in different)
        lines.append(line_of(columns, against, what, marked, ranked=what.place not in barred))
    counted = [
        what
        for place, what in primary.items()
        if counts(what.split, splits[what.task])
        and place not in barred
        and what.task not in apart  # no benchmark counts its diagnostic sets
    ]
    common = _common(columns, counted)
    if common:
        name = f"average of {len(common)} common rows"
        name = "average" if len(common) == len(counted) and not barred else name
        lines.append(Line(name, "primary", averages(columns, against, common)))
    if common and spread:
        places = {what.place for what in common}
        of_rows = [what for what in measured if what.place in places]
        lines += _spread_lines(columns, against, common, of_rows)
    remarks = [note_on(different, splits, allowed=allow_different)] if different else []
    return Comparison(
        tuple(columns),
        (*lines, *_cost_lines(columns, costs or {})),
        baseline,
        tuple(contrasts(columns, against, common)),
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


def _common(columns: Columns, primary: Rows) -> list[Measured]:
    """The rows that every run has, if they are two at least; others have no average."""
    runs = [values for column, values in columns.items() if column != MAJORITY_COLUMN]
    common = [what for what in primary if all(what in values for values in runs)]
    return common if len(common) > 1 else []


def _spread_lines(
    columns: Columns, against: Columns, common: Rows, metrics: Rows
) -> Iterator[Line]:
    """Deviation over all metrics of the common rows, and rows at or above the baseline."""
    deviations = [
        entry_of(per_seed(values, metrics, stdev), {})
        if all(what in values for what in metrics)
        else None
        for values in columns.values()
    ]
    yield Line("standard deviation", "all metrics", tuple(deviations), ranked=False)
    if against:
        counts = [
            Entry(float(paired.pairs - paired.worse))
            if (paired := rows_against(columns[column], against.get(column), common))
            else None
            for column in columns
        ]
        name = f"of {len(common)} rows"
        yield Line("at or above baseline", name, tuple(counts), scale=1.0, decimals=0)


def _cost_lines(columns: Columns, costs: Mapping[str, Sequence[Cost]]) -> list[Line]:
    """A row per kind of cost, if there are any; empty where a run has no record."""
    if not costs:
        return []
    smallest = min(cost.active for found in costs.values() for cost in found)
    counted = ("millions", 1e-6) if smallest >= 1e5 else ("thousands", 1e-3)
    lines = []
    for field, (name, unit) in COSTS.items():
        shown, factor = (unit, 1.0) if unit else counted
        scale, decimals = DIGITS.get(field, (factor, DECIMALS))
        entries = tuple(_cost_entry(costs.get(column, ()), field) for column in columns)
        if any(entries):
            lines.append(Line(name, shown, entries, scale, ranked=False, decimals=decimals))
    return lines


def _cost_entry(costs: Sequence[Cost], field: str) -> Entry | None:
    """Mean and deviation; seeds of one model have the same parameters, without a deviation."""
    known = [float(value) for cost in costs if (value := getattr(cost, field)) is not None]
    return entry_of(dict(enumerate(known if len(set(known)) > 1 else known[:1])), {})

"""Scores by column: runs of one name are seeds, and may be tested against a baseline."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from hmnet.comparison.compared_rows import Place
from hmnet.comparison.significance import Paired, over_rows, over_seeds
from hmnet.comparison.table import LABELS, MAJORITY_COLUMN, Contrast, Entry, Line
from hmnet.runs.scores import MAJORITY, Score, as_rows
from relevance.errors import RelevanceError, unknown_name


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


def by_column(scores: Sequence[Score]) -> dict[str, Values]:
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


def against_baseline(columns: Columns, baseline: str | None) -> Columns:
    """The baseline's values for every run that is tested against it."""
    if baseline is None:
        return {}
    runs = [column for column in columns if column != MAJORITY_COLUMN]
    if baseline not in runs:
        raise unknown_name("baseline", baseline, runs)
    return {column: columns[baseline] for column in runs if column != baseline}


def line_of(columns: Columns, against: Columns, what: Measured, name: str, *, ranked: bool) -> Line:
    """The row of one metric; without tests, bold and a common majority class where rows differ."""
    entries = []
    for column, values in columns.items():
        baseline = against.get(column, {}).get(what, {}) if ranked else {}
        known = ranked or column != MAJORITY_COLUMN
        entries.append(entry_of(values.get(what, {}), baseline) if known else None)
    return Line(name, what.metric, tuple(entries), ranked=ranked)


def averages(columns: Columns, against: Columns, common: Rows) -> tuple[Entry | None, ...]:
    """Means over rows, how much they differ between seeds, and whether from the baseline."""
    entries: list[Entry | None] = []
    for column, values in columns.items():
        if any(what not in values for what in common):
            entries.append(None)
            continue
        paired = rows_against(values, against.get(column), common)
        mean = fmean(means(values, common))
        entries.append(Entry(mean, deviation(per_seed(values, common)), paired))
    return tuple(entries)


def rows_against(values: Values, baseline: Values | None, common: Rows) -> Paired | None:
    """A run's means over seeds against the baseline's; None where one of the two lacks a row."""
    if baseline is None or any(what not in each for what in common for each in (values, baseline)):
        return None
    return over_rows(means(values, common), means(baseline, common))


def means(values: Values, common: Rows) -> list[float]:
    """Means over seeds, one for each row."""
    return [fmean(values[what].values()) for what in common]


def per_seed(
    values: Values, rows: Rows, summed_up: Callable[[list[float]], float] = fmean
) -> dict[int, float]:
    """The average, or another number, of every seed that has all rows."""
    seeds = set.intersection(*(set(values[what]) for what in rows))
    return {seed: summed_up([values[what][seed] for what in rows]) for seed in sorted(seeds)}


def contrasts(columns: Columns, against: Columns, common: Rows) -> Iterator[Contrast]:
    """Every run against the baseline, on the average."""
    for column, base in against.items():
        values = columns[column]
        if not common or any(what not in each for what in common for each in (values, base)):
            yield Contrast(column, None, None)
            continue
        own, other = per_seed(values, common), per_seed(base, common)
        seeds = seeds_against(own, other)
        yield Contrast(column, rows_against(values, base, common), seeds)


def entry_of(by_seed: BySeed, baseline: BySeed) -> Entry | None:
    """Mean and deviation over seeds, and the test against the baseline's values."""
    if not by_seed:
        return None
    paired = seeds_against(by_seed, baseline)
    return Entry(fmean(by_seed.values()), deviation(by_seed), paired)


def seeds_against(by_seed: BySeed, baseline: BySeed) -> Paired | None:
    """Values of a run against the baseline's, over the seeds that both have."""
    seeds = sorted(by_seed.keys() & baseline.keys())
    return over_seeds([by_seed[seed] for seed in seeds], [baseline[seed] for seed in seeds])


def deviation(by_seed: BySeed) -> float | None:
    """Standard deviation over seeds; None for fewer than two."""
    return stdev(by_seed.values()) if len(by_seed) > 1 else None

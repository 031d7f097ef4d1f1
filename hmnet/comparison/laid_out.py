"""Runs in the table that a layout describes: placed, averaged, and what is missing named."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import fmean

from hmnet.comparison.columns import (
    Columns,
    Measured,
    Values,
    against_baseline,
    averages,
    by_column,
    contrasts,
    line_of,
)
from hmnet.comparison.compared_rows import DIFFERENT, Place, different_rows, note_on
from hmnet.comparison.compared_runs import ComparedRun
from hmnet.comparison.laid_out_table import FAMILY, Group, LaidOut
from hmnet.comparison.layout import AverageOf, Layout, ScoreOf, Term
from hmnet.comparison.table import MAJORITY_COLUMN, Comparison, Contrast, Entry, Line
from hmnet.runs.scores import Score
from relevance.errors import RelevanceError
from relevance.names import some

SPLIT = "dev"  # of placed scores, whose task is the key of where they stand


def lay_out(
    runs: Sequence[ComparedRun],
    layout: Layout,
    *,
    baseline: str | None = None,
    allow_different: bool = False,
) -> LaidOut:
    """Set runs into the table that a layout describes.

    Args:
        runs: Runs and probed encoders; those that agree in all facts of `layout.by` are seeds.
        layout: What stands where.
        baseline: Label of the runs that others are tested against; None for no tests.
        allow_different: Test, average and set in bold scores of other rows of data too.

    Returns:
        The table. A run's average is empty where it lacks one of the scores that enter it; missing
        cells are named in its notes.

    Raises:
        RelevanceError: If a task or metric of the layout is unknown, no run has any of its scores,
            two runs belong into one cell with the same seed, or no run has the baseline's label.
    """
    layout.check_tasks((score.task, score.metric) for run in runs for score in run.scores)
    labels = _labels(runs, layout)
    there = {_column(_label(run, layout)) for run in runs}
    placed, unplaced = _placed(runs, layout)
    if not placed:
        raise RelevanceError(
            f"None of these runs has a score of {some([each.key for each in layout.score])}."
            " Give runs of these tasks, or another layout."
        )
    columns = _in_order(by_column(placed), labels)
    if FAMILY in columns and layout.runs == "columns":
        raise RelevanceError(f"A run cannot be named '{FAMILY}', which is another column.")
    against = against_baseline(columns, baseline)
    different = different_rows(placed)
    barred = set() if allow_different else different
    groups = [
        _score_group(columns, against, each, different=different, barred=barred)
        for each in layout.score
    ]
    groups += [_average_group(columns, against, layout, each, barred) for each in layout.average]
    present = {score.run for score in placed}
    tested: list[Term] = []
    if layout.average:
        tested = [
            term for term in layout.terms(layout.average[0])[0] if not _is_barred(term, barred)
        ]
    notes = [
        *([_note_on_rows(different, allow_different=allow_different)] if different else []),
        *(f"No run is {column}." for column in labels if column not in there),
        *_missing({name: columns[name] for name in labels if name in present}, layout),
        *(f"{run.folder} has no score that the layout shows." for run in unplaced),
        *(note for run in runs for note in run.notes),
    ]
    comparison = Comparison(
        tuple(columns),
        tuple(line for group in groups for line in group.lines),
        baseline,
        _contrasts(columns, against, layout, tested),
        tuple(notes),
    )
    names = tuple(labels.get(column, (column,)) for column in columns)
    heads = layout.heads or layout.by
    return LaidOut(comparison, tuple(groups), heads, names, runs_are_rows=layout.runs == "rows")


def _label(run: ComparedRun, layout: Layout) -> tuple[str, ...]:
    """What a run is called: what it is, or what the layout calls that."""
    key = tuple(run.facts[fact] for fact in layout.by)
    return next((each.label or key for each in layout.run if each.by == key), key)


def _column(key: Iterable[str]) -> str:
    return ", ".join(key)


def _labels(runs: Sequence[ComparedRun], layout: Layout) -> dict[str, tuple[str, ...]]:
    """Labels by column: first the runs that the layout names, there or not, then all others."""
    found = {_column(each.label or each.by): each.label or each.by for each in layout.run}
    for run in runs:
        label = _label(run, layout)
        found.setdefault(_column(label), label)
    return found


def _placed(runs: Sequence[ComparedRun], layout: Layout) -> tuple[list[Score], list[ComparedRun]]:
    """Scores by the key of where they stand and the column of their run, and runs without any."""
    taken: dict[tuple[str, str, str, int], ComparedRun] = {}
    placed, unplaced = [], []
    for run in runs:
        column = _column(_label(run, layout))
        _check_places(run, layout)
        own = [
            replace(score, run=column, task=each.key, split=SPLIT)
            for each in layout.score
            for score in _scores_of(run, each)
        ]
        for score in own:
            place = (column, score.task, score.metric, score.seed)
            if other := taken.get(place):
                raise RelevanceError(
                    f"{other.folder} and {run.folder} both have seed {score.seed} and belong into"
                    f" '{column}', {score.task}. Leave one out, or tell them apart: the layout"
                    f" goes by {', '.join(layout.by)}."
                )
            taken[place] = run
        placed += own
        if not own:
            unplaced.append(run)
    return placed, unplaced


def _scores_of(run: ComparedRun, wanted: ScoreOf) -> Iterator[Score]:
    if not wanted.takes(run.facts):
        return
    by_task = {score.task.lower(): score.task for score in run.scores}
    name = next((by_task[each.lower()] for each in wanted.task if each.lower() in by_task), None)
    of_task = [score for score in run.scores if score.task == name]
    split = wanted.split_among(dict.fromkeys(score.split for score in of_task))
    for score in of_task:
        if score.split == split and score.metric in wanted.metric:
            yield score


def _check_places(run: ComparedRun, layout: Layout) -> None:
    """Refuse that one measurement stands for two scores by facts that were to tell them apart."""
    seen: dict[tuple[object, ...], ScoreOf] = {}
    for each in layout.score:
        told = [fact for fact in each.where if run.facts[fact]]
        if not told or not each.takes(run.facts):
            continue
        other = seen.setdefault((each.task, each.split, each.metric), each)
        if other is not each:
            raise RelevanceError(
                f"{run.folder} is {told[0]} = '{run.facts[told[0]]}', which fits '{other.key}'"
                f" and '{each.key}'. Make the layout's patterns tell them apart."
            )


def _in_order(columns: Columns, labels: Iterable[str]) -> Columns:
    """Columns as the layout has them, the majority class first; those without scores are empty."""
    first = [MAJORITY_COLUMN] if MAJORITY_COLUMN in columns else []
    return {column: dict(columns.get(column, {})) for column in (*first, *labels)}


def _score_group(
    columns: Columns, against: Columns, score: ScoreOf, *, different: set[Place], barred: set[Place]
) -> Group:
    place = (score.key, SPLIT)
    lines = tuple(
        line_of(columns, against, Measured(*place, metric), score.name, ranked=place not in barred)
        for metric in score.metric
    )
    return Group(score.name + DIFFERENT * (place in different), score.family or "", lines)


def _average_group(
    columns: Columns, against: Columns, layout: Layout, average: AverageOf, barred: set[Place]
) -> Group:
    halved, lines = layout.halved(average), []
    for terms in layout.terms(average):
        metrics = {metric for term in terms for part in term.parts for _, metric in part}
        mixed = "primary" if average.cells == "apart" else "mean"
        if any(_is_barred(term, barred) for term in terms):
            entries: tuple[Entry | None, ...] = (None,) * len(columns)
        else:
            of = [_measured(term) for term in terms]
            own, baseline = (_of_terms(each, terms, halved) for each in (columns, against))
            entries = averages(own, baseline, of)
        lines.append(Line(average.name, metrics.pop() if len(metrics) == 1 else mixed, entries))
    return Group(average.name, "", tuple(lines))


def _contrasts(
    columns: Columns, against: Columns, layout: Layout, terms: Sequence[Term]
) -> tuple[Contrast, ...]:
    """Every run against the baseline, on the terms of the layout's first average."""
    if not layout.average:
        return ()
    halved = layout.halved(layout.average[0])
    own, baseline = (_of_terms(each, terms, halved) for each in (columns, against))
    return tuple(contrasts(own, baseline, [_measured(term) for term in terms]))


def _measured(term: Term) -> Measured:
    return Measured(term.name, SPLIT, "mean")


def _is_barred(term: Term, barred: set[Place]) -> bool:
    return any((key, SPLIT) in barred for part in term.parts for key, _ in part)


def _of_terms(columns: Columns, terms: Sequence[Term], halved: Container[str]) -> Columns:
    """Columns of terms instead of scores; one that lacks a score of a term lacks the term."""
    found: dict[str, dict[Measured, dict[int, float]]] = {column: {} for column in columns}
    for column, given in columns.items():
        # its values have no seeds: those of two scores belong to the same rows by chance alone
        values = _by_their_mean(given) if column == MAJORITY_COLUMN else given
        for term in terms:
            rows = [Measured(key, SPLIT, metric) for part in term.parts for key, metric in part]
            if all(what in values for what in rows):
                seeds = set.intersection(*(set(values[what]) for what in rows))
                by_seed = {seed: _term_value(term, values, seed, halved) for seed in sorted(seeds)}
                found[column] |= {_measured(term): by_seed} if by_seed else {}
    return found


def _by_their_mean(values: Values) -> Values:
    """Each score as one value, the mean of what there is, as its own row prints it."""
    return {what: {0: fmean(by_seed.values())} for what, by_seed in values.items()}


def _term_value(term: Term, values: Values, seed: int, halved: Container[str]) -> float:
    """The mean over the term's scores of the mean over each score's metrics."""
    return fmean(
        fmean(
            (1 + value) / 2 if key in halved else value
            for key, metric in part
            for value in [values[Measured(key, SPLIT, metric)][seed]]
        )
        for part in term.parts
    )


def _note_on_rows(different: set[Place], *, allow_different: bool) -> str:
    return note_on(different, {key: [SPLIT] for key, _ in different}, allowed=allow_different)


def _missing(columns: Columns, layout: Layout) -> Iterator[str]:
    """Names the scores that no run has, and then, by run, those that others have."""
    lacking = {
        name: [
            each
            for each in layout.score
            if any(Measured(each.key, SPLIT, metric) not in values for metric in each.metric)
        ]
        for name, values in columns.items()
    }
    nowhere = [each for each in layout.score if all(each in lacks for lacks in lacking.values())]
    if nowhere:
        yield f"No run has a score of {', '.join(each.key for each in nowhere)}."
    for name, lacks in lacking.items():
        if own := [each.key for each in lacks if each not in nowhere]:
            yield f"{name} has no score of {', '.join(own)}."

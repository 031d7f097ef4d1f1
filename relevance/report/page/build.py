"""Matrices, groups and scores of runs, laid out as the page that shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

from relevance.clustering.agreement import compare
from relevance.clustering.spec import ClusterSpec
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from relevance.names import some
from relevance.report.page.caveats import caveats
from relevance.report.page.content import Caveat, Page, PageTable, RunScores
from relevance.report.page.groups import groups_of
from relevance.report.page.maps import map_of
from relevance.report.page.origins import cost_table, origins
from relevance.report.tables import Row
from relevance.stages import counted

HEADINGS = {
    "first": "one",
    "second": "other",
    "tasks": "tasks",
    "pairs": "pairs",
    "left_out": "left out",
    "spearman": "Spearman",
    "kendall": "Kendall",
}


def lay_out(
    matrices: Sequence[RelevanceMatrix],
    files: Sequence[str] | None = None,
    *,
    clusters: ClusterSpec | None = None,
    scores: RunScores | None = None,
    title: str | None = None,
    commands: Sequence[str] = (),
) -> Page:
    """Decide what the page shows.

    Args:
        matrices: One matrix or more; the first one is shown first.
        files: Their files, by which matrices of one measure are told apart; None for numbers.
        clusters: Groups of tasks that the matrices have, None without.
        scores: Scores of trained runs, None without.
        title: Heading; None for one that counts the tasks.
        commands: Commands that make the page again.

    Returns:
        The page.

    Raises:
        RelevanceError: If there is no matrix, or the groups list a task that none has.
    """
    if not matrices:
        raise RelevanceError("A report takes at least one matrix.")
    named = list(zip(names_of(matrices, files), matrices, strict=True))
    tasks = tuple(dict.fromkeys(task for matrix in matrices for task in matrix.tasks))
    if clusters is not None:
        clusters.check_known(tasks, owner="matrix")
    return Page(
        title=title or f"Which of {len(tasks):,} tasks help each other",
        tasks=tasks,
        caveats=(*_foreign(clusters, files or ()), *caveats(named, clusters, scores)),
        maps=tuple(
            map_of(name, matrix, clusters) for name, matrix in counted(named, "maps laid out")
        ),
        groups=None if clusters is None else groups_of(clusters, matrices),
        agreement=_agreement(named),
        scores=None if scores is None else scores.table,
        cost=cost_table(named),
        origins=(*origins(named, clusters), *(() if scores is None else scores.origins)),
        commands=tuple(commands),
    )


def names_of(
    matrices: Sequence[RelevanceMatrix], files: Sequence[str] | None = None
) -> tuple[str, ...]:
    """A name per matrix, all different: its measure, then its file's name, then its place too."""
    measures = [matrix.measure for matrix in matrices]
    files = [Path(file).name for file in files] if files else ["" for _ in matrices]
    names = [
        f"{measure} ({file})" if measures.count(measure) > 1 and file else measure
        for measure, file in zip(measures, files, strict=True)
    ]
    return tuple(
        f"{name}, {place}" if names.count(name) > 1 else name
        for place, name in enumerate(names, start=1)
    )


def _foreign(clusters: ClusterSpec | None, files: Sequence[str]) -> Iterator[Caveat]:
    """A caveat where groups were made from another matrix than those that are shown."""
    if clusters is None or clusters.matrix is None or not files:
        return
    shown = {made.sha256 for file in files if (made := clusters.made_from(file).matrix)}
    if clusters.matrix.sha256 not in shown:
        text = f"They were made from {clusters.matrix.file} as it was then, which is none of these."
        yield Caveat("groups", text)


def _agreement(named: Sequence[tuple[str, RelevanceMatrix]]) -> PageTable | None:
    """Rank correlations of every two matrices; None where no two can be compared."""
    rows: list[Row] = []
    remarks: list[str] = []
    pairs = list(combinations(named, 2))
    for (one, first), (other, second) in counted(pairs, "pairs of matrices compared"):
        try:
            (found,) = compare([first, second], [one, other])
        except RelevanceError as error:
            remarks.append(str(error))
            continue
        values = asdict(found)
        rows.append({heading: values[name] for name, heading in HEADINGS.items()})
    if not rows:
        return None
    return PageTable(tuple(rows), remarks=(*remarks, *_missing(rows)))


def _missing(rows: Sequence[Row]) -> Iterator[str]:
    """What the reader should know of the correlations."""
    yield "Rank correlations of values off the diagonal, over the cells that both matrices know."
    undefined = [
        f"{row['one']} & {row['other']}" for row in rows if row["Spearman"] != row["Spearman"]
    ]
    if undefined:
        yield f"None for want of values that differ: {some(undefined)}."

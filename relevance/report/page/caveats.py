"""Reasons not to trust what a matrix, groups or runs seem to say."""

from collections.abc import Iterator, Sequence

import numpy as np

from relevance.clustering.spec import ClusterSpec
from relevance.marks import is_gains, marks
from relevance.matrices.matrix import MEAN_OF_SOURCES, RelevanceMatrix
from relevance.names import some
from relevance.report.page.content import Caveat, RunScores
from relevance.report.trust import distrust, reliability_lines

AGREE = 0.5
"""Adjusted Rand index of two studies below which their groups are hardly the same."""
HALF = 0.5


def caveats(
    matrices: Sequence[tuple[str, RelevanceMatrix]],
    clusters: ClusterSpec | None,
    scores: RunScores | None,
) -> tuple[Caveat, ...]:
    """All reasons not to trust what the page shows.

    Args:
        matrices: Matrices with their names.
        clusters: Groups, None without.
        scores: Scores of runs, None without.

    Returns:
        Each once, the grave ones first.
    """
    found = [caveat for name, matrix in matrices for caveat in _of_matrix(name, matrix)]
    if clusters is not None:
        found += _of_groups(clusters)
    if scores is not None:
        found += [Caveat("scores", text) for text in scores.caveats]
    return tuple(sorted(dict.fromkeys(found), key=lambda caveat: not caveat.grave))


def _of_matrix(name: str, matrix: RelevanceMatrix) -> Iterator[Caveat]:
    """What speaks against the values of one matrix."""
    if line := distrust(matrix):
        yield Caveat(name, line)
    yield from _of_cells(name, matrix)
    if matrix.provenance.get("zero") == MEAN_OF_SOURCES:
        text = "0 is the mean of a target's sources, and not training alone: no value says whether"
        yield Caveat(name, f"{text} a source helps.", grave=False)
    if is_gains(matrix) and matrix.standard_errors is None:
        text = "No standard errors are known, so nothing tells which of these gains are noise."
        yield Caveat(name, text)
    for warning in matrix.provenance.get("warnings") or ():
        yield Caveat(name, str(warning))
    if failed := matrix.provenance.get("failed"):
        yield Caveat(name, f"{len(failed)} training runs failed: {some(list(failed))}.")
    for line in reliability_lines(matrix):
        yield Caveat(name, f"{line[0].upper()}{line[1:]}.", grave=False)


def _of_cells(name: str, matrix: RelevanceMatrix) -> Iterator[Caveat]:
    """Cells that nobody should build on, counted."""
    marked, count = marks(matrix), len(matrix.tasks)
    known, cells = int(marked.known.sum()), count * (count - 1)
    if unknown := cells - known:
        yield Caveat(name, f"{unknown:,} of {cells:,} cells are unknown.", unknown > HALF * cells)
    if predicted := int(marked.predicted.sum()):
        text = f"{predicted:,} of {known:,} cells are predicted by a model: nobody measured them."
        yield Caveat(name, text)
    reasons = {
        "noise": "may be noise, as their 95 % interval covers 0",
        "below the majority class": "come from runs that do no better than the majority class",
        "collapsed": "rest on a run that collapsed: it gave one answer for all rows, scored 0 or"
        " less, or lost more than everything",
    }
    counts = marked.counts()
    for kind, number in counts.items():
        grave = kind == "collapsed" or number > HALF * known
        yield Caveat(name, f"{number:,} of {known:,} cells {reasons[kind]}.", grave)
    unmarked = int((marked.known & ~marked.any).sum())
    if counts and not unmarked:
        yield Caveat(name, "No cell is without such a mark, so this matrix tells nothing.")
    constant = np.ptp(matrix.values[matrix.known]) == 0 if known else False
    if constant and known > 1:
        yield Caveat(name, "All values are equal, so they tell no task from another.")


def _of_groups(clusters: ClusterSpec) -> Iterator[Caveat]:
    """What speaks against groups."""
    stability = clusters.stability
    if stability is None:
        if clusters.method not in {"manual", "taxonomy"}:
            yield Caveat("groups", "Stability unknown: nobody measured it for these groups.")
        return
    if stability.adjusted_rand is None or stability.adjusted_rand < AGREE:
        line = str(stability)
        yield Caveat("groups", f"{line[0].upper()}{line[1:]}. Another study may find other groups.")

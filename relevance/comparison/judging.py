"""Cheap measures beside a reference, such as gains that were measured in full."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from relevance.clustering.agreement import adjusted_rand, groups_of, names_of, rank_correlations
from relevance.clustering.families import family_clusters, has_families
from relevance.clustering.features import check_range, features
from relevance.clustering.methods.kmeans import kmeans
from relevance.clustering.spec import ClusterSpec
from relevance.comparison.choosing_sources import mean_ndcg, mean_regret
from relevance.comparison.ranking_metrics import ceiling, precision_at_negatives, within_targets
from relevance.errors import RelevanceError
from relevance.gains.reliability import known_mean
from relevance.lazy import shown_by
from relevance.matrices.matrix import RelevanceMatrix
from relevance.names import some

# Two tasks have two pairs, whose rank correlation is always 1 or -1.
FEWEST_TASKS = 3
MOST_GROUPS = 10
NAMED = 5
"""Sources of each target that a regret is about; of five or fewer the best alone."""


@dataclass(frozen=True)
class Judgement:
    """Agreement of one measure with the reference; NaN or None where that is undefined.

    Attributes:
        measure: Name of the measure.
        pairs: Ordered pairs of different tasks that both know.
        left_out: Ordered pairs that one of them does not know.
        spearman: Rank correlation of the values over those pairs, in [-1, 1].
        kendall: Kendall's tau-b over those pairs.
        spearman_within: Spearman correlation within targets, of the values less the mean of their
            column.
        kendall_within: Kendall's tau-b within targets.
        share_of_ceiling: `spearman_within` by the highest value that the reference's noise allows.
        precision: Precision of finding negative pairs, see `precision_at_negatives`; in [0, 1].
        ndcg: How well each target's sources are ordered, see `relevance.comparison
            .choosing_sources.ndcg`; the mean over targets, in (0, 1].
        regret: Share of a target's score lost by training with the sources named instead of the
            best ones, the mean over targets; None where the reference holds no scores.
        adjusted_rand: Agreement of the groups; 1 for equal ones, about 0 for chance.
        seconds: Cost of the measure.
        cost_share: Cost of the measure divided by that of the reference.
    """

    measure: str
    pairs: int
    left_out: int
    spearman: float
    kendall: float
    spearman_within: float
    kendall_within: float
    share_of_ceiling: float | None
    precision: float
    ndcg: float
    regret: float | None
    adjusted_rand: float | None
    seconds: float | None
    cost_share: float | None


@dataclass(frozen=True, eq=False)
class MeasureComparison:
    """Measures beside a reference, on the tasks that all of them share.

    Attributes:
        reference: The reference on those tasks, in its order.
        measures: The measures on those tasks, in that order.
        rows: Agreement of each measure with the reference.
        groups: The reference's groups, None where it has none.
        named: Number of sources of each target that regrets are about.
        left_out: Tasks that only some of the matrices have.
        ungrouped: Why some of them have no groups, one line each.
    """

    reference: RelevanceMatrix
    measures: tuple[RelevanceMatrix, ...]
    rows: tuple[Judgement, ...]
    groups: ClusterSpec | None
    named: int
    left_out: tuple[str, ...] = ()
    ungrouped: tuple[str, ...] = ()

    def __repr__(self) -> str:
        names, tasks = some([row.measure for row in self.rows]), len(self.reference.tasks)
        return f"MeasureComparison({names} with {self.reference.measure}; {tasks} tasks)"

    def _repr_html_(self) -> str:
        return shown_by("relevance.report.comparison:comparison_table", self, "html")


def compare_with(
    reference: RelevanceMatrix,
    measures: Sequence[RelevanceMatrix],
    names: Sequence[str] | None = None,
    *,
    k: int | None = None,
    seed: int = 0,
) -> MeasureComparison:
    """Judge measures by a reference.

    All of them are compared on the tasks that all of them share; pairs that the measure or the
    reference does not know are left out. Groups are k-means on the rows for all, except where a
    matrix carries families.

    Args:
        reference: The matrix to compare with, such as joint-training gains.
        measures: One matrix or more.
        names: Names for the matrices, all different; None for the names of their measures.
        k: Number of groups; None for the reference's families, else the number from 2 to 10 with
            the best silhouette of the reference.
        seed: Seed of k-means.

    Returns:
        One row per measure, in the order given.

    Raises:
        RelevanceError: If there is no measure, names repeat, fewer than 3 tasks are shared, k is
            out of range, or given for a reference that carries families.
    """
    if not measures:
        raise RelevanceError("Comparing with a reference takes at least one matrix, got none.")
    names = names_of(measures, names)
    tasks = _shared_tasks(reference, measures, names)
    if k is not None:
        check_range(len(tasks), k)
        if has_families(reference):
            raise RelevanceError(
                f"The groups of the {reference.measure} matrix are its families, so `k` has nothing"
                " to choose. Leave it out."
            )
    judge, judged = reference.select(tasks), [matrix.select(tasks) for matrix in measures]
    ungrouped: list[str] = []
    groups = _grouped(judge, k, seed, ungrouped)
    named = NAMED if len(tasks) - 1 > NAMED else 1
    rows = []
    for name, matrix in zip(names, judged, strict=True):
        agreement = None if groups is None else _agreement(name, matrix, groups, seed, ungrouped)
        rows.append(_judge(name, matrix, judge, named, agreement))
    every = dict.fromkeys(task for matrix in (reference, *measures) for task in matrix.tasks)
    left_out = tuple(task for task in every if task not in tasks)
    return MeasureComparison(
        judge, tuple(judged), tuple(rows), groups, named, left_out, tuple(ungrouped)
    )


def different_names(matrices: Sequence[RelevanceMatrix], files: Sequence[str]) -> list[str]:
    """A name per matrix: that of its measure, or of its file where measures repeat."""
    measures = [matrix.measure for matrix in matrices]
    return [
        file if measures.count(measure) > 1 else measure
        for measure, file in zip(measures, files, strict=True)
    ]


def _shared_tasks(
    reference: RelevanceMatrix, measures: Sequence[RelevanceMatrix], names: Sequence[str]
) -> list[str]:
    shared = [task for task in reference.tasks if all(task in each.tasks for each in measures)]
    if len(shared) < FEWEST_TASKS:
        raise RelevanceError(
            f"The reference and {', '.join(names)} share {len(shared)} tasks; comparing them takes"
            f" at least {FEWEST_TASKS}."
        )
    return shared


def _judge(
    name: str,
    matrix: RelevanceMatrix,
    reference: RelevanceMatrix,
    named: int,
    agreement: float | None,
) -> Judgement:
    known, tasks = matrix.known & reference.known, len(reference.tasks)
    values, truth = matrix.values[known], reference.values[known]
    spearman, kendall = rank_correlations(values, truth)
    spearman_within, kendall_within = rank_correlations(
        within_targets(matrix.values, known), within_targets(reference.values, known)
    )
    highest = ceiling(reference)
    seconds, whole = (each.cost.get("seconds") for each in (matrix, reference))
    return Judgement(
        name,
        pairs=int(known.sum()),
        left_out=tasks * (tasks - 1) - int(known.sum()),
        spearman=spearman,
        kendall=kendall,
        spearman_within=spearman_within,
        kendall_within=kendall_within,
        share_of_ceiling=None if highest is None else spearman_within / highest,
        precision=precision_at_negatives(values, truth),
        ndcg=mean_ndcg(matrix.values, reference.values, known),
        regret=mean_regret(matrix.values, _scores(reference), known, named),
        adjusted_rand=agreement,
        seconds=seconds,
        cost_share=seconds / whole if seconds is not None and whole else None,
    )


def _scores(reference: RelevanceMatrix) -> Float[np.ndarray, "source target"] | None:
    """Mean score of each target with each source; None where the reference does not hold them."""
    scores = (reference.joint or {}).get(reference.provenance.get("metric", "gain"))
    if scores is None or reference.provenance.get("metric") == "loss":
        return None
    return known_mean(np.asarray(scores, dtype=np.float64), axis=0)


def _grouped(
    reference: RelevanceMatrix, k: int | None, seed: int, ungrouped: list[str]
) -> ClusterSpec | None:
    try:
        if k is not None:
            return kmeans(reference, k, seed=seed)
        return family_clusters(reference) if has_families(reference) else _best(reference, seed)
    except RelevanceError as error:
        ungrouped.append(f"the reference: {error}")
        return None


def _best(reference: RelevanceMatrix, seed: int) -> ClusterSpec:
    """The groups with the best silhouette among 2 to 10; one group where all rows are equal."""
    # k-means cannot fill more groups than there are different rows.
    different = len(np.unique(features(reference), axis=0))
    most = min(different, len(reference.tasks) - 1, MOST_GROUPS)
    found = [kmeans(reference, k, seed=seed) for k in range(min(2, most), most + 1)]
    return max(found, key=lambda groups: -1.0 if groups.silhouette is None else groups.silhouette)


def _agreement(
    name: str, matrix: RelevanceMatrix, groups: ClusterSpec, seed: int, ungrouped: list[str]
) -> float | None:
    try:
        return adjusted_rand(groups_of(name, matrix, len(groups.clusters), seed), groups)
    except RelevanceError as error:
        ungrouped.append(str(error))
        return None

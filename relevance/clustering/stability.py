"""Whether a study of the same tasks with new seeds would find the same groups."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

import numpy as np
from jaxtyping import Float

from relevance.clustering.agreement import adjusted_rand
from relevance.clustering.methods.method import ClusteringMethod
from relevance.clustering.replication import ReplicationModel, replication_model
from relevance.clustering.spec import ClusterSpec, Stability
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from relevance.stages import counted, stage

RESAMPLES = 25
MOST_SPLITS = 35
MOST_SEEDS = 10  # of more there are thousands of ways
ENOUGH_FOR_HALVES = 4
FEW_TASKS = 50
LEFT_OUT = 20  # of more than a few tasks
DECIMALS = 4

Cells = Float[np.ndarray, "source target"]
PerSeed = Float[np.ndarray, "seed source target"]


def stability(
    matrix: RelevanceMatrix,
    spec: ClusterSpec,
    method: ClusteringMethod,
    k: int,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Stability | None:
    """Estimate how well the groups of two studies with as many seeds as this one would agree.

    With four seeds or more they are divided into halves in every way, and both halves are grouped.
    The mean index of the halves is that of studies with half the seeds. What twice as many seeds
    add is told by a model of truth and noise (`relevance.clustering.replication`): its draws are
    grouped with half the seeds and with all of them, and the difference of the two mean indices is
    added. The Spearman-Brown formula is for correlations and does not hold for this index. With two
    or three seeds, or where only standard errors over seeds are known, the index is that of the
    draws alone: each time a truth is drawn, and two studies of it with noise of their own. One
    seed tells nothing of its noise, unless single runs were repeated.

    How the groups change when one task is left out is another matter, the sensitivity: it is there
    for every matrix and says nothing about noise.

    Args:
        matrix: The matrix that was clustered.
        spec: Groups that were found.
        method: Method that found them.
        k: Number of groups that was asked for.
        seed: Seed of the draws and the method.
        resamples: Number of truths that are drawn. Every task is left out in turn, or 20 of more
            than 50, picked at random.

    Returns:
        The expected agreement; None for one group or one task in each, which any matrix gives.

    Raises:
        RelevanceError: If not one of the matrices can be clustered.

    Source:
        Hubert and Arabie (1985), the index; Monti et al. (2003), the consensus matrix.
    """
    if not 1 < len(spec.clusters) < len(matrix.tasks):
        return None
    rng = np.random.default_rng(seed)
    trials = _Trials(matrix.tasks, method.quick(), k, seed)
    without = _Trials(matrix.tasks, method.quick(), k, seed)
    sensitivity = _sensitivity(matrix, spec, without, rng)
    model = replication_model(matrix)
    if model is None:
        return Stability(
            adjusted_rand=None,
            skipped=without.skipped,
            sensitivity=sensitivity,
            tasks=matrix.tasks,
            consensus=without.consensus(),
        )
    index, kind = _of_draws(model, trials, resamples, rng), "draws"
    values = model.per_seed
    if values is not None and len(values) >= ENOUGH_FOR_HALVES:
        index, kind = _of_halves(values, model, trials, index, resamples, rng), "halves"
    return Stability(
        adjusted_rand=index,
        resampling=kind,
        seeds=model.seeds,
        resamples=trials.count,
        skipped=trials.skipped,
        sensitivity=sensitivity,
        tasks=matrix.tasks,
        consensus=trials.consensus(),
    )


def grouped(
    matrix: RelevanceMatrix,
    method: ClusteringMethod,
    k: int,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> ClusterSpec:
    """Groups of the tasks together with their stability.

    Args:
        matrix: A matrix without unknown values.
        method: Method of clustering.
        k: Number of groups.
        seed: Seed of the draws and the method.
        resamples: Number of truths that stability is told by.

    Returns:
        The groups; their stability is None for one group or one task in each.

    Raises:
        RelevanceError: If the matrix cannot be clustered.
    """
    spec = method.cluster(matrix, k, seed=seed)
    measured = stability(matrix, spec, method, k, seed=seed, resamples=resamples)
    return spec.model_copy(update={"stability": measured})


def _of_draws(
    model: ReplicationModel, trials: "_Trials", resamples: int, rng: np.random.Generator
) -> float:
    """Mean index of two studies of one truth, over truths."""
    found = []
    for _ in counted(range(resamples), "resamples"):
        truth = model.truth(rng)
        studies = [trials.group(model.study(truth, model.seeds, rng)) for _ in range(2)]
        found.append(_agreement(studies))
    return trials.mean(found)


def _of_halves(
    values: PerSeed,
    model: ReplicationModel,
    trials: "_Trials",
    of_draws: float,
    resamples: int,
    rng: np.random.Generator,
) -> float:
    """Mean index of halves of the seeds, and what twice as many seeds add by the model's draws."""
    half = len(values) // 2
    smaller = _Trials(trials.tasks, trials.method, trials.k, trials.seed)
    of_halves = smaller.mean(
        [
            _agreement([smaller.group(values[list(seeds)].mean(axis=0)) for seeds in pair])
            for pair in _pairs_of_halves(len(values), half, rng)
        ]
    )
    halved = _of_draws(replace(model, seeds=half), smaller, resamples, rng)
    return float(np.clip(of_halves + of_draws - halved, -1, 1))


def _pairs_of_halves(
    seeds: int, half: int, rng: np.random.Generator
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """All ways to take two disjoint halves of the seeds, or some of very many at random."""
    if seeds > MOST_SEEDS:
        orders = [rng.permutation(seeds).tolist() for _ in range(MOST_SPLITS)]
        return [(tuple(order[:half]), tuple(order[half : 2 * half])) for order in orders]
    every = [
        (one, other)
        for one in combinations(range(seeds), half)
        for other in combinations(sorted({*range(seeds)} - {*one}), half)
        if one < other
    ]
    chosen = rng.permutation(len(every))[:MOST_SPLITS]
    return [every[number] for number in sorted(chosen.tolist())]


def _sensitivity(
    matrix: RelevanceMatrix, spec: ClusterSpec, trials: "_Trials", rng: np.random.Generator
) -> float:
    """Mean index of the groups with those found without one task."""
    alone = {cluster[0] for cluster in spec.clusters if len(cluster) == 1}
    found = []
    with stage("tasks left out") as advance:
        for task, rest in _without_one(matrix, rng):
            # Without a task that is alone in its group there is one group less to find.
            # Groups "at most" may be allowed to be as many as all tasks, one more than are left.
            other = trials.find(rest, min(trials.k - (task in alone), len(rest.tasks)))
            found.append(None if other is None else adjusted_rand(spec, other))
            advance()
    return trials.mean(found)


def _agreement(studies: list[ClusterSpec | None]) -> float | None:
    one, other = studies
    return None if one is None or other is None else adjusted_rand(one, other)


def _without_one(
    matrix: RelevanceMatrix, rng: np.random.Generator
) -> Iterable[tuple[str, RelevanceMatrix]]:
    """A task and the matrix of the others, for every task, or for some of many."""
    count = len(matrix.tasks)
    chosen = np.arange(count) if count <= FEW_TASKS else rng.permutation(count)[:LEFT_OUT]
    for place in np.sort(chosen).tolist():
        rest = np.delete(np.arange(count), place)
        names = tuple(matrix.tasks[other] for other in rest)
        yield (
            matrix.tasks[place],
            RelevanceMatrix(matrix.values[np.ix_(rest, rest)], names, matrix.measure),
        )


class _Trials:
    """Groups found again, counted as they come.

    Args:
        tasks: All names.
        method: Method of clustering.
        k: Number of groups.
        seed: Seed of the method.
    """

    def __init__(self, tasks: tuple[str, ...], method: ClusteringMethod, k: int, seed: int) -> None:
        self.tasks, self.method, self.k, self.seed = tasks, method, k, seed
        self.count = self.skipped = 0
        self._place = {task: place for place, task in enumerate(tasks)}
        self._together = np.zeros((len(tasks), len(tasks)))
        self._met = np.zeros((len(tasks), len(tasks)))
        self._error: RelevanceError | None = None

    def group(self, values: Cells) -> ClusterSpec | None:
        """Group the tasks by other values; None where too few rows differ."""
        return self.find(RelevanceMatrix(values, self.tasks, "drawn"), self.k)

    def find(self, matrix: RelevanceMatrix, k: int) -> ClusterSpec | None:
        """Group the tasks of one more matrix."""
        try:
            found = self.method.cluster(matrix, k, seed=self.seed)
        except RelevanceError as error:  # fewer than k rows differ
            self.skipped, self._error = self.skipped + 1, error
            return None
        self.count += 1
        everyone = [self._place[task] for task in found.tasks]
        self._met[np.ix_(everyone, everyone)] += 1
        for cluster in found.clusters:
            places = [self._place[task] for task in cluster]
            self._together[np.ix_(places, places)] += 1
        return found

    def mean(self, indices: list[float | None]) -> float:
        """Mean of the indices there are."""
        known = [index for index in indices if index is not None]
        if not known and self._error is not None:
            raise self._error
        return float(np.mean(known))

    def consensus(self) -> tuple[tuple[float, ...], ...]:
        """Share of the matrices with both tasks in which they were in one group."""
        shares = self._together / np.maximum(self._met, 1)
        return tuple(map(tuple, shares.round(DECIMALS).tolist()))

"""Whether the same groups come out again when the matrix is varied by its own noise."""

from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
from jaxtyping import Float

from relevance.clustering.agreement import adjusted_rand
from relevance.clustering.methods.method import ClusteringMethod
from relevance.clustering.spec import ClusterSpec, Stability
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix

RESAMPLES = 100
FEW_TASKS = 50
LEFT_OUT = 20  # of more than a few tasks
DECIMALS = 4


def stability(
    matrix: RelevanceMatrix,
    spec: ClusterSpec,
    method: ClusteringMethod,
    k: int,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Stability | None:
    """Group the tasks again and again, from matrices that might have been measured as well.

    The mean over seeds is drawn again from the seeds there are; or normal noise is added to every
    value by its standard error; or, where a matrix has neither, one task is left out at a time.
    Noise that the cells of a column share, such as that of its baseline, is in neither; and as
    draws are made around the values measured, groups that noise made look firmer than they are.

    Args:
        matrix: The matrix that was clustered.
        spec: Groups that were found.
        method: Method that found them.
        k: Number of groups that was asked for.
        seed: Seed of the resampling and the method.
        resamples: Number of matrices that are drawn. Every task is left out in turn, or 20 of more
            than 50, picked at random.

    Returns:
        Agreement with the groups of the spec; None for one group or one task in each, which any
        matrix gives.

    Raises:
        RelevanceError: If not one of the matrices can be clustered.

    Source:
        Monti et al. (2003), the consensus matrix; Hubert and Arabie (1985), the index.
    """
    if not 1 < len(spec.clusters) < len(matrix.tasks):
        return None
    rng = np.random.default_rng(seed)
    kind = resampling(matrix)
    trials = _Trials(matrix.tasks, spec, method.quick(), seed)
    left_out = _Trials(matrix.tasks, spec, method.quick(), seed)
    alone = {cluster[0] for cluster in spec.clusters if len(cluster) == 1}
    for task, rest in _without_one(matrix, rng):
        # Without a task that is alone in its group there is one group less to find.
        left_out.group(rest, k - (task in alone))
    if kind == "tasks":
        trials = left_out
    else:
        for drawn in _drawn(matrix, kind, resamples, rng):
            trials.group(drawn, k)
    return Stability(
        adjusted_rand=trials.agreement(),
        resampling=kind,
        resamples=len(trials.indices),
        skipped=trials.skipped,
        leave_one_out=left_out.agreement(),
        tasks=matrix.tasks,
        consensus=tuple(map(tuple, trials.consensus().round(DECIMALS).tolist())),
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
        seed: Seed of the resampling and the method.
        resamples: Number of resamples that stability is told by.

    Returns:
        The groups; their stability is None for one group or one task in each.

    Raises:
        RelevanceError: If the matrix cannot be clustered.
    """
    spec = method.cluster(matrix, k, seed=seed)
    measured = stability(matrix, spec, method, k, seed=seed, resamples=resamples)
    return spec.model_copy(update={"stability": measured})


def resampling(matrix: RelevanceMatrix) -> Literal["seeds", "noise", "examples", "tasks"]:
    """The first kind of variation that a matrix allows: seeds, errors of values, or tasks."""
    per_seed, errors = matrix.per_seed, matrix.standard_errors
    if per_seed is not None and len(per_seed) > 1 and np.isfinite(per_seed).all():
        return "seeds"
    if errors is not None and np.isfinite(errors).all() and errors.any():
        return "noise" if len(matrix.seeds) > 1 else "examples"
    return "tasks"


def _drawn(
    matrix: RelevanceMatrix, kind: str, resamples: int, rng: np.random.Generator
) -> Iterator[RelevanceMatrix]:
    """Matrices that other seeds, or the same ones on another day, might have given."""
    per_seed, errors = matrix.per_seed, matrix.standard_errors
    for _ in range(resamples):
        change = np.zeros_like(matrix.values)
        if kind == "seeds" and per_seed is not None:
            chosen = rng.integers(len(per_seed), size=len(per_seed))
            change = per_seed[chosen].mean(axis=0) - per_seed.mean(axis=0)
        elif errors is not None:
            change = rng.normal(size=errors.shape) * errors
        yield RelevanceMatrix(matrix.values + change, matrix.tasks, matrix.measure)


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
        spec: The groups to agree with.
        method: Method of clustering.
        seed: Seed of the method.
    """

    def __init__(
        self, tasks: tuple[str, ...], spec: ClusterSpec, method: ClusteringMethod, seed: int
    ) -> None:
        self._place = {task: place for place, task in enumerate(tasks)}
        self._spec, self._method, self._seed = spec, method, seed
        self._together = np.zeros((len(tasks), len(tasks)))
        self._met = np.zeros((len(tasks), len(tasks)))
        self._error: RelevanceError | None = None
        self.indices: list[float] = []
        self.skipped = 0

    def group(self, matrix: RelevanceMatrix, k: int) -> None:
        """Group the tasks of one more matrix."""
        try:
            found = self._method.cluster(matrix, k, seed=self._seed)
        except RelevanceError as error:  # fewer than k rows differ
            self.skipped, self._error = self.skipped + 1, error
            return
        self.indices.append(adjusted_rand(self._spec, found))
        everyone = [self._place[task] for task in found.tasks]
        self._met[np.ix_(everyone, everyone)] += 1
        for cluster in found.clusters:
            places = [self._place[task] for task in cluster]
            self._together[np.ix_(places, places)] += 1

    def agreement(self) -> float:
        """Mean adjusted Rand index with the groups of the spec."""
        if not self.indices and self._error is not None:
            raise self._error
        return float(np.mean(self.indices))

    def consensus(self) -> Float[np.ndarray, "task task"]:
        """Share of the matrices with both tasks in which they were in one group."""
        return self._together / np.maximum(self._met, 1)

"""Choice of k: silhouette and stability for every number of clusters, and the best by both."""

from dataclasses import dataclass, replace

from relevance.clustering.features import features
from relevance.clustering.methods.method import ClusteringMethod, make_method
from relevance.clustering.replication import replication_model
from relevance.clustering.spec import ClusterSpec
from relevance.clustering.stability import RESAMPLES, stability
from relevance.errors import RelevanceError
from relevance.matrices.matrix import RelevanceMatrix
from relevance.stages import counted

# Of two tasks there is only k = 1 and one task in each, and neither has a silhouette.
FEWEST_TASKS = 3
LARGEST = 50  # of 500 tasks every k would take hours
DECIMALS = 9  # scores that differ by less are equal


@dataclass(frozen=True)
class Candidate:
    """One number of clusters, and how good its groups are.

    Attributes:
        k: Number of groups that was asked for.
        spec: The groups; their stability too, unless it is unknown and these are not the best.
        silhouette: Mean over tasks in [-1, 1]: how much closer a task's row is to its own group.
        stability: Expected adjusted Rand index of two studies like this one; None if unknown.
    """

    k: int
    spec: ClusterSpec
    silhouette: float
    stability: float | None

    @property
    def score(self) -> float:
        """What the best candidate has most of: the mean of both, silhouette where it is alone."""
        return self.silhouette if self.stability is None else (self.silhouette + self.stability) / 2


@dataclass(frozen=True)
class ChoiceOfK:
    """All candidates and the best of them.

    Attributes:
        candidates: Candidates by ascending k.
        best: The candidate of the largest score; of equal ones, the one with the smallest k.
        left_out: Why there is no candidate, for each k that the matrix cannot give.
        untried: Number of larger k that were not tried, as nobody asked for them and there are many
            tasks.
    """

    candidates: tuple[Candidate, ...]
    best: Candidate
    left_out: dict[int, str]
    untried: int = 0

    def __repr__(self) -> str:
        return f"ChoiceOfK({self})"

    def __str__(self) -> str:
        first, last = self.candidates[0].k, self.candidates[-1].k
        known = self.best.stability is not None
        what = "mean of silhouette and stability" if known else "silhouette"
        line = (
            f"k = {self.best.k}: largest {what} ({self.best.score:.2f}) among k = {first} to {last}"
        )
        line += f", without {', '.join(map(str, self.left_out))}" if self.left_out else ""
        if self.untried:
            line += f"; {self.untried} larger ones were not tried, which `max_k` does"
        return line

    @property
    def spec(self) -> ClusterSpec:
        """The best groups; `provenance["choice_of_k"]` tells how they compare with the others."""
        spec = self.best.spec
        tried = {
            "rule": str(self),
            "candidates": self.rows(),
            "left_out": {str(k): reason for k, reason in self.left_out.items()},
        }
        return spec.model_copy(update={"provenance": {**spec.provenance, "choice_of_k": tried}})

    def rows(self) -> list[dict[str, int | float | None]]:
        """The candidates as rows of a table; None for stability that is unknown."""
        return [
            {
                "k": each.k,
                "silhouette": each.silhouette,
                "stability": each.stability,
                "mean": each.score,
            }
            for each in self.candidates
        ]


def choose_k(
    matrix: RelevanceMatrix,
    method: ClusteringMethod | str = "kmeans",
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    largest: int | None = None,
) -> ChoiceOfK:
    """Try every k from 2 to one less than the number of tasks.

    The k with the largest mean of silhouette and stability is chosen, the smallest of equal ones:
    groups should be far apart, and should come out again. Silhouette alone tends to few groups,
    and stability to many: where most tasks are alone, they are alone again. Where stability is
    unknown, silhouette alone decides, and only the best groups are told their sensitivity.

    Args:
        matrix: A matrix without unknown values, of at least 3 tasks.
        method: Method of clustering, or the name of one with its default options.
        seed: Seed of the method and of resampling.
        resamples: Number of times tasks are grouped again for each k.
        largest: The largest k to try, 2 or more; None for one less than the number of tasks, and
            for 50 where they are more.

    Returns:
        All candidates and the best of them.

    Raises:
        RelevanceError: If a value is unknown, there are fewer than 3 tasks, or no k can be had.
    """
    if isinstance(method, str):
        method = make_method(method)
    count = len(features(matrix))
    if count < FEWEST_TASKS:
        raise RelevanceError(
            f'`k="auto"` tries 2 to T - 1 clusters of T tasks, so it takes at least {FEWEST_TASKS};'
            f" the matrix has {count}. Say how many clusters with `k=N`."
        )
    candidates: list[Candidate] = []
    left_out: dict[int, str] = {}
    last = min(count - 1, largest or LARGEST)
    noise_is_known = replication_model(matrix) is not None
    for k in counted(range(2, last + 1), "numbers of groups tried"):
        try:
            found = _candidate(matrix, method, k, seed)
            if noise_is_known:
                found = _told(found, matrix, method, seed, resamples)
        except RelevanceError as error:
            left_out[k] = str(error)
        else:
            candidates.append(found)
    if not candidates:
        raise RelevanceError(f'`k="auto"` found no groups. For k = 2: {left_out[2]}')
    best = max(candidates, key=lambda each: round(each.score, DECIMALS))
    if not noise_is_known:
        place = candidates.index(best)
        candidates[place] = best = _told(best, matrix, method, seed, resamples)
    untried = 0 if largest else count - 1 - last
    return ChoiceOfK(tuple(candidates), best, left_out, untried)


def _candidate(matrix: RelevanceMatrix, method: ClusteringMethod, k: int, seed: int) -> Candidate:
    spec = method.cluster(matrix, k, seed=seed)
    if spec.silhouette is None or not 1 < len(spec.clusters) < len(matrix.tasks):
        raise RelevanceError("One group, or one task in each, is what the method finds best.")
    return Candidate(k, spec, spec.silhouette, None)


def _told(
    candidate: Candidate,
    matrix: RelevanceMatrix,
    method: ClusteringMethod,
    seed: int,
    resamples: int,
) -> Candidate:
    """The candidate with what is known of its stability."""
    spec = candidate.spec
    found = stability(matrix, spec, method, candidate.k, seed=seed, resamples=resamples)
    return replace(
        candidate,
        spec=spec.model_copy(update={"stability": found}),
        stability=None if found is None else found.adjusted_rand,
    )

"""What a study of the same tasks with new seeds might measure, by a model of truth and noise."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from relevance.gains.formulas import own_baseline_gains
from relevance.gains.gain_choice import GainChoice
from relevance.gains.reliability import known_mean, split
from relevance.matrices.intervals import POSTERIOR
from relevance.matrices.matrix import MEAN_OF_SOURCES, RelevanceMatrix

Cells = Float[np.ndarray, "source target"]
PerSeed = Float[np.ndarray, "seed source target"]
Targets = Float[np.ndarray, " target"]


@dataclass(frozen=True, eq=False)
class ReplicationModel:
    """The truth as far as it is known, and the noise of one seed.

    A value is a target's level, what the source adds there, and noise of both kinds. What sources
    of one target add is taken for draws from a normal distribution, whose variance is that of the
    values less that of their noise (empirical Bayes by moments). So the truth of a cell is known
    as a normal distribution: its mean lies between the value and the target's level, the nearer to
    the value the less noise there is.

    Attributes:
        mean: Posterior mean of every cell; the diagonal is as it was measured.
        deviation: Posterior standard deviation, 0 on the diagonal.
        noise: Standard deviation of a cell with one seed, what its target's level shares aside.
        level_noise: The same of the level of each target.
        seeds: Number of seeds behind the values.
        per_seed: Values of each seed, see `seed_values`; None where the noise is known otherwise.
    """

    mean: Cells
    deviation: Cells
    noise: Cells
    level_noise: Targets
    seeds: int
    per_seed: PerSeed | None

    def truth(self, random: np.random.Generator) -> Cells:
        """One truth that the values allow."""
        return np.asarray(self.mean + random.normal(size=self.mean.shape) * self.deviation)

    def study(self, truth: Cells, seeds: int, random: np.random.Generator) -> Cells:
        """The values that a study of a truth measures.

        Args:
            truth: Values without noise.
            seeds: Number of the study's seeds.
            random: Source of the noise.

        Returns:
            Values with the noise of a mean over the seeds.
        """
        off_diagonal = ~np.eye(len(truth), dtype=bool)
        own = random.normal(size=truth.shape) * self.noise
        shared = random.normal(size=len(truth)) * self.level_noise
        return np.asarray(truth + (own + shared) / np.sqrt(seeds) * off_diagonal)


def replication_model(matrix: RelevanceMatrix) -> ReplicationModel | None:
    """Estimate the model from what a matrix holds of its noise.

    The noise is that of values between seeds, of each target as one number, as few seeds tell
    little of one cell; else that of standard errors over seeds; else, with one seed, that of
    repeated single runs, taken for that of joint runs too.

    Args:
        matrix: A matrix without unknown values.

    Returns:
        The model; None for a matrix that cannot tell noise from what two tasks do to each other,
        such as one of a single seed whose standard errors are those of the evaluation alone.

    Source:
        Morris (1983), Parametric empirical Bayes inference, equations 1.3 to 1.10, by moments.
    """
    values = seed_values(matrix)
    found = _noise(matrix, values)
    if found is None:
        return None
    noise, level_noise, seeds = found
    level, within = split(matrix.values)
    of_mean = noise**2 / seeds
    own = np.eye(len(noise), dtype=bool)
    measured = known_mean(np.where(own, np.nan, within) ** 2, axis=0)
    sources = max(len(noise) - 1, 2)
    measured = measured * sources / (sources - 1)
    pairs = np.maximum(measured - known_mean(np.where(own, np.nan, of_mean), axis=0), 0)
    total = np.where(pairs + of_mean > 0, pairs + of_mean, 1.0)
    kept = np.where(pairs + of_mean > 0, pairs / total, 1.0)
    return ReplicationModel(
        mean=np.where(own, matrix.values, level + kept * np.nan_to_num(within)),
        deviation=np.where(own, 0.0, np.sqrt(pairs * (1 - kept))),
        noise=np.where(own, 0.0, noise),
        level_noise=np.zeros(len(noise)) if _centred(matrix) else level_noise,
        seeds=seeds,
        per_seed=values,
    )


def seed_values(matrix: RelevanceMatrix) -> PerSeed | None:
    """Values of each seed that share no run with those of another, as far as the matrix tells.

    Args:
        matrix: Any matrix.

    Returns:
        The values, cells that a seed does not know at the mean of its target; None with fewer than
        two seeds.
    """
    per_seed = matrix.per_seed
    if per_seed is None or len(per_seed) < 2:
        return None
    metric = matrix.provenance.get("metric", "gain")
    single, joint = (scores or {} for scores in (matrix.single, matrix.joint))
    if metric in single and metric in joint and len(single[metric]) >= len(joint[metric]):
        choice = GainChoice(metric, matrix.provenance.get("normalise", "relative"))
        alone, together = (np.asarray(s[metric], dtype=np.float64) for s in (single, joint))
        own = own_baseline_gains(alone, together, choice)
        per_seed = own if np.isfinite(own).any() else per_seed
    level, within = split(per_seed)
    if _centred(matrix):
        level = np.broadcast_to(known_mean(level, axis=0), level.shape)
    if not np.isfinite(level).all():
        return None
    values = level[:, None, :] + np.nan_to_num(within)
    own_cells = np.eye(values.shape[-1], dtype=bool)
    return np.asarray(np.where(own_cells, np.nan_to_num(per_seed), values))


def _centred(matrix: RelevanceMatrix) -> bool:
    """Whether values are less the mean of their target, so that levels have no noise."""
    return matrix.provenance.get("zero") == MEAN_OF_SOURCES


def _noise(matrix: RelevanceMatrix, values: PerSeed | None) -> tuple[Cells, Targets, int] | None:
    """Noise of one seed: in each cell and in each target's level; and the number of seeds."""
    if values is not None:
        return *_between_seeds(values), len(values)
    errors, seeds = matrix.standard_errors, len(matrix.seeds)
    if matrix.provenance.get("noise") == POSTERIOR:
        return None  # a study of as many runs would give another expectation, not values and noise
    if errors is not None and seeds > 1 and np.isfinite(errors).all():
        return errors * np.sqrt(seeds), np.zeros(len(errors)), seeds
    alone = _of_single_runs(matrix)
    if alone is None:
        return None
    return np.broadcast_to(alone, matrix.values.shape), alone, 1


def _between_seeds(values: PerSeed) -> tuple[Cells, Targets]:
    level, within = split(values)
    seeds, sources = len(values), values.shape[-1] - 1
    rest = within - within.mean(axis=0)
    # Each seed loses a mean over the sources, and all of them a mean over the seeds.
    freedom = (seeds - 1) * max(sources - 1, 1)
    noise = np.nansum(rest**2, axis=(0, 1)) / freedom
    of_level = np.maximum(level.var(axis=0, ddof=1) - noise / sources, 0)
    return np.broadcast_to(np.sqrt(noise), values.shape[1:]), np.sqrt(of_level)


def _of_single_runs(matrix: RelevanceMatrix) -> Targets | None:
    """Noise of one run alone, as a gain; None where a task has a single one."""
    metric = matrix.provenance.get("metric", "gain")
    scores = (matrix.single or {}).get(metric)
    if scores is None or matrix.joint is None or len(scores) < 2:
        return None
    alone = np.asarray(scores, dtype=np.float64)
    choice = GainChoice(metric, matrix.provenance.get("normalise", "relative"))
    noise = alone.std(axis=0, ddof=1) / choice.divisor(alone.mean(axis=0))
    return np.asarray(noise) if np.isfinite(noise).all() else None

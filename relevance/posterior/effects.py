"""Target levels, source effects and pair effects, when their variances are given: closed forms."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Cells = Float[np.ndarray, "source target"]
Targets = Float[np.ndarray, " target"]
Points = Float[np.ndarray, "point parameter"]
PointShared = Float[np.ndarray, "point shared"]
PointTargets = Float[np.ndarray, "point target"]
PointCells = Float[np.ndarray, "point source target"]
PointEffects = Float[np.ndarray, "point effect"]

SHARED = ("level", "source", "pair", "noise")
"""Parameters of all targets; behind them come `scale` and `noise` of each target."""
BESIDE_PAIR = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 1], [0, 0, 0, 1]])
"""Sums of logarithms: those of source effects and noise count beside that of pair effects."""
WEIGHT_DEVIATION = 0.5
"""Prior standard deviation of a weight, in units in which cells of a target spread by about 1."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the runs say, in units in which cells of a target spread by about 1.

    Attributes:
        mean: Mean of each cell's runs, 0 where there is none.
        count: Number of each cell's runs.
        squares: Sum of squares of each target's runs around the means of their cells.
        freedom: Degrees of freedom of those.
        covariates: Cheap estimates of the cells, 0 on average within a target.
    """

    mean: Cells
    count: Cells
    squares: Targets
    freedom: Targets
    covariates: Float[np.ndarray, "source target covariate"]


@dataclass(frozen=True, eq=False)
class Effects:
    """Posterior of levels, source effects and weights at each of some points in parameter space.

    A point holds logarithms of standard deviations. A cell is
    `level[j] + scale[j] * (source[i] + weights @ covariates[i, j] + pair[i, j])`, and a run of it
    has noise of `scale[j] * noise[j]` besides.

    Attributes:
        log_likelihood: Of each point, with all effects integrated out.
        gradient: Its derivative by the parameters.
        effects: Posterior mean of each level, each source effect and each weight.
        covariance: Posterior covariance of those.
        linear: Posterior mean of each cell without its pair effect.
        spread: Variance of that.
        kept: Share of what a cell's runs show beyond `linear` that is taken for its pair effect; 0
            without runs.
        pair: Prior variance of pair effects, scale included.
        noise: Variance of a run.
        scale: Of each target.
    """

    log_likelihood: Float[np.ndarray, " point"]
    gradient: Points
    effects: PointEffects
    covariance: Float[np.ndarray, "point effect effect"]
    linear: PointCells
    spread: PointCells
    kept: PointCells
    pair: PointCells
    noise: PointTargets
    scale: PointTargets


def given(points: Points, data: Evidence) -> Effects:
    """The posterior of all effects at points in parameter space.

    Runs are normal around their cell, pair effects around 0, and so on, so that all is normal:
    pair effects are integrated out of each cell, the others follow from one system of equations.

    Args:
        points: Logarithms of the standard deviations: of levels; of source effects, beside that of
            pair effects; of pair effects; of noise, beside that of pair effects; then of each
            target's scale, and of each target's noise beside that of all.
        data: Runs.

    Returns:
        The posterior, with the likelihood of each point.

    Source:
        Searle, Casella and McCulloch (1992), Variance components, chapters 6 and 7 (restricted
        likelihood; mixed model equations); Henderson (1975).
    """
    sources, targets = data.mean.shape
    shared = np.exp(points[:, : len(SHARED)] @ BESIDE_PAIR)
    scale = np.exp(points[:, len(SHARED) : len(SHARED) + targets])
    noise = scale * shared[:, 3:] * np.exp(points[:, len(SHARED) + targets :])
    pair = (scale * shared[:, 2:3])[:, None, :] ** 2
    measured = data.count > 0
    of_mean = (noise**2)[:, None, :] / np.maximum(data.count, 1)
    weight = np.where(measured, 1 / (pair + of_mean), 0.0)
    matrix, right = _equations(weight, scale, data)
    _add_prior(matrix, shared, sources, targets)
    covariance = np.linalg.inv(matrix)
    effects = np.einsum("pef,pf->pe", covariance, right)
    of_cells = linear(effects, scale, data)
    spread, of_scaled = _spreads(covariance, scale, data)
    # Log-determinant of a positive definite matrix; `inv` was needed anyway.
    determinant = np.linalg.slogdet(matrix)[1]
    likelihood = 0.5 * (
        np.where(measured, np.log(np.where(measured, weight, 1.0)), 0.0).sum((1, 2))
        - determinant
        - 2 * (targets - 1) * np.log(shared[:, 0])
        - 2 * sources * np.log(shared[:, 1])
        - (weight * data.mean**2).sum((1, 2))
        + (effects * right).sum(1)
    )
    likelihood -= (data.freedom * np.log(noise) + 0.5 * data.squares / noise**2).sum(1)
    found = Effects(
        log_likelihood=likelihood,
        gradient=np.zeros_like(points),
        effects=effects,
        covariance=covariance,
        linear=of_cells,
        spread=spread,
        kept=pair * weight,
        pair=np.broadcast_to(pair, weight.shape),
        noise=noise**2,
        scale=scale,
    )
    found.gradient[:] = _gradient(found, shared, weight, of_scaled, data)
    return found


def _add_prior(
    matrix: Float[np.ndarray, "point effect effect"],
    shared: PointShared,
    sources: int,
    targets: int,
) -> None:
    """Add prior precisions of levels, whose mean may be anything, of source effects and weights."""
    around_mean = np.eye(targets) - 1 / targets
    matrix[:, :targets, :targets] += around_mean / shared[:, :1, None] ** 2
    source = np.arange(targets, targets + sources)
    matrix[:, source, source] += shared[:, 1:2] ** -2
    extra = np.arange(targets + sources, matrix.shape[-1])
    matrix[:, extra, extra] += WEIGHT_DEVIATION**-2


def _equations(
    weight: PointCells, scale: PointTargets, data: Evidence
) -> tuple[Float[np.ndarray, "point effect effect"], PointEffects]:
    """Left side, without prior precisions, and right side of the mixed model equations."""
    points, sources, targets = weight.shape
    scaled = weight * scale[:, None, :]
    twice = scaled * scale[:, None, :]
    x = data.covariates
    level, source = np.arange(targets), targets + np.arange(sources)
    levels, rows = slice(targets), slice(targets, targets + sources)
    extra = slice(targets + sources, None)
    size = targets + sources + x.shape[-1]
    left, right = np.zeros((points, size, size)), np.zeros((points, size))
    left[:, level, level] = weight.sum(1)
    left[:, levels, rows] = scaled.transpose(0, 2, 1)
    left[:, levels, extra] = np.einsum("pij,ijk->pjk", scaled, x)
    left[:, source, source] = twice.sum(2)
    left[:, rows, extra] = np.einsum("pij,ijk->pik", twice, x)
    left[:, extra, extra] = np.einsum("pij,ijk,ijl->pkl", twice, x, x)
    for first, second in ((levels, rows), (levels, extra), (rows, extra)):
        left[:, second, first] = left[:, first, second].transpose(0, 2, 1)
    right[:, levels] = (weight * data.mean).sum(1)
    right[:, rows] = (scaled * data.mean).sum(2)
    right[:, extra] = np.einsum("pij,ijk->pk", scaled * data.mean, x)
    return left, right


def linear(effects: PointEffects, scale: PointTargets, data: Evidence) -> PointCells:
    """Level, source effect and covariates of every cell.

    Args:
        effects: As in `Effects`.
        scale: Of each target.
        data: Runs and covariates.

    Returns:
        Every cell without its pair effect, at each point.
    """
    level = effects[:, None, : data.mean.shape[1]]
    return np.asarray(level + scale[:, None, :] * _scaled_part(effects, data))


def _scaled_part(effects: PointEffects, data: Evidence) -> PointCells:
    sources, targets = data.mean.shape
    source = effects[:, targets : targets + sources]
    weights = effects[:, targets + sources :]
    return np.asarray(source[:, :, None] + np.einsum("ijk,pk->pij", data.covariates, weights))


def _spreads(
    covariance: Float[np.ndarray, "point effect effect"], scale: PointTargets, data: Evidence
) -> tuple[PointCells, PointCells]:
    """Variance of every cell's linear part, and its covariance with the part that has a scale."""
    sources, targets = data.mean.shape
    x = data.covariates
    level, source = slice(targets), slice(targets, targets + sources)
    extra = slice(targets + sources, None)
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    own = diagonal[:, None, level]
    cross = covariance[:, source, level]
    twice = np.repeat(diagonal[:, source, None], targets, axis=2)
    if x.shape[-1]:
        with_level = covariance[:, level, extra]
        cross = cross + np.einsum("pjk,ijk->pij", with_level, x)
        twice = twice + 2 * np.einsum("pik,ijk->pij", covariance[:, source, extra], x)
        twice = twice + np.einsum("pkl,ijk,ijl->pij", covariance[:, extra, extra], x, x)
    cross, twice = cross * scale[:, None, :], twice * scale[:, None, :] ** 2
    return own + 2 * cross + twice, cross + twice


def _gradient(
    found: Effects, shared: PointShared, weight: PointCells, of_scaled: PointCells, data: Evidence
) -> Points:
    """Derivative of the log-likelihood by the logarithms of all standard deviations."""
    sources, targets = data.mean.shape
    rest = weight * (data.mean - found.linear)
    # By the variance of each cell's mean; and by what multiplies source effects and covariates.
    by_variance = 0.5 * (rest**2 - weight + weight**2 * found.spread)
    scaled = found.scale[:, None, :] * _scaled_part(found.effects, data)
    by_scale = (rest * scaled - weight * of_scaled).sum(1)
    of_pair = (2 * by_variance * found.pair).sum(1)
    of_mean = found.noise[:, None, :] / np.maximum(data.count, 1)
    of_noise = (2 * by_variance * of_mean).sum(1) - data.freedom + data.squares / found.noise
    levels, rows = slice(targets), slice(targets, targets + sources)
    diagonal = np.diagonal(found.covariance, axis1=1, axis2=2)
    around_mean = targets * found.effects[:, levels].var(1) + diagonal[:, levels].sum(1)
    around_mean -= found.covariance[:, levels, levels].sum((1, 2)) / targets
    level = around_mean / shared[:, 0] ** 2 - (targets - 1)
    second = (found.effects[:, rows] ** 2 + diagonal[:, rows]).sum(1)
    source = second / shared[:, 1] ** 2 - sources
    first = np.stack([level, source, of_pair.sum(1), of_noise.sum(1)], axis=1)
    first = first @ BESIDE_PAIR.T
    return np.concatenate([first, by_scale + of_pair + of_noise, of_noise], axis=1)


def design(scale: Targets, data: Evidence) -> Float[np.ndarray, "cell effect"]:
    """What multiplies the effects in each cell: `linear` is this times the effects.

    Args:
        scale: Of each target, at one point.
        data: Runs and covariates.

    Returns:
        A row per cell, source by source.
    """
    sources, targets = data.mean.shape
    columns = np.tile(scale, sources)
    level = np.tile(np.eye(targets), (sources, 1))
    source = np.repeat(np.eye(sources), targets, axis=0) * columns[:, None]
    extra = data.covariates.reshape(sources * targets, -1) * columns[:, None]
    return np.concatenate([level, source, extra], axis=1)

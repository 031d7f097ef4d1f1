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
CENTRE_PRECISION = 1e-4
"""Of the mean of all levels, in units in which cells of a target spread by about 1."""
WEIGHT_DEVIATION = 0.5
"""Prior standard deviation of a covariate's weight, in the same units."""


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
        effects: Posterior mean: the mean level, what each level has beyond it, source effects,
            weights.
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
    precision = _prior_precision(shared, sources, targets, data.covariates.shape[-1])
    matrix, right = _equations(weight, scale, data)
    ends = np.arange(matrix.shape[-1])
    matrix[:, ends, ends] += precision
    covariance = np.linalg.inv(matrix)
    effects = np.einsum("pef,pf->pe", covariance, right)
    of_cells = linear(effects, scale, data)
    spread, of_scaled = _spreads(covariance, scale, data)
    # Log-determinant of a positive definite matrix; `inv` was needed anyway.
    determinant = np.linalg.slogdet(matrix)[1]
    likelihood = 0.5 * (
        np.where(measured, np.log(np.where(measured, weight, 1.0)), 0.0).sum((1, 2))
        - determinant
        + np.log(precision).sum(1)
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


def _prior_precision(
    shared: PointShared, sources: int, targets: int, covariates: int
) -> PointEffects:
    """Prior precisions of the mean level, levels, source effects and weights."""
    ones = np.ones((len(shared), 1))
    return np.concatenate(
        [
            CENTRE_PRECISION * ones,
            np.repeat(shared[:, :1] ** -2, targets, axis=1),
            np.repeat(shared[:, 1:2] ** -2, sources, axis=1),
            np.repeat(WEIGHT_DEVIATION**-2 * ones, covariates, axis=1),
        ],
        axis=1,
    )


def _equations(
    weight: PointCells, scale: PointTargets, data: Evidence
) -> tuple[Float[np.ndarray, "point effect effect"], PointEffects]:
    """Left side, without prior precisions, and right side of the mixed model equations."""
    points, sources, targets = weight.shape
    scaled = weight * scale[:, None, :]
    twice = scaled * scale[:, None, :]
    x = data.covariates
    level, source = 1 + np.arange(targets), 1 + targets + np.arange(sources)
    extra = slice(1 + targets + sources, None)
    size = 1 + targets + sources + x.shape[-1]
    left, right = np.zeros((points, size, size)), np.zeros((points, size))
    left[:, 0, 0] = weight.sum((1, 2))
    left[:, 0, level] = left[:, level, level] = weight.sum(1)
    left[:, 0, source] = scaled.sum(2)
    left[:, 0, extra] = np.einsum("pij,ijk->pk", scaled, x)
    left[:, level[0] : source[0], source[0] : source[-1] + 1] = scaled.transpose(0, 2, 1)
    left[:, level[0] : source[0], extra] = np.einsum("pij,ijk->pjk", scaled, x)
    left[:, source, source] = twice.sum(2)
    left[:, source[0] : source[-1] + 1, extra] = np.einsum("pij,ijk->pik", twice, x)
    left[:, extra, extra] = np.einsum("pij,ijk,ijl->pkl", twice, x, x)
    upper = np.triu_indices(size, 1)
    left[:, upper[1], upper[0]] = left[:, upper[0], upper[1]]
    right[:, 0] = (weight * data.mean).sum((1, 2))
    right[:, level] = (weight * data.mean).sum(1)
    right[:, source] = (scaled * data.mean).sum(2)
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
    level = effects[:, :1] + effects[:, 1 : 1 + data.mean.shape[1]]
    return np.asarray(level[:, None, :] + scale[:, None, :] * _scaled_part(effects, data))


def _scaled_part(effects: PointEffects, data: Evidence) -> PointCells:
    sources, targets = data.mean.shape
    source = effects[:, 1 + targets : 1 + targets + sources]
    weights = effects[:, 1 + targets + sources :]
    return np.asarray(source[:, :, None] + np.einsum("ijk,pk->pij", data.covariates, weights))


def _spreads(
    covariance: Float[np.ndarray, "point effect effect"], scale: PointTargets, data: Evidence
) -> tuple[PointCells, PointCells]:
    """Variance of every cell's linear part, and its covariance with the part that has a scale."""
    sources, targets = data.mean.shape
    x, at = data.covariates, 1 + targets
    level = slice(1, at)
    source, extra = slice(at, at + sources), slice(at + sources, None)
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    own = (covariance[:, :1, 0] + 2 * covariance[:, 0, level] + diagonal[:, level])[:, None, :]
    cross = covariance[:, source, :1] + covariance[:, source, level]
    twice = np.repeat(diagonal[:, source, None], targets, axis=2)
    if x.shape[-1]:
        with_level = covariance[:, level, extra] + covariance[:, :1, extra]
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
    second = found.effects**2 + np.diagonal(found.covariance, axis1=1, axis2=2)
    level = second[:, 1 : 1 + targets].sum(1) / shared[:, 0] ** 2 - targets
    at = 1 + targets
    source = second[:, at : at + sources].sum(1) / shared[:, 1] ** 2 - sources
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
    return np.concatenate([np.ones((len(columns), 1)), level, source, extra], axis=1)

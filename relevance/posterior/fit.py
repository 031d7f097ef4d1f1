"""A model of every cell of a matrix, fitted to the runs there are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import Bounds, minimize
from scipy.special import polygamma, psi

from relevance.errors import RelevanceError
from relevance.gains.reliability import known_mean
from relevance.posterior.effects import (
    Cells,
    Effects,
    Evidence,
    Points,
    Targets,
    design,
    given,
    linear,
)

PerSeed = Float[np.ndarray, "seed source target"]
Covariates = Float[np.ndarray, "source target covariate"]

POINTS = 64
FEW_TARGETS = 32
GUESS = np.log([1.5, 0.7, 1.0, 0.6])
"""Prior medians: levels beside what their spread shows, pair effects beside that of cells within
targets, source effects and noise beside pair effects. A sample of few targets shows too little of
the spread of their levels, and source effects are rarely as large as those of pairs."""
LOOSE = np.array([1.0, 0.7, 1.0, 0.7])
"""Prior standard deviations of their logarithms, so that a factor of 2 or 3 is no surprise."""
UNLIKE = np.geomspace(0.05, 1.5, 24)
"""Standard deviations that targets' log scales may have between them."""
UNLIKE_PRIOR = 0.7
FARTHEST = 6.0
"""Prior standard deviations that no parameter can be farther from its median."""
REMEMBERED = 30
"""Steps of the search that its idea of the curvature is made of; with 10 it takes more of them."""
STEP = 1e-3
CUTS = 5


@dataclass(frozen=True, eq=False)
class Repeats:
    """Noise that is known from elsewhere, such as repeated single runs.

    Attributes:
        squares: Sum of squares of each target's runs around their mean, in the unit of the values.
        freedom: Degrees of freedom of those: runs less 1.
    """

    squares: Targets
    freedom: Targets


@dataclass(frozen=True, eq=False)
class Fit:
    """The model with its best parameters, and the cells as these alone would have them.

    Attributes:
        mean: Posterior mean of every cell, in the unit of the runs.
        deviation: Posterior standard deviation, parameters taken for certain.
        noise: Standard deviation of one run of each target.
        level: Posterior mean of each target's level.
        source: Posterior mean of each source's effect, as it is in a target of common scale.
        scale: How much more the sources of a target differ than those of a common one.
        weights: Of the covariates, each scaled to a spread of 1 within targets.
        noise_known: Whether anything tells the noise from pair effects: a cell with two runs, or
            repeated single runs. Else standard deviations are guesses that nobody should print.
        parameters: Where the search ended, to start another one that has a few runs more.
    """

    mean: Cells
    deviation: Cells
    noise: Targets
    level: Targets
    source: Float[np.ndarray, " source"]
    scale: Targets
    weights: Float[np.ndarray, " covariate"]
    noise_known: bool
    parameters: Float[np.ndarray, " parameter"]
    _prepared: "_Prepared"
    _best: Effects

    def covariance(self) -> Float[np.ndarray, "cell cell"]:
        """Posterior covariance of all cells, row by row, parameters taken for certain."""
        prepared, found = self._prepared, self._best
        columns = design(found.scale[0], prepared.data)
        loose = (1 - found.kept[0]).ravel()
        columns *= loose[:, None]
        of_pairs = found.pair[0].ravel() * loose
        whole = columns @ found.covariance[0] @ columns.T + np.diag(of_pairs)
        return np.asarray(whole * prepared.unit**2)

    def posterior(self, points: int | None = None, *, seed: int = 0) -> "Posterior":
        """The cells with the uncertainty of the parameters in them.

        Args:
            points: Number of points in parameter space; None for 64, and up to 640 of 16 targets or
                fewer, whose parameters are known less well. The standard deviation of the worst
                cell is then about 15 % off what 6,000 points give for 3 targets, 5 % for 13.
            seed: Seed of their choice.

        Returns:
            The mixture of what each point says.

        Source:
            Rubin (1988), importance resampling; Ionides (2008), truncated importance sampling.
        """
        prepared = self._prepared
        points = points or POINTS * max(1, FEW_TARGETS // len(self.level))
        found, weight = _around(prepared, self.parameters, points, np.random.default_rng(seed))
        means, variances = _cells(found, prepared)
        mean = np.einsum("p,pij->ij", weight, means)
        variance = np.einsum("p,pij->ij", weight, variances + (means - mean) ** 2)
        return Posterior(mean, np.sqrt(variance), self.noise_known, found, weight, prepared)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Every cell, with the uncertainty of the parameters in it.

    Attributes:
        mean: Posterior mean of every cell, in the unit of the runs.
        deviation: Posterior standard deviation of every cell.
        noise_known: As in `Fit`.
    """

    mean: Cells
    deviation: Cells
    noise_known: bool
    _found: Effects
    _weight: Float[np.ndarray, " point"]
    _prepared: "_Prepared"

    def predictive(self, seeds: int) -> Cells:
        """Standard deviation of the mean of new runs.

        Args:
            seeds: Number of new runs of each cell.

        Returns:
            Standard deviations around `mean`.
        """
        noise = self._weight @ self._found.noise * self._prepared.unit**2
        return np.asarray(np.sqrt(self.deviation**2 + noise / seeds))

    def draws(
        self, count: int, rng: np.random.Generator
    ) -> Float[np.ndarray, "draw source target"]:
        """Matrices that the runs allow.

        Args:
            count: Number of matrices.
            rng: Source of the draws.

        Returns:
            Values of every cell of each, without noise of runs.
        """
        found, prepared = self._found, self._prepared
        chosen = rng.choice(len(self._weight), size=count, p=self._weight)
        roots = np.linalg.cholesky(found.covariance)[chosen]
        effects = found.effects[chosen] + np.einsum(
            "pef,pf->pe", roots, rng.normal(size=(count, roots.shape[-1]))
        )
        of_cells, kept = linear(effects, found.scale[chosen], prepared.data), found.kept[chosen]
        pair = rng.normal(size=of_cells.shape) * np.sqrt(found.pair[chosen] * (1 - kept))
        values = of_cells + kept * (prepared.data.mean - of_cells) + pair
        return np.asarray(prepared.centre + prepared.unit * values)


@dataclass(frozen=True, eq=False)
class _Prepared:
    data: Evidence
    centre: float
    unit: float
    prior_mean: Float[np.ndarray, " parameter"]
    prior_deviation: Float[np.ndarray, " parameter"]


def fit(
    runs: PerSeed,
    *,
    covariates: Covariates | None = None,
    repeats: Repeats | None = None,
    start: Float[np.ndarray, " parameter"] | None = None,
) -> Fit:
    """Fit the model to runs.

    A run of source i and target j shows `level[j] + scale[j] * (source[i] + weights @
    covariates[i, j] + pair[i, j])` and noise. Levels, source effects, pair effects and noise are
    normal, the last with a standard deviation of each target's own; so are weights, and the
    logarithms of scales and of noise. Parameters are where their posterior is highest, all effects
    integrated out (empirical Bayes): that noise of targets with few runs leans on the others'.
    Noise is independent between cells: that both directions of a pair may come of one joint run,
    with one seed and one order of batches, is left out. In two studies of 15 pairs with two seeds
    their noise correlates at -.04, give or take .17; where that of simulated sets does at .9, 90 %
    intervals hold .88 to .92 of the true cells.

    Args:
        runs: Values by seed, NaN where there is no run; the diagonal is ignored. Cells may have
            different numbers of seeds, or none.
        covariates: Cheap estimates of the same cells in any unit, NaN where unknown. Only their
            differences within a target count.
        repeats: Further knowledge of the noise.
        start: Parameters of an earlier fit with the same tasks, for speed.

    Returns:
        The model; a few milliseconds for 25 tasks.

    Raises:
        RelevanceError: If fewer than two cells have a run.

    Source:
        Morris (1983), Parametric empirical Bayes inference; Smyth (2004), Linear models and
        empirical Bayes methods, section 6, for noise of targets that leans on that of others.
    """
    prepared = _prepare(runs, covariates, repeats)
    first = prepared.prior_mean if start is None else start

    def objective(
        point: Float[np.ndarray, " parameter"],
    ) -> tuple[float, Float[np.ndarray, " parameter"]]:
        value, slope = _log_posterior(point[None], prepared)
        return -float(value[0]), -slope[0]

    # A step of the search that leaps too far would overflow.
    room = FARTHEST * prepared.prior_deviation
    bounds = Bounds(prepared.prior_mean - room, prepared.prior_mean + room)
    found = minimize(
        objective,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-8, "maxcor": REMEMBERED},
    )
    best = given(found.x[None], prepared.data)
    means, variances = _cells(best, prepared)
    sources, targets = prepared.data.mean.shape
    effects, unit = best.effects[0], prepared.unit
    return Fit(
        mean=means[0],
        deviation=np.sqrt(variances[0]),
        noise=np.sqrt(best.noise[0]) * unit,
        level=prepared.centre + unit * effects[:targets],
        source=unit * effects[targets : targets + sources],
        scale=best.scale[0],
        weights=unit * effects[targets + sources :],
        noise_known=bool(prepared.data.freedom.sum() > 0),
        parameters=found.x,
        _prepared=prepared,
        _best=best,
    )


def _prepare(runs: PerSeed, covariates: Covariates | None, repeats: Repeats | None) -> _Prepared:
    """Evidence in units of its own, and the prior of the parameters."""
    sources, targets = runs.shape[1:]
    own = np.eye(sources, targets, dtype=bool) if sources == targets else np.zeros((1, 1), bool)
    cells = np.where(own, np.nan, runs)
    count = np.isfinite(cells).sum(0).astype(float)
    if (count > 0).sum() < 2:
        raise RelevanceError("A model of a matrix takes runs of two pairs at least.")
    mean = known_mean(cells, 0)
    squares = np.where(np.isfinite(cells), (cells - mean) ** 2, 0.0).sum((0, 1))
    freedom = np.maximum(count - 1, 0).sum(0)
    if repeats is not None:
        squares, freedom = squares + repeats.squares, freedom + repeats.freedom
    level = known_mean(mean, 0)
    within = mean - level
    several = (count > 0).sum(0)
    differ = np.maximum(several - 1.0, 0.0)
    spread = np.where(np.isfinite(within), within**2, 0.0).sum(0)
    unit = _unit(spread, differ, level)
    centre = float(known_mean(level, 0))
    x = np.zeros((sources, targets, 0)) if covariates is None else _scaled(covariates, own)
    data = Evidence(
        mean=np.nan_to_num((mean - centre) / unit),
        count=count,
        squares=squares / unit**2,
        freedom=freedom,
        covariates=x,
    )
    levels = np.log(max(float(np.nanstd(level / unit)), 0.1))
    of_scale = _unlike([(spread / unit**2, differ)])
    of_noise = _unlike([(squares / unit**2, freedom), (spread / unit**2, differ)])
    ones = np.ones(targets)
    return _Prepared(
        data=data,
        centre=centre,
        unit=unit,
        prior_mean=np.concatenate([[levels + GUESS[0]], GUESS[1:], np.zeros(2 * targets)]),
        prior_deviation=np.concatenate([LOOSE, of_scale * ones, of_noise * ones]),
    )


def _unit(spread: Targets, freedom: Targets, level: Targets) -> float:
    """Root mean square of what the cells of a target differ by; of targets, where none has two."""
    pooled = float(spread.sum() / max(freedom.sum(), 1))
    if pooled <= 0:
        pooled = float(np.nanvar(level))
    return float(np.sqrt(pooled)) or 1.0


def _scaled(covariates: Covariates, own: Bool[np.ndarray, "..."]) -> Covariates:
    """Covariates less their mean within each target, with a spread of 1; 0 where unknown."""
    cells = np.where(own[..., None], np.nan, covariates)
    within = cells - known_mean(cells, 0)
    spread = np.sqrt(known_mean(known_mean(within**2, 0), 0))
    return np.asarray(np.nan_to_num(within / np.where(spread > 0, spread, 1.0)))


def _unlike(parts: list[tuple[Targets, Targets]]) -> float:
    """Standard deviation between targets of the log of a standard deviation, or of two's ratio.

    The logarithm of a sum of squares over its degrees of freedom is nearly normal around the log of
    the variance, with a variance of its own that is known; the rest is what targets differ by.

    Args:
        parts: Sums of squares of each target and their degrees of freedom; two for a ratio.

    Returns:
        Posterior mean under a prior that expects little difference.
    """
    enough = np.all([(squares > 0) & (freedom > 0) for squares, freedom in parts], axis=0)
    logs, variance = np.zeros(int(enough.sum())), np.zeros(int(enough.sum()))
    for sign, (squares, freedom) in zip((1, -1), parts, strict=False):
        half = freedom[enough] / 2
        logs = logs + sign * (np.log(squares[enough] / (2 * half)) - psi(half) + np.log(half))
        variance = variance + polygamma(1, half)
    prior = -0.5 * (UNLIKE / UNLIKE_PRIOR) ** 2 + np.log(UNLIKE)
    if enough.sum() < 2:
        share = np.exp(prior)
    else:
        total = 4 * UNLIKE[:, None] ** 2 + variance
        middle = ((logs / total).sum(1) / (1 / total).sum(1))[:, None]
        logged = -0.5 * (np.log(total) + (logs - middle) ** 2 / total).sum(1)
        logged = logged - 0.5 * np.log((1 / total).sum(1)) + prior
        share = np.exp(logged - logged.max())
    return float((UNLIKE * share).sum() / share.sum())


def _log_posterior(
    points: Points, prepared: _Prepared
) -> tuple[Float[np.ndarray, " point"], Points]:
    found = given(points, prepared.data)
    off = (points - prepared.prior_mean) / prepared.prior_deviation
    value = found.log_likelihood - 0.5 * (off**2).sum(1)
    return value, np.asarray(found.gradient - off / prepared.prior_deviation)


def _around(
    prepared: _Prepared, best: Float[np.ndarray, " parameter"], count: int, rng: np.random.Generator
) -> tuple[Effects, Float[np.ndarray, " point"]]:
    """Points of the parameters' posterior, and how much each of them counts.

    They are drawn from the normal distribution around the mode and weighed by how much more or less
    likely they are than this says; no weight is beyond a share of 1 over the root of their number.
    """
    steps = STEP * np.eye(len(best))
    _, above = _log_posterior(best + steps, prepared)
    _, below = _log_posterior(best - steps, prepared)
    curvature = (below - above) / (2 * STEP)
    values, axes = np.linalg.eigh((curvature + curvature.T) / 2)
    # Where the likelihood is flat or bends the wrong way, the prior alone holds.
    values = np.maximum(values, 0.5 * prepared.prior_deviation.max() ** -2)
    half = rng.normal(size=((count + 1) // 2, len(best)))
    steps = np.concatenate([half, -half])[:count]
    points = best + (steps / np.sqrt(values)) @ axes.T
    found = given(points, prepared.data)
    off = (points - prepared.prior_mean) / prepared.prior_deviation
    logged = found.log_likelihood - 0.5 * (off**2).sum(1) + 0.5 * (steps**2).sum(1)
    weight = np.exp(logged - logged.max())
    for _ in range(CUTS):  # what is cut off is given to all, which may lift others above
        weight = np.minimum(weight / weight.sum(), len(points) ** -0.5)
    return found, weight / weight.sum()


def _cells(
    found: Effects, prepared: _Prepared
) -> tuple[Float[np.ndarray, "point source target"], Float[np.ndarray, "point source target"]]:
    """Posterior mean and variance of every cell at every point, in the unit of the runs."""
    mean = found.linear + found.kept * (prepared.data.mean - found.linear)
    loose = 1 - found.kept
    variance = loose**2 * found.spread + found.pair * loose
    return prepared.centre + prepared.unit * mean, prepared.unit**2 * variance

"""A matrix whose every cell has a value: measured and predicted ones, by the model of its runs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from relevance.errors import RelevanceError
from relevance.gains.gain_choice import GainChoice
from relevance.gains.reliability import known_mean
from relevance.matrices.failed_runs import RECORDED, failed_runs
from relevance.matrices.intervals import BEATEN, POSTERIOR, beats_no_majority, over_examples
from relevance.matrices.matrix import MEAN_OF_SOURCES, RelevanceMatrix
from relevance.names import some
from relevance.posterior.fit import Fit, PerSeed, Repeats, fit

FEWEST = 3
"""Least number of measured cells that an estimate's weight is learned from."""

Targets = Float[np.ndarray, " target"]


def fit_matrix(
    matrix: RelevanceMatrix,
    estimates: Sequence[RelevanceMatrix] = (),
    names: Sequence[str] | None = None,
) -> Fit:
    """Fit the model to what a matrix holds of its runs.

    The noise is that between seeds, together with that of repeated single runs, which is taken for
    that of joint runs too; where no cell has two seeds, standard errors over seeds come first.
    Errors of the two directions of a joint run are taken to be independent.

    Args:
        matrix: Any matrix; NaN where nothing was measured.
        estimates: Cheap estimates of the same cells.
        names: Names of the estimates in messages; None for those of their measures.

    Returns:
        The model, its weights in the order of the estimates.

    Raises:
        RelevanceError: If fewer than two cells are measured, or an estimate knows fewer than three
            of those.
    """
    if names is None:
        names = [each.measure for each in estimates]
    runs, repeats = _runs(matrix)
    measured = np.isfinite(known_mean(runs, 0)) & ~np.eye(len(matrix.tasks), dtype=bool)
    if measured.sum() < 2:
        raise RelevanceError(
            f"The matrix has {measured.sum()} measured cells off the diagonal, and predicting the"
            " others takes two at least. Measure some: `relevance pairwise --budget 30%`."
        )
    covariates = [
        _aligned(each, matrix, measured, name) for each, name in zip(estimates, names, strict=True)
    ]
    stacked = np.stack(covariates, axis=-1) if covariates else None
    return fit(runs, covariates=stacked, repeats=repeats)


def predict(
    matrix: RelevanceMatrix,
    estimates: Sequence[RelevanceMatrix] = (),
    names: Sequence[str] | None = None,
    *,
    points: int | None = None,
    seed: int = 0,
) -> RelevanceMatrix:
    """What every cell of a matrix is expected to be, measured or not, and how sure that is.

    Cells are modelled by their target's level, their source's effect, an effect of the pair and the
    target's noise, all of them estimated from the runs there are (`relevance.posterior.fit`). So a
    measured cell moves towards what its row and column say, the more the noisier it is; one that
    nobody measured is predicted from them, and from cheap estimates where there are some.

    Args:
        matrix: Any matrix; NaN where nothing was measured.
        estimates: Cheap estimates of the same cells, such as vocabulary overlap. How much they
            count is learned from the measured cells. Tasks and cells that they lack are left to the
            rest of the model.
        names: Names of the estimates; None for those of their measures.
        points: Number of points in parameter space that the uncertainty is made of; None for as
            many as it takes, see `Fit.posterior`.
        seed: Seed of those.

    Returns:
        The matrix of posterior means, the diagonal as it was. Standard errors are posterior
        standard deviations, with the uncertainty of the parameters in them; None where one seed
        does not tell noise from what two tasks do to each other. `predicted` tells which cells were
        not measured; measured cells that a failed run is behind keep their mark, in
        `provenance["collapsed"]`, and so do those in which no run beats the majority class, in
        `provenance["below_majority"]`. `provenance["model"]` has the noise of one run of each
        target and the estimates' weights. Scores and values of seeds stay in the file given.

    Raises:
        RelevanceError: If fewer than two cells are measured, an estimate knows fewer than three of
            those, or the matrix is itself one of predictions.

    Source:
        Morris (1983), Parametric empirical Bayes inference; Smyth (2004), Linear models and
        empirical Bayes methods; the closed forms are those of `relevance.posterior.effects`.
    """
    if matrix.predicted.any() or matrix.provenance.get("noise") == POSTERIOR:
        raise RelevanceError(
            "The matrix is itself one of predictions. Give the measured one that it was made of."
        )
    if names is None:
        names = [each.measure for each in estimates]
    fitted = fit_matrix(matrix, estimates, names)
    found = fitted.posterior(points, seed=seed)
    own = np.eye(len(matrix.tasks), dtype=bool)
    errors = None
    if fitted.noise_known:
        errors = np.where(own, 0.0, np.hypot(found.deviation, _of_baselines(matrix)))
    # Where the file has means alone, each of them stands for the runs of all seeds.
    noise = fitted.noise * np.sqrt(1 if matrix.per_seed is not None else max(len(matrix.seeds), 1))
    model: dict[str, Any] = {
        "measured": int(matrix.known.sum()),
        "noise": dict(zip(matrix.tasks, noise.tolist(), strict=True)),
        "weights": dict(zip(names, fitted.weights.tolist(), strict=True)),
    }
    if not fitted.noise_known:
        del model["noise"]
    rest = {key: value for key, value in matrix.provenance.items() if key != "noise"}
    return replace(
        matrix,
        values=np.where(own, matrix.values, found.mean),
        standard_errors=errors,
        per_seed=None,
        single=None,
        joint=None,
        majority=None,
        reliability=None,
        provenance={
            **rest,
            **({"noise": POSTERIOR} if fitted.noise_known else {}),
            "model": model,
            "predicted": _named(~matrix.known & ~own, matrix.tasks),
            RECORDED: _named(failed_runs(matrix) & matrix.known, matrix.tasks),
            BEATEN: _named(beats_no_majority(matrix) & matrix.known, matrix.tasks),
        },
    )


def summary(matrix: RelevanceMatrix) -> list[str]:
    """What was predicted, from what, and how sure it is, a line each.

    Args:
        matrix: What `predict` gave.

    Returns:
        Lines for people.
    """
    model, off = matrix.provenance["model"], len(matrix.off_diagonal())
    lines = [f"{model['measured']} of {off} cells are measured, the others predicted"]
    if model["weights"]:
        said = ", ".join(f"{name} {100 * by:+.2f}" for name, by in model["weights"].items())
        lines.append(f"what a standard deviation of an estimate adds ({matrix.shown_in}): {said}")
    if matrix.standard_errors is None:
        lines.append(
            "one seed does not tell noise from what two tasks do to each other, so how sure these"
            " values are is unknown: measure some cells with a second seed, or repeat single runs"
        )
    return lines


def _runs(matrix: RelevanceMatrix) -> tuple[PerSeed, Repeats | None]:
    """Values of each seed, and what else tells their noise."""
    runs = matrix.values[None] if matrix.per_seed is None else matrix.per_seed
    own = np.eye(len(matrix.tasks), dtype=bool)
    if (np.isfinite(runs).sum(0) > 1)[~own].any():
        return runs, _of_single_runs(matrix)
    errors, seeds = matrix.standard_errors, len(matrix.seeds)
    if errors is not None and seeds > 1 and not over_examples(matrix):
        known = np.isfinite(errors) & ~own
        squares = np.where(known, errors**2, 0.0).sum(0) * (seeds - 1)
        if known.any():  # with one seed a pair, as a small budget leaves it, no cell has an error
            return runs, Repeats(squares, known.sum(0) * float(seeds - 1))
    return runs, _of_single_runs(matrix)


def _of_single_runs(matrix: RelevanceMatrix) -> Repeats | None:
    """Noise of single runs as gains; None where no task has two of them."""
    found = _single(matrix)
    if found is None or len(found) < 2:
        return None
    known = np.isfinite(found)
    squares = np.where(known, (found - known_mean(found, 0)) ** 2, 0.0).sum(0)
    freedom = np.maximum(known.sum(0) - 1.0, 0.0)
    return Repeats(squares, freedom) if freedom.any() else None


def _single(matrix: RelevanceMatrix) -> Float[np.ndarray, "seed target"] | None:
    """Scores of single runs in the unit of gains."""
    metric = matrix.provenance.get("metric", "gain")
    scores = (matrix.single or {}).get(metric)
    if scores is None:
        return None
    alone = np.asarray(scores, dtype=np.float64)
    choice = GainChoice(metric, matrix.provenance.get("normalise", "relative"))
    return np.asarray(alone / choice.divisor(known_mean(alone, 0)))


def _of_baselines(matrix: RelevanceMatrix) -> Targets:
    """Noise of each target's baseline, which all its cells share; 0 where it is not known."""
    repeats = _of_single_runs(matrix)
    if repeats is None or matrix.provenance.get("zero") == MEAN_OF_SOURCES:
        return np.zeros(len(matrix.tasks))
    variance = repeats.squares / np.maximum(repeats.freedom, 1)
    return np.asarray(np.sqrt(variance / (repeats.freedom + 1)))


def _aligned(
    estimate: RelevanceMatrix,
    matrix: RelevanceMatrix,
    measured: Bool[np.ndarray, "source target"],
    name: str,
) -> Float[np.ndarray, "source target"]:
    """An estimate's values in the order of the matrix, NaN for what it lacks."""
    shared = [task for task in matrix.tasks if task in estimate.tasks]
    at = [matrix.tasks.index(task) for task in shared]
    there = [estimate.tasks.index(task) for task in shared]
    found = np.full(matrix.values.shape, np.nan)
    found[np.ix_(at, at)] = estimate.values[np.ix_(there, there)]
    if (known := int((np.isfinite(found) & measured).sum())) < FEWEST:
        raise RelevanceError(
            f"{name} knows {known} of the matrix's measured cells; to learn what an estimate is"
            f" worth takes {FEWEST}. Its tasks are {some(estimate.tasks)}."
        )
    return found


def _named(cells: Bool[np.ndarray, "source target"], tasks: tuple[str, ...]) -> dict[str, Any]:
    """The targets of chosen cells by their source."""
    return {
        source: [task for task, chosen in zip(tasks, row, strict=True) if chosen]
        for source, row in zip(tasks, cells, strict=True)
        if row.any()
    }

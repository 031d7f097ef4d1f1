"""Joint-training gains as a matrix, together with the scores behind them and how sure they are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError
from relevance.gains.baselines import undefined_notes
from relevance.gains.formulas import Cells, Joint, gains
from relevance.gains.gain_choice import METRICS, PAPERS_CHOICE, GainChoice
from relevance.gains.reliability import known_mean, reliabilities
from relevance.gains.study_scores import StudyScores
from relevance.gains.unequal_seeds import errors_of_some
from relevance.matrices.matrix import RelevanceMatrix

MEASURE = "joint-training"
MOST_PAIRS = 3
NOTHING_KNOWN: Mapping[str, Any] = MappingProxyType({})


def gains_matrix(
    scores: StudyScores,
    choice: GainChoice = PAPERS_CHOICE,
    *,
    cost: Mapping[str, float] = NOTHING_KNOWN,
    provenance: Mapping[str, Any] = NOTHING_KNOWN,
    evaluation_noise: Cells | None = None,
) -> RelevanceMatrix:
    """Compute the matrix of gains, which keeps every score behind it.

    Args:
        scores: Scores of every run, for each of `METRICS`.
        choice: Metric and normalisation of the gains.
        cost: Cost of the runs, such as {"seconds": 812.0}.
        provenance: Origin of the scores; the choices made here are added. `baseline_noise`, if it
            is there, holds standard errors over examples of single runs, {metric: {task: error}}.
        evaluation_noise: Standard errors over examples (`relevance.gains.bootstrap`), which stand
            in for those over seeds where there is a single seed, unless no cell has one.

    Returns:
        A matrix whose values are means over the seeds, NaN where any of them is missing; with
        `provenance["unequal_seeds"]`, over those that a cell has. What its standard errors hold
        stands in `provenance["noise"]`: `seeds`, `examples`, or None.
    """
    tasks = scores.tasks
    baseline = np.asarray(scores.single[choice.metric], dtype=np.float64)
    together = np.asarray(scores.joint[choice.metric], dtype=np.float64)
    errors = baseline_errors(provenance, choice.metric, tasks)
    per_seed, standard_errors = gains(baseline, together, choice, errors)
    values = per_seed.mean(axis=0)
    if provenance.get("unequal_seeds"):
        values = np.where(np.eye(len(tasks), dtype=bool), 0.0, known_mean(per_seed, 0))
        if standard_errors is not None:
            standard_errors = errors_of_some(baseline, together, choice)
    # Errors over seeds hold all noise, so those over examples only step in where there is one seed.
    noise = None if standard_errors is None else "seeds"
    notes: list[str] = []
    if noise is None and evaluation_noise is not None and _any_known(evaluation_noise):
        noise = "examples"
        standard_errors = np.where(np.isnan(values), np.nan, evaluation_noise)
        notes = _noise_notes(values, evaluation_noise)
    return RelevanceMatrix(
        values,
        tuple(tasks),
        MEASURE,
        unit="points" if choice.normalise == "absolute" else "ratio",
        standard_errors=standard_errors,
        seeds=tuple(scores.seeds),
        per_seed=per_seed,
        single=dict(scores.single),
        joint=dict(scores.joint),
        majority=None if scores.majority is None else dict(scores.majority),
        cost=dict(cost),
        provenance={
            **provenance,
            "metric": choice.metric,
            "normalise": choice.normalise,
            "noise": noise,
            "warnings": [
                *_unmeasured(per_seed, provenance),
                *_mixtures(provenance),
                *undefined_notes(tasks, baseline, choice, errors),
                *notes,
                *_shared(tasks, provenance),
                *(line for name, line in provenance.get("unlearned", {}).items() if name in tasks),
            ],
        },
        reliability=reliabilities(scores.single, scores.joint, choice.normalise),
    )


def baseline_errors(
    provenance: Mapping[str, Any], metric: str, tasks: Sequence[str]
) -> Float[np.ndarray, " target"]:
    """Standard errors over examples that a matrix keeps of single runs, by task; NaN if unknown."""
    known = provenance.get("baseline_noise", {}).get(metric, {})
    return np.array([known.get(name, np.nan) for name in tasks])


def renormalised(matrix: RelevanceMatrix, choice: GainChoice = PAPERS_CHOICE) -> RelevanceMatrix:
    """Compute the gains of a study by another metric or normalisation; nothing is trained anew.

    Args:
        matrix: Joint-training gains with the scores behind them.
        choice: Metric and normalisation of the gains.

    Returns:
        A matrix with other values, of the same scores; with a single seed it has standard errors
        only where the choice is the one they were made for.

    Raises:
        RelevanceError: If the matrix holds no scores by the metric.
    """
    if matrix.single is None or matrix.joint is None:
        raise RelevanceError(
            f"This {matrix.measure} matrix holds no scores of single and joint training, which"
            " `metric` and `normalise` go by. The JSON that `relevance pairwise` writes does."
        )
    if choice.metric not in matrix.single or choice.metric not in matrix.joint:
        kept = [name for name in METRICS if name in matrix.single and name in matrix.joint]
        raise RelevanceError(
            f"The matrix keeps no scores by '{choice.metric}', only by"
            f" {', '.join(kept) or 'others'}. Measure it again with `relevance pairwise`."
        )
    # Errors over examples were computed for one choice, and the rows are not in the file.
    own = matrix.provenance.get("metric"), matrix.provenance.get("normalise")
    same = own == (choice.metric, choice.normalise)
    renewed = gains_matrix(
        StudyScores(matrix.tasks, matrix.seeds, matrix.single, matrix.joint, matrix.majority),
        choice,
        cost=matrix.cost,
        provenance=matrix.provenance,
        evaluation_noise=matrix.standard_errors if same else None,
    )
    return replace(renewed, measure=matrix.measure)


def _unmeasured(per_seed: Joint, provenance: Mapping[str, Any]) -> list[str]:
    """Notes on cells without runs, and with fewer seeds than others, where that was meant."""
    if not provenance.get("unequal_seeds"):
        return []
    count = np.isfinite(per_seed).sum(axis=0)[~np.eye(per_seed.shape[-1], dtype=bool)]
    most, notes = count.max(initial=0), []
    if without := int((count == 0).sum()):
        notes.append(f"{without} of {count.size} gains were not measured.")
    if fewer := int(((count > 0) & (count < most)).sum()):
        notes.append(f"{fewer} of {count.size} gains have fewer than the {most} seeds of others.")
    return notes


def _mixtures(provenance: Mapping[str, Any]) -> list[str]:
    """A warning for each thing that should be one and the same for all runs, and is not."""
    return [
        f"The runs mix {kind}: {', '.join(values)}. Differences of {kind} may pass for gains."
        for kind in ("devices", "trainers")
        if len(values := provenance.get(kind, ())) > 1
    ]


def _shared(tasks: Sequence[str], provenance: Mapping[str, Any]) -> list[str]:
    """A warning where sources train on texts that targets are scored on, those with most first."""
    if provenance.get("drop_overlap"):
        return []
    counts = {
        f"{source} trains on {number} of the texts that {target} is scored on": number
        for source, targets in provenance.get("shared_texts", {}).items()
        for target, number in targets.items()
        if number and source != target and {source, target} <= set(tasks)
    }
    if not counts:
        return []
    said = sorted(counts, key=lambda pair: -counts[pair])
    left = len(said) - MOST_PAIRS
    more = [f"{left} more pair(s) share some"] if left > 0 else []
    pairs = "; ".join([*said[:MOST_PAIRS], *more])
    remedy = "`drop_overlap=True` leaves these training rows out"
    return [f"{pairs}. Such gains may be memory: {remedy}."]


def _any_known(errors: Cells) -> bool:
    return bool(np.isfinite(errors[~np.eye(len(errors), dtype=bool)]).any())


def _noise_notes(values: Cells, errors: Cells) -> list[str]:
    """Notes on what standard errors over examples do not hold, and on cells that have none."""
    held = (
        "The standard errors come from one seed, by a bootstrap over held-out examples: they hold"
        " evaluation noise only, not that of training, which takes several seeds to tell."
    )
    unknown = int((np.isfinite(values) & np.isnan(errors)).sum())
    if not unknown:
        return [held]
    return [
        held,
        f"{unknown} gains have no standard error: a run behind them kept nothing for each row.",
    ]

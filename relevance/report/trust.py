"""Remarks on how far a matrix of gains can be trusted."""

from typing import Any

from relevance.gains.reliability import reliabilities, seeds_needed
from relevance.matrices.matrix import RelevanceMatrix

# Below this more than half of the variance within targets is noise.
ENOUGH = 0.5
GOOD = 0.7
MEANINGS = {
    "column_effect": ("column effect", "how much a target gains at all"),
    "within_target": ("within target", "which source helps it more"),
}
ONE_SEED = (
    "One seed tells nothing about how reliable gains are, so groups made from them should not be"
    " trusted. Add seeds, such as `seeds=(0, 1, 2)`; runs that are done are kept."
)
UNKNOWN = (
    "How reliable these gains are within targets is not known, as too few of them differ: groups"
    " made from them should not be trusted."
)


def reliability_lines(matrix: RelevanceMatrix) -> list[str]:
    """Remarks on the reliability of the two parts of the gains, one line each.

    Args:
        matrix: Any matrix.

    Returns:
        Lines for the metric that its gains are made of; none for a matrix that is not made of
        scores of several seeds.
    """
    found = _parts(matrix) or {}
    return [_line(matrix, found[part], part) for part in MEANINGS if part in found]


def distrust(matrix: RelevanceMatrix) -> str | None:
    """A warning against groups of unreliable gains, with the number of seeds that would do.

    Args:
        matrix: Any matrix.

    Returns:
        One line; None where the gains within targets are reliable to `ENOUGH`, or the matrix does
        not hold the scores that would say so.
    """
    if matrix.joint is not None and len(matrix.seeds) == 1:
        return ONE_SEED
    found = _parts(matrix)
    if found is None:
        return None
    single, mean = (found["within_target"][key] for key in ("between_seeds", "of_mean"))
    if single is None or mean is None:
        return UNKNOWN
    if mean >= ENOUGH:
        return None
    verdict = (
        f"The reliability within targets is {mean:.2f}, below {ENOUGH}:"
        " groups made from these gains should not be trusted."
    )
    enough, good = seeds_needed(single, ENOUGH), seeds_needed(single, GOOD)
    if enough is None or good is None:
        return f"{verdict} These seeds do not agree at all, so how many would do is not to be told."
    more, many = enough - len(matrix.seeds), good - len(matrix.seeds)
    return f"{verdict} Seeds needed by Spearman-Brown: {more} more for {ENOUGH}, {many} for {GOOD}."


def _parts(matrix: RelevanceMatrix) -> dict[str, Any] | None:
    """Reliability by part for the metric of the gains, computed where an older file lacks it."""
    normalise = matrix.provenance.get("normalise", "relative")
    found = matrix.reliability or reliabilities(matrix.single, matrix.joint, normalise)
    return (found or {}).get(matrix.provenance.get("metric", "gain"))


def _line(matrix: RelevanceMatrix, found: dict[str, float | None], part: str) -> str:
    name, meaning = MEANINGS[part]
    single, mean = found["between_seeds"], found["of_mean"]
    if single is None or mean is None:
        return f"{name} ({meaning}): reliability unknown, too few gains known that differ"
    return (
        f"{name} ({meaning}): reliability {mean:.2f} of the mean of {len(matrix.seeds)} seeds;"
        f" two seeds correlate at {single:.2f}"
    )

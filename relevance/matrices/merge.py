"""One matrix from several: gains measured on several machines, divided by task or by seed."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, product, zip_longest
from math import isclose
from typing import Any

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError
from relevance.gains.constant_answers import CONSTANT
from relevance.gains.gain_choice import METRICS, GainChoice
from relevance.gains.study_scores import StudyScores
from relevance.matrices.gains_matrix import gains_matrix
from relevance.matrices.matrix import RelevanceMatrix

KEPT = (*METRICS, CONSTANT)
"""Scores that are merged, as far as all matrices have them."""

Cells = dict[tuple[Hashable, ...], float]
"""Known values by their labels: seed, source and target, or some of these."""


def merge_matrices(
    matrices: Sequence[RelevanceMatrix], names: Sequence[str] | None = None
) -> RelevanceMatrix:
    """Lay matrices over each other, so that one fills in what another lacks.

    Tasks and seeds of the result are those of all matrices. Where all of them keep scores of single
    and joint training, gains are computed anew from the scores of all; a single run that several
    machines did counts with its mean, as machines need not agree to the last digit. Without
    scores the values themselves are merged, and averaged over seeds.

    Args:
        matrices: One matrix or more.
        names: Names for the matrices in messages, such as their files; all different.

    Returns:
        A matrix with the tasks in order of appearance. Cells that none of them has, or not for
        every seed, are NaN. Costs are added up.

    Raises:
        RelevanceError: If they differ in measure, unit or metric, in the data of a task, or in a
            cell that both have; or if some, but not all, come from CSV.
    """
    if names is None:
        names = [f"matrix {number}" for number, _ in enumerate(matrices, start=1)]
    named = dict(zip(names, matrices, strict=True))
    _check_alike(named)
    scored = all(matrix.single and matrix.joint for matrix in matrices)
    merged = _from_scores(named) if scored else _from_values(named)
    costs = _union(matrix.cost for matrix in matrices)
    return replace(
        merged,
        cost={cost: sum(matrix.cost.get(cost, 0.0) for matrix in matrices) for cost in costs},
        provenance={**merged.provenance, "merged": list(names)},
    )


def _from_scores(matrices: Mapping[str, RelevanceMatrix]) -> RelevanceMatrix:
    several = matrices.values()
    tasks = _union(matrix.tasks for matrix in several)
    seeds = _union(matrix.seeds for matrix in several)
    turns = zip_longest(*map(_single_seeds, several))  # as one study of all seeds has them
    alone = _union([seeds, *([seed for seed in turn if seed is not None] for turn in turns)])
    provenance = _in_common([matrix.provenance for matrix in several])
    if noise := _baseline_noise(several):
        provenance["baseline_noise"] = noise
    metrics = [name for name in KEPT if all(_has(matrix, name) for matrix in several)]

    def single(metric: str) -> Float[np.ndarray, "single_seed task"]:
        cells = [
            _cells((matrix.single or {})[metric], _single_seeds(matrix), matrix.tasks)
            for matrix in several
        ]
        return _means(cells, alone, tasks)

    def joint(metric: str) -> Float[np.ndarray, "seed source target"]:
        cells = {
            name: _cells((matrix.joint or {})[metric], matrix.seeds, matrix.tasks, matrix.tasks)
            for name, matrix in matrices.items()
        }
        return _table(_laid_over(cells), seeds, tasks, tasks)

    def majority(metric: str) -> Float[np.ndarray, " task"]:
        cells = {
            name: _cells(matrix.majority[metric], matrix.tasks)
            for name, matrix in matrices.items()
            if matrix.majority and metric in matrix.majority
        }
        return _table(_laid_over(cells), tasks)

    return gains_matrix(
        StudyScores(
            tasks,
            seeds,
            {metric: single(metric) for metric in metrics},
            {metric: joint(metric) for metric in metrics},
            {metric: majority(metric) for metric in metrics if metric in METRICS}
            if any(matrix.majority for matrix in several)
            else None,
        ),
        GainChoice(provenance.get("metric", "gain"), provenance.get("normalise", "relative")),
        provenance={**provenance, "single_seeds": alone},
        evaluation_noise=_evaluation_noise(several, tasks),
    )


def _has(matrix: RelevanceMatrix, metric: str) -> bool:
    return metric in (matrix.single or {}) and metric in (matrix.joint or {})


def _baseline_noise(matrices: Iterable[RelevanceMatrix]) -> dict[str, dict[str, float]]:
    """The largest error over examples that any of them has for a task's baseline, by metric."""
    largest: dict[str, dict[str, float]] = {}
    for matrix in matrices:
        for metric, errors in matrix.provenance.get("baseline_noise", {}).items():
            known = largest.setdefault(metric, {})
            for task, error in errors.items():
                known[task] = max(error, known.get(task, 0.0))
    return largest


def _evaluation_noise(
    matrices: Iterable[RelevanceMatrix], tasks: Sequence[str]
) -> Float[np.ndarray, "source target"] | None:
    """Standard errors over examples as far as they are known; the mean of two of one cell."""
    found = [
        _cells(matrix.standard_errors, matrix.tasks, matrix.tasks)
        for matrix in matrices
        if matrix.standard_errors is not None
    ]
    return _means(found, tasks, tasks) if any(found) else None


def _from_values(matrices: Mapping[str, RelevanceMatrix]) -> RelevanceMatrix:
    several = list(matrices.values())
    tasks = _union(matrix.tasks for matrix in several)
    layers = _union(_layers(matrix) for matrix in several)
    seeds = [seed for layer in layers for seed in layer]
    if len(set(seeds)) < len(seeds):
        raise RelevanceError(
            f"{' and '.join(matrices)} have seeds in common, and their values are means over"
            " different seeds. Merge files that keep `per_seed`."
        )
    values = {
        name: _cells(list(_layers(matrix).values()), _layers(matrix), matrix.tasks, matrix.tasks)
        for name, matrix in matrices.items()
    }
    table = _table(_laid_over(values), layers, tasks, tasks)
    by_seed = all(len(layer) == 1 for layer in layers)
    return RelevanceMatrix(
        np.average(table, axis=0, weights=[max(1, len(layer)) for layer in layers]),
        tuple(tasks),
        several[0].measure,
        unit=several[0].unit,
        standard_errors=table.std(axis=0, ddof=1) / np.sqrt(len(layers))
        if by_seed and len(layers) > 1
        else _errors(matrices, tasks)
        if len(layers) == 1
        else None,
        seeds=tuple(seeds),
        per_seed=table if by_seed else None,
        provenance=_in_common([matrix.provenance for matrix in several]),
    )


def _errors(
    matrices: Mapping[str, RelevanceMatrix], tasks: Sequence[str]
) -> Float[np.ndarray, "source target"] | None:
    """Standard errors of parts that have the same seeds, as far as they are known."""
    errors = {
        name: _cells(matrix.standard_errors, matrix.tasks, matrix.tasks)
        for name, matrix in matrices.items()
        if matrix.standard_errors is not None
    }
    return _table(_laid_over(errors), tasks, tasks) if errors else None


def is_bare(matrix: RelevanceMatrix) -> bool:
    """Whether a matrix comes from CSV, which names no measure; it is called after its file."""
    return matrix.provenance.keys() == {"file"} and not matrix.seeds


def _layers(matrix: RelevanceMatrix) -> dict[tuple[int, ...], Any]:
    """The values by the seeds whose mean they are."""
    if matrix.per_seed is None:
        return {matrix.seeds: matrix.values}
    return {(seed,): layer for seed, layer in zip(matrix.seeds, matrix.per_seed, strict=True)}


def _single_seeds(matrix: RelevanceMatrix) -> Sequence[int]:
    return list(matrix.provenance.get("single_seeds", matrix.seeds))


def _cells(table: Any, *axes: Iterable[Hashable]) -> Cells:
    values = np.asarray(table, dtype=np.float64).ravel().tolist()
    labelled = zip(product(*axes), values, strict=True)
    return {labels: value for labels, value in labelled if not np.isnan(value)}


def _table(cells: Cells, *axes: Sequence[Hashable]) -> Float[np.ndarray, "..."]:
    values = [cells.get(labels, np.nan) for labels in product(*axes)]
    return np.array(values).reshape([len(axis) for axis in axes])


def _means(parts: Iterable[Cells], *axes: Sequence[Hashable]) -> Float[np.ndarray, "..."]:
    """The mean of each cell over the parts that have it."""
    found: dict[tuple[Hashable, ...], list[float]] = {}
    for labels, value in chain.from_iterable(part.items() for part in parts):
        found.setdefault(labels, []).append(value)
    return _table({labels: sum(several) / len(several) for labels, several in found.items()}, *axes)


def _laid_over(parts: Mapping[str, Cells]) -> Cells:
    """The cells of all parts, which must agree where they meet."""
    whole: dict[tuple[Hashable, ...], tuple[str, float]] = {}
    for name, cells in parts.items():
        for labels, value in cells.items():
            other, known = whole.setdefault(labels, (name, value))
            # A cell read from two files is equal but for the last digits of an average.
            if not isclose(known, value, rel_tol=1e-9, abs_tol=1e-12):
                cell = " -> ".join(map(str, labels[-2:]))
                raise RelevanceError(
                    f"{other} and {name} differ in {cell}: {known:.6g} and {value:.6g}."
                    " Measure it anew, or merge files of different seeds."
                )
    return {labels: value for labels, (_, value) in whole.items()}


def _check_alike(matrices: Mapping[str, RelevanceMatrix]) -> None:
    (first, one), *others = matrices.items()
    unnamed = [name for name, matrix in matrices.items() if is_bare(matrix)]
    if unnamed and len(unnamed) < len(matrices):
        raise RelevanceError(
            f"{unnamed[0]} is CSV, which has values alone: neither seeds nor scores that could be"
            " merged with the others'. Merge the JSON files that the matrices were saved to."
        )
    for name, other in () if unnamed else others:
        for what, mine, its in (
            ("measure", one.measure, other.measure),
            ("unit", one.unit, other.unit),
            ("metric", one.provenance.get("metric"), other.provenance.get("metric")),
            ("normalise", one.provenance.get("normalise"), other.provenance.get("normalise")),
        ):
            if mine != its:
                raise RelevanceError(f"{first} has {what} '{mine}' and {name} '{its}'.")
    seen: dict[str, tuple[str, str]] = {}
    for name, matrix in matrices.items():
        for task, data in matrix.provenance.get("data", {}).items():
            where, known = seen.setdefault(task, (name, data))
            if known != data:
                raise RelevanceError(
                    f"{where} and {name} were measured on different data of task '{task}'."
                )


def _in_common(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Entries that provenances agree in, mappings and lists united; failures are left out."""
    united: dict[str, Any] = {}
    # Warnings are made anew from the merged scores; a run that failed here may be done there.
    for key in [key for key in _union(values) if key not in {"failed", "warnings"}]:
        found = [value[key] for value in values if key in value]
        if all(isinstance(value, dict) for value in found):
            united[key] = _in_common(found)
        elif all(isinstance(value, list) for value in found):
            united[key] = _union(found)
        elif all(value == found[0] for value in found):
            united[key] = found[0]
    return united


def _union(several: Iterable[Iterable[Any]]) -> list[Any]:
    """Everything in any of them, once, in order of appearance."""
    return list(dict.fromkeys(element for one in several for element in one))

"""The base of cheap estimators: they ask a probe, once for every seed, and state their cost."""

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from relevance.errors import RelevanceError
from relevance.interfaces.probe import Probe
from relevance.interfaces.trainer import unlearned_rows
from relevance.matrices.matrix import RelevanceMatrix
from relevance.measures.measure import Inputs, Measure
from relevance.tasks.kinds.kind import check_per_row
from relevance.tasks.task import Task

Cells = Float[np.ndarray, "source target"]
"""Values of all pairs of tasks."""


class Estimator(Measure):
    """A measure that needs an encoder, and far less of it than joint training does.

    Args:
        make_probe: Function that makes the probe, which answers for the encoder.
        seeds: Seeds of training, rows and batches; values are means over them.

    Attributes:
        name: Name of the estimator on the command line.
        settings: Settings that decide how much is computed, by name.
        unit: Unit of the values, as a matrix names it.
        per_row: Whether the estimator needs one label or value for each row.
    """

    name: ClassVar[str]
    settings: ClassVar[Mapping[str, float]]
    unit: ClassVar[str] = "ratio"
    per_row: ClassVar[bool] = False

    def __init__(self, make_probe: Callable[[], Probe], seeds: Sequence[int] = (0,)) -> None:
        self.make_probe = make_probe
        self.seeds = tuple(seeds)

    @classmethod
    def build(cls, inputs: Inputs) -> "Estimator":
        """Take the seeds and the probe; without a probe the measure is refused."""
        if inputs.probe is None:
            raise RelevanceError(
                f"Measure '{cls.name}' needs an encoder. `relevance estimate` brings one; from"
                " Python, hand one in as measure(..., probe=...)."
            )
        return cls(inputs.probe, inputs.seeds)

    @abstractmethod
    def estimate(self, probe: Probe, tasks: Sequence[Task], seed: int) -> Cells:
        """Estimate the values of one seed.

        Args:
            probe: The probe, which answers for the encoder.
            tasks: At least one task, names all different.
            seed: Seed of everything random.

        Returns:
            Values in the order of the tasks.
        """

    def measure(self, tasks: Sequence[Task]) -> RelevanceMatrix:
        """Fill the matrix: the mean over the seeds.

        Args:
            tasks: At least one task, names all different.

        Returns:
            The matrix; with several seeds, standard errors and the values of each as well. Its cost
            in `seconds` is that of workers as a joint-training study counts them, trainings and
            the reading of data included.

        Raises:
            RelevanceError: If data or encoder cannot be loaded, a value is undefined, or a task has
                not the labels that the measure needs.
        """
        if self.per_row:
            hint = "Leave it out, or take embedding, gradient-cosine or lookahead, which read any."
            check_per_row(tasks, f"Measure '{self.name}'", hint)
        start_s = time.perf_counter()
        probe = self.make_probe()
        names = tuple(task.name for task in tasks)
        unlearned = unlearned_rows(probe, names)
        per_seed = np.stack([self.estimate(probe, tasks, seed) for seed in self.seeds])
        several = len(self.seeds) > 1
        errors = per_seed.std(axis=0, ddof=1) / np.sqrt(len(self.seeds)) if several else None
        wall_s = time.perf_counter() - start_s
        return RelevanceMatrix(
            values=per_seed.mean(axis=0),
            tasks=names,
            measure=self.name,
            unit=self.unit,
            standard_errors=errors,
            seeds=self.seeds,
            per_seed=per_seed if several else None,
            cost={"seconds": wall_s * probe.workers, "wall_seconds": wall_s},
            provenance={
                "version": self.version,
                "settings": dict(self.settings),
                **probe.provenance,
                **({"warnings": list(unlearned.values())} if unlearned else {}),
            },
        )


def cosines(products: Float[np.ndarray, "task task"]) -> Float[np.ndarray, "task task"]:
    """Cosines of the angles between vectors.

    Args:
        products: Inner products of the vectors.

    Returns:
        Values in [-1, 1], exact ones on the diagonal, symmetric; NaN for a vector of zeros.

    >>> cosines(np.array([[4.0, 3.0], [3.0, 9.0]])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    lengths = np.sqrt(np.diag(products))
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.clip(products / np.outer(lengths, lengths), -1.0, 1.0)
    np.fill_diagonal(values, np.where(lengths > 0, 1.0, np.nan))
    return np.asarray(values)

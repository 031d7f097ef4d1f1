"""What is known of the cells of a matrix, and what further runs would make of it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from relevance.posterior.fit import Fit


@dataclass(frozen=True, eq=False)
class Candidates:
    """Runs that may be made.

    Attributes:
        cells: The cells that each run fills, one or two of them, as numbers source by source.
        left: How often each run may still be made, once per seed.
        made: How often it has been made.
        cost: Of each run, in any one unit.
    """

    cells: Int[np.ndarray, "run direction"]
    left: Int[np.ndarray, " run"]
    made: Int[np.ndarray, " run"]
    cost: Float[np.ndarray, " run"]


@dataclass(eq=False)
class State:
    """The joint normal distribution of all cells that candidates fill.

    Attributes:
        mean: Expected value of each cell.
        covariance: Of every two cells.
        centred: Of each cell less the mean of its target with every cell.
        noise: Variance of a run of each cell.
        source: Number of each cell's source.
        target: Number of each cell's target.
        of_target: 1 where a cell is one of a target, else 0; targets with cells only.
        row: Of `of_target`, for each cell.
        prior: What the variance of these targets' cells is in proportion to, before anything is
            measured.
        made: Number of runs of each of these targets.
        runs: The cells that each candidate fills, as numbers of cells here.
    """

    mean: Float[np.ndarray, " cell"]
    covariance: Float[np.ndarray, "cell cell"]
    centred: Float[np.ndarray, "cell cell"]
    noise: Float[np.ndarray, " cell"]
    source: Int[np.ndarray, " cell"]
    target: Int[np.ndarray, " cell"]
    of_target: Float[np.ndarray, "target cell"]
    row: Int[np.ndarray, " cell"]
    prior: Float[np.ndarray, " target"]
    made: Float[np.ndarray, " target"]
    runs: Int[np.ndarray, "run direction"]

    @classmethod
    def of(cls, fit: Fit, candidates: Candidates) -> "State":
        """What a model says of the cells that candidates fill."""
        cells, runs = np.unique(candidates.cells, return_inverse=True)
        targets = fit.mean.shape[1]
        source, target = np.divmod(cells, targets)
        covariance = fit.covariance()[np.ix_(cells, cells)]
        there, row = np.unique(target, return_inverse=True)
        of_target = (there[:, None] == target).astype(float)
        runs = runs.reshape(candidates.cells.shape)
        made = np.zeros(len(there))
        np.add.at(made, row[runs], candidates.made[:, None])
        level = (of_target / of_target.sum(axis=1, keepdims=True)) @ covariance
        return cls(
            mean=fit.mean.ravel()[cells],
            covariance=covariance,
            centred=covariance - of_target.T @ level,
            noise=fit.noise[target] ** 2,
            source=source,
            target=target,
            of_target=of_target,
            row=row,
            prior=fit.scale[there] ** 2,
            made=made,
            runs=runs,
        )

    def observe(self, run: int) -> None:
        """Take a run for made; expected values stay, as what it shows is not known."""
        np.add.at(self.made, self.row[self.runs[run]], 1)
        for cell in self.runs[run]:
            column = self.covariance[:, cell] / (self.covariance[cell, cell] + self.noise[cell])
            _subtract(self.centred, self.centred[:, cell].copy(), column)
            _subtract(self.covariance, self.covariance[:, cell].copy(), column)

    def reduction(self, weights: Float[np.ndarray, "part cell"]) -> Float[np.ndarray, "part run"]:
        """By how much each candidate lowers the variance of cells less their target's mean.

        Args:
            weights: Of the cells, for each of some sums over them.

        Returns:
            The sums, for each candidate.
        """
        squares = weights @ self.centred**2
        variance = np.diagonal(self.covariance) + self.noise
        first = self.runs[:, 0]
        if self.runs.shape[1] == 1:
            return np.asarray(squares[:, first] / variance[first])
        second = self.runs[:, 1]
        between = self.covariance[first, second]
        crossed = weights @ (self.centred[:, first] * self.centred[:, second])
        # What two cells tell together: the quadratic form of the inverse of their covariance.
        whole = (
            variance[second] * squares[:, first]
            - 2 * between * crossed
            + variance[first] * squares[:, second]
        )
        return np.asarray(whole / (variance[first] * variance[second] - between**2))


def _subtract(
    whole: Float[np.ndarray, "cell cell"],
    first: Float[np.ndarray, " cell"],
    second: Float[np.ndarray, " cell"],
) -> None:
    """Take an outer product from a matrix where it stands: most of the time goes to memory."""
    from scipy.linalg.blas import dger

    dger(-1.0, second, first, a=whole.T, overwrite_a=1)
